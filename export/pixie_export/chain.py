"""The networks of an image bundle as a chain: what feeds what.

A *value* is the result of a stage, named "STAGE.TENSOR", or one of the chain's given
values: crops of people, which parts are to be seen, and the rules of fusion.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np

from pixie_runtime.types import Float32

Values = Mapping[str, Float32]

CHAIN = (
    "body",
    "head",
    "hand",
    "coarse",
    "fuse",
    "whole",
    "head_alone",
    "hand_alone",
    "skinning",
    "albedo",
)
"""The stages, each after those that feed it."""

CROPS = ("image_body", "image_head", "image_left_hand", "image_right_hand")
"""Given: RGB in [0, 1], (N, 3, S, S); left hands mirrored."""

_FEEDS: dict[str, dict[str, str]] = {
    "body": {"image": "image_body"},
    "head": {"image": "image_head"},
    "coarse": {"F_b": "body.F_b"},
    "whole": {name: name for name in (*CROPS, "present", "rules")},
    "head_alone": {"F_f": "head.F_f"},
    "hand_alone": {"F_h": "hand.F_h"},
    "albedo": {"texture": "fuse.texture"},
}


class Run(Protocol):
    """Runs one stage on named inputs and returns its outputs by name."""

    def __call__(self, stage: str, inputs: Values) -> Values:
        """Run `stage`."""
        ...


def inputs_of(stage: str, values: Values) -> dict[str, Float32]:
    """Return what `stage` is fed with, out of the values of the stages before it."""
    match stage:
        case "hand":
            hands = (values["image_left_hand"], values["image_right_hand"])
            return {"image": np.concatenate(hands)}
        case "fuse":
            left, right = np.split(values["hand.F_h"], 2)
            return {
                "F_b": values["body.F_b"],
                "F_f": values["head.F_f"],
                "F_left": left,
                "F_right": right,
                "present": values["present"],
                "rules": values["rules"],
            }
        case "skinning":
            names = ("betas", "expression", "rotations")
            inputs = {name: values[f"fuse.{name}"] for name in names}
            return {**inputs, "transl": np.zeros((len(inputs["betas"]), 3), np.float32)}
    return {name: values[source] for name, source in _FEEDS[stage].items()}


def run_chain(stages: Collection[str], given: Values, run: Run) -> dict[str, Float32]:
    """Run the chain, each stage fed by those before it.

    Args:
        stages: those of `CHAIN` that there are.
        given: crops by the names `CROPS`; `present` (N, 3) and `rules` (N, 4) as the
            network `whole` takes them.
        run: runs one stage.

    Returns:
        All results, by "STAGE.TENSOR".
    """
    results: dict[str, Float32] = {}
    for stage in (name for name in CHAIN if name in stages):
        outputs = run(stage, inputs_of(stage, {**given, **results}))
        results |= {f"{stage}.{name}": array for name, array in outputs.items()}
    return results
