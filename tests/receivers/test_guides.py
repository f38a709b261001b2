"""Guides say how axes are turned; whoever follows their tables gets the joints back."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from pixie_runtime.rest_offsets import rest_offsets
from pixie_runtime.smplx import PARENTS
from tests.demo_people import demo_ticks

GUIDES = Path(__file__).parents[2] / "docs" / "receivers"
Array = npt.NDArray[np.float64]

# Each engine's axes in the camera's (x right, y down, z away) of who looks into it.
# Unity: the avatar's right, up, forward. Unreal: forward, right, up; centimetres.
UNITY = [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]
UNREAL = [[0, 0, -100], [-100, 0, 0], [0, -100, 0]]


def table(guide: str) -> dict[str, str]:
    """Return a guide's formulas by what they are for, as the guide has them."""
    text = (GUIDES / f"{guide}.md").read_text(encoding="utf-8")
    row = (
        r"^\| (root's position|root's rotation|a joint's rotation|a joint's place) .*?"
    )
    return dict(re.findall(row + r"\| `(\([^`]+\))`", text, re.M))


def follow(formula: str, names: str, values: Array) -> Array:
    """Work a formula out, such as `(-x, y, z)`."""
    assert re.fullmatch(r"\((-?(100\*)?[wxyz](, )?)+\)", formula), formula
    given = dict(zip(names.split(), values.tolist(), strict=True))
    return np.array(eval(formula, {"__builtins__": {}}, given), np.float64)


@pytest.mark.parametrize(
    ("guide", "axes"), [("unity", UNITY), ("unreal", UNREAL)], ids=["unity", "unreal"]
)
def test_who_follows_the_guide_s_table_has_every_joint(
    guide: str, axes: list[list[float]]
) -> None:
    formulas = table(guide)
    assert len(formulas) == 4
    for tick in demo_ticks()[::20]:
        person = tick.people[0]
        wxyz = person.params.rotations.astype(np.float64)
        rest = rest_offsets(person).astype(np.float64)
        pelvis = person.joints[0].astype(np.float64)
        places = [follow(formulas["root's position"], "x y z", pelvis)]
        root = follow(formulas["root's rotation"], "w x y z", wxyz[0])
        turns = [Rotation.from_quat(root)]
        for joint, parent in enumerate(PARENTS[1:], start=1):
            reach = follow(formulas["a joint's place"], "x y z", rest[joint])
            places.append(places[parent] + turns[parent].apply(reach))
            turn = follow(formulas["a joint's rotation"], "w x y z", wxyz[joint])
            turns.append(turns[parent] * Rotation.from_quat(turn))
        expected = person.joints @ np.array(axes, np.float64).T
        unit = np.abs(axes).max()
        np.testing.assert_allclose(places, expected, atol=1e-4 * unit)
