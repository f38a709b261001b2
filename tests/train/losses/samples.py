"""Predictions and batches of random people, with everything known."""

from dataclasses import replace

import torch
from torch import Tensor

from pixie_train.batch import CROP_SIZE, Batch, CropKind, Pictures, Targets
from pixie_train.predictions import FeaturePairs, Predictions, RenderedFace
from pixie_train.rotations import matrix_from_rotvec

N_BETAS, N_EXPRESSION = 10, 7


def turns(generator: torch.Generator, *shape: int) -> Tensor:
    """Return random rotations (*shape, 3, 3)."""
    return matrix_from_rotvec(torch.randn(*shape, 3, generator=generator))


def predictions(count: int = 3, seed: int = 0) -> Predictions:
    """Return people as a network might have them; every tensor takes a gradient."""
    g = torch.Generator().manual_seed(seed)
    tensors = {
        "points_2d": torch.randn(count, 145, 2, generator=g),
        "points_3d": torch.randn(count, 145, 3, generator=g),
        "rotations": turns(g, count, 55),
        "absolute": turns(g, count, 3),
        "betas": torch.randn(count, N_BETAS, generator=g),
        "expression": torch.randn(count, N_EXPRESSION, generator=g),
        "jaw": torch.randn(count, 3, generator=g),
        "camera": torch.randn(count, 3, generator=g),
        "texture": torch.randn(count, 5, generator=g),
        "light": torch.randn(count, 9, 3, generator=g),
    }
    features = torch.randn(2, count, 3, 4, generator=g).requires_grad_()
    rendered = RenderedFace(
        torch.rand(count, 3, CROP_SIZE, CROP_SIZE, generator=g).requires_grad_(),
        torch.ones(count, 1, CROP_SIZE, CROP_SIZE),
    )
    return Predictions(
        **{name: tensor.requires_grad_() for name, tensor in tensors.items()},
        rendered=rendered,
        features=FeaturePairs(features[0], features[1], torch.ones(count, 3)),
    )


def batch(
    kind: CropKind = CropKind.BODY, count: int = 3, seed: int = 1, *, known: bool = True
) -> Batch:
    """Return people of whom everything is known, or nothing."""
    g = torch.Generator().manual_seed(seed)
    targets = Targets.unknown(count, n_betas=N_BETAS, n_expression=N_EXPRESSION)
    if known:
        targets = replace(
            targets,
            xy=torch.randn(count, 145, 2, generator=g),
            xy_confidence=torch.ones(count, 145),
            xyz=torch.randn(count, 145, 3, generator=g),
            xyz_confidence=torch.ones(count, 145),
            rotations=turns(g, count, 55),
            rotations_known=torch.ones(count, 55, dtype=torch.bool),
            absolute=turns(g, count, 3),
            absolute_known=torch.ones(count, 3, dtype=torch.bool),
            betas=torch.randn(count, N_BETAS, generator=g),
            betas_known=torch.ones(count, N_BETAS, dtype=torch.bool),
            expression=torch.randn(count, N_EXPRESSION, generator=g),
            expression_known=torch.ones(count, N_EXPRESSION, dtype=torch.bool),
            face_mask=torch.ones(count, 1, CROP_SIZE, CROP_SIZE, dtype=torch.bool),
        )
    image = torch.randint(
        256, (count, 3, CROP_SIZE, CROP_SIZE), generator=g, dtype=torch.uint8
    )
    names = tuple(f"random/{seed}/{i}" for i in range(count))
    return Batch(kind, Pictures(image), targets, names)
