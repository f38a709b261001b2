"""A network, data and runs so small that a step takes a tenth of a second."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from pixie_train.batch import Batch, CropKind, Pictures, join
from pixie_train.config import CoreConfig, ImageConfig
from pixie_train.networks.image_pixie import ImagePixie
from pixie_train.picture_training.config import Optimisation, PartCrops, StageRun
from tests.train.losses.samples import N_BETAS, N_EXPRESSION
from tests.train.losses.samples import batch as random_people

SIDE, FINE = 32, 48
CONFIG = ImageConfig(
    body_encoder="mobilenet_v4_small",
    head_encoder="mobilenet_v4_small",
    hand_encoder="mobilenet_v4_small",
    core=CoreConfig(
        feature_dim=16,
        regressor_width=16,
        part_regressor_layers=1,
        moderator_width=8,
        moderator_layers=1,
        n_betas=N_BETAS,
        n_expression=N_EXPRESSION,
        n_texture=3,
    ),
)
RUN = StageRun(
    stage="whole",
    steps=3,
    batch=4,
    extra_heads=2,
    checkpoint_every=1,
    log_every=1,
    optimisation=Optimisation(learning_rate=1e-3, warm_up_steps=2, ema_decay=0.9),
    parts=PartCrops(size=SIDE),
)


def network(seed: int = 0) -> ImagePixie:
    torch.manual_seed(seed)
    return ImagePixie(CONFIG)


class Noise:
    """Random pictures of random people; the epoch makes them brighter."""

    def __init__(
        self,
        kind: CropKind,
        count: int = 6,
        *,
        labelled: bool = True,
        side: int = SIDE,
    ):
        g = torch.Generator().manual_seed(count)
        self.samples: list[Batch] = []
        for seed in range(count):
            said = random_people(kind, 1, seed, known=labelled)

            def picture(side: int) -> torch.Tensor:
                return torch.randint(
                    200, (1, 3, side, side), generator=g, dtype=torch.uint8
                )

            pictures = Pictures(picture(side))
            if kind is CropKind.BODY:
                boxes = 12 + 24 * torch.rand(1, 3, 3, generator=g)
                pictures = Pictures(picture(side), picture(FINE), boxes)
            targets = replace(said.targets, face_mask=None)
            self.samples.append(
                Batch(kind, pictures, targets, (f"noise/{kind.value}/{seed}",))
            )
        self._epoch = 0

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Batch:
        one = self.samples[index]
        brighter = one.pictures.image + min(self._epoch, 50)
        return replace(one, pictures=replace(one.pictures, image=brighter))

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def whole(self) -> Batch:
        return join(self.samples)


def data(kinds: Sequence[CropKind] = tuple(CropKind)) -> Mapping[CropKind, Noise]:
    return {kind: Noise(kind) for kind in kinds}
