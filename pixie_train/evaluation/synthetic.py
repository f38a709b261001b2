"""Held-out synthetic people as a benchmark: it takes nobody's data."""

from dataclasses import dataclass

import numpy as np

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel
from pixie_runtime.smplx import JOINT_INDEX
from pixie_runtime.types import Float32, UInt8
from pixie_train.data.motion import load_motion_bank
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.sample import Sample
from pixie_train.evaluation.cases import Case, Truth, box_about
from pixie_train.pinhole import fitted_camera

_BODY = 22
HELD_OUT_SEED = 900_000
"""Far from the seeds that people train with; another seed is other people."""


@dataclass(frozen=True, eq=False)
class SyntheticBenchmark:
    """Whole people, drawn when asked for; true is the body below the clothes."""

    samples: Photographer
    model: BodyModel
    name: str = "synthetic"
    protocol: str = "whole"
    fps: float = 0.0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, model: BodyModel, count: int, *, seed: int = HELD_OUT_SEED, size: int = 512
    ) -> "SyntheticBenchmark":
        """Return `count` people of the body `model`, in pictures of `size` pixels.

        Raises:
            PixieError: the size cannot be drawn, or the model has no face landmarks.
        """
        config = PictureConfig(seed=seed, size=size)
        bank = load_motion_bank()
        return cls(Photographer(config, model, bank, count=count), model)

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self.samples)

    def __getitem__(self, index: int) -> Case:
        """Return one."""
        sample = self.samples[index]
        vertices, joints = posed(sample, self.model)
        # A sample does not hold its camera; its points and their pixels say which.
        size = (sample.size, sample.size)
        camera = fitted_camera(sample.xyz, sample.pixels, size)
        box = box_about(camera.project(vertices), margin=0.0)
        return Case(
            name=f"synthetic/{self.samples.config.seed}/{index}",
            picture=_Picture(sample.picture),
            truth=Truth(vertices=vertices, joints=joints, scan=_Points(vertices)),
            camera=camera,
            box=box,
            group=difficulty(sample),
        )


def difficulty(sample: Sample) -> str:
    """Return a person's group: whether they are upright, and how much can be seen.

    Upright is a trunk within 45 degrees of the picture's vertical, head up; a joint is
    seen where it is inside the picture and nothing, nor the body, hides it.
    """
    trunk = sample.xyz[JOINT_INDEX["neck"]] - sample.xyz[0]
    upright = -trunk[1] > np.hypot(trunk[0], trunk[2])
    share = float(sample.seen[:_BODY].mean())
    seen = (
        "all seen" if share >= 0.95 else "most seen" if share >= 0.7 else "much hidden"
    )
    return f"{'upright' if upright else 'tilted'}, {seen}"


@dataclass(frozen=True, eq=False)
class _Picture:
    image: UInt8

    def __call__(self) -> UInt8:
        return self.image


@dataclass(frozen=True, eq=False)
class _Points:
    points: Float32

    def __call__(self) -> Float32:
        return self.points[::16]


def posed(sample: Sample, model: BodyModel) -> tuple[Float32, Float32]:
    """Return a sample's true vertices (V, 3) and joints (55, 3), camera axes."""
    quaternions = rot.from_matrix(sample.rotations).astype(np.float32)
    shaped = model.shaped(sample.betas, sample.expression)
    body = shaped.posed(quaternions, np.zeros(3, np.float32))
    shift = sample.xyz[0] - body.joints[0]
    return body.vertices() + shift, body.joints + shift
