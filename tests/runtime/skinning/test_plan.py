"""Launches as values: what fits together is checked without a card."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.skinning.kernel_images import SOURCE
from pixie_runtime.skinning.plan import (
    KERNELS,
    Buffer,
    Launch,
    Sizes,
    generations,
    input_buffers,
    launches,
    model_buffers,
    result_buffers,
)
from pixie_runtime.smplx import JOINT_COUNT, PARENTS

LICENSED = Sizes(
    vertex_count=10_475,
    tile_count=328,
    group_count=66,
    entry_count=328 * 66,
    row_count=1500,
    n_betas=300,
    n_expression=100,
    corner_count=3 * 20_908,
    people=8,
)
ALL = {
    b.name: b
    for make in (model_buffers, input_buffers, result_buffers)
    for b in make(LICENSED)
}


def parameters(kernel: str) -> list[str]:
    """Return the types of a kernel's parameters, out of the source."""
    source = re.sub(r"/\*.*?\*/|//[^\n]*", "", SOURCE.read_text(encoding="utf-8"))
    macro = re.search(r"#define MESH_PARAMETERS(.*?)#define", source, re.S)
    found = re.search(rf"\b{kernel}\((.*?)\)\s*{{", source, re.S)
    assert macro is not None
    assert found is not None
    text = found[1].replace("MESH_PARAMETERS", macro[1]).replace("\\", " ")
    kinds = []
    for parameter in text.split(","):
        kind = re.search(r"(float|int|short)\b\s*(\*?)", parameter)
        assert kind is not None
        kinds.append(kind[1] + kind[2])
    return kinds


C_TYPES = {"float32": "float*", "int32": "int*", "int16": "short*"}


@given(
    people=st.integers(1, 8),
    fresh=st.integers(0, 8),
    normals=st.booleans(),
)
def test_every_launch_fits_the_kernel_it_names(
    people: int, fresh: int, normals: bool
) -> None:
    for launch in launches(
        LICENSED, people=people, fresh=min(fresh, people), normals=normals
    ):
        given_types = [
            "int" if isinstance(a, int) else C_TYPES[ALL[a].dtype]
            for a in launch.arguments
        ]
        assert launch.kernel in KERNELS
        assert given_types == parameters(launch.kernel)
        check_limits(launch)


def check_limits(launch: Launch) -> None:
    """CUDA C++ Programming Guide, technical specifications per compute capability."""
    x, y, z = launch.block
    assert x * y * z <= 1024
    assert launch.grid[0] < 2**31
    assert max(launch.grid[1:]) < 2**16
    assert min(*launch.grid, *launch.block) >= 1
    assert launch.shared_bytes <= 48 * 1024
    assert (x * y * z) % 32 == 0


def test_one_person_has_the_kernel_for_one() -> None:
    kernels = [
        [x.kernel for x in launches(LICENSED, people=n, fresh=0, normals=False)]
        for n in (1, 2, 5)
    ]

    assert kernels == [["pose", "mesh_1"], ["pose", "mesh_4"], ["pose", "mesh_4"]]


def test_a_thousand_expressions_still_fit_into_shared_memory() -> None:
    many = Sizes(**{**_fields(LICENSED), "group_count": 54 + 1000})

    mesh = launches(many, people=4, fresh=0, normals=False)[-1]

    assert mesh.kernel == "mesh_1"
    assert mesh.grid[1] == 4
    check_limits(mesh)


def test_a_tile_of_everybody_is_covered() -> None:
    for launch in launches(LICENSED, people=5, fresh=2, normals=True):
        threads = launch.grid[0] * launch.block[0]
        if launch.kernel == "rest_mesh":
            assert threads >= ALL["mesh"].nbytes // 4
            assert launch.grid[1] == 2
        if launch.kernel == "normals":
            assert threads >= LICENSED.vertex_count
            assert launch.grid[1] == 5
        if launch.kernel == "mesh_4":
            assert launch.grid[:2] == (LICENSED.tile_count, 2)


def test_buffers_know_their_bytes() -> None:
    assert Buffer("b", (3, 5), "float32").nbytes == 60
    assert Buffer("b", (3, 5), "int16").nbytes == 30
    assert ALL["values"].nbytes == LICENSED.entry_count * 9 * 96 * 2


@pytest.mark.parametrize(("people", "fresh"), [(0, 0), (9, 0), (2, 3), (2, -1)])
def test_impossible_frames_are_refused(people: int, fresh: int) -> None:
    with pytest.raises(ValueError, match=f"{people} people"):
        launches(LICENSED, people=people, fresh=fresh, normals=False)


def test_parents_come_a_generation_earlier() -> None:
    depth = generations()

    assert depth[0] == 0
    assert all(depth[j] == depth[PARENTS[j]] + 1 for j in range(1, JOINT_COUNT))


def _fields(sizes: Sizes) -> dict[str, int]:
    return {name: getattr(sizes, name) for name in Sizes.__slots__}
