from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixie_runtime.engines.tensorrt_chain import chain_wiring
from pixie_runtime.engines.tensorrt_plan import (
    ALIGNMENT,
    HOST,
    DevicePlan,
    NetworkTensors,
    Part,
    TensorInfo,
    Wiring,
    array_at,
    lay_out,
)

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
infos = st.builds(
    TensorInfo, shapes, st.sampled_from(["float32", "uint8", "float16", "int64"])
)
tensors = st.dictionaries(st.sampled_from("abcd"), infos, min_size=1, max_size=4)
networks = st.dictionaries(
    st.sampled_from(["p", "q", "r"]),
    st.builds(
        NetworkTensors,
        tensors,
        tensors.map(lambda found: {f"{name}_out": i for name, i in found.items()}),
    ),
    min_size=1,
)


def check(plan: DevicePlan) -> None:
    """What must hold of any plan."""
    ordered = sorted(plan.buffers, key=lambda b: b.offset)
    assert all(b.offset % ALIGNMENT == 0 for b in ordered)
    assert all(a.end <= b.offset for a, b in pairwise(ordered))
    for buffer in ordered:
        host_writes, host_reads = buffer.writer == HOST, HOST in buffer.readers
        assert host_writes == (buffer.end <= plan.n_bytes_in)
        assert host_reads == (buffer.offset >= plan.output_start)
    assert plan.n_bytes >= max(b.end for b in ordered)
    for found in plan.addresses.values():
        assert all(offset % ALIGNMENT == 0 for offset in found.values())


@settings(deadline=None)
@given(networks)
def test_buffers_are_aligned_apart_and_sorted_by_who_uses_them(
    found: dict[str, NetworkTensors],
) -> None:
    check(lay_out(found))


def person(d: int = 64) -> dict[str, NetworkTensors]:
    image = TensorInfo((1, 3, 8, 8), "float32")
    hands = TensorInfo((2, 3, 8, 8), "float32")
    feature, both = TensorInfo((1, d), "float32"), TensorInfo((2, d), "float32")
    posed = {
        name: TensorInfo((1, *shape), "float32")
        for name, shape in {
            "rotations": (55, 3, 3),
            "betas": (4,),
            "expression": (3,),
        }.items()
    }
    features = dict.fromkeys(("F_b", "F_f", "F_left", "F_right"), feature)
    conditions = {name: TensorInfo((1, 4), "float32") for name in ("present", "rules")}
    surface = {n: TensorInfo((1, 55, 3), "float32") for n in ("vertices", "joints")}
    transl = {"transl": TensorInfo((1, 3), "float32")}
    return {
        "body": NetworkTensors({"image": image}, {"F_b": feature}),
        "head": NetworkTensors({"image": image}, {"F_f": feature}),
        "hand": NetworkTensors({"image": hands}, {"F_h": both}),
        "fuse": NetworkTensors(features | conditions, posed),
        "skinning": NetworkTensors(posed | transl, surface),
    }


def test_a_person_chain_copies_nothing_between_networks() -> None:
    asked = ("rotations", "betas", "expression")
    plan = lay_out(person(), chain_wiring(asked, skinning=True))
    check(plan)
    at = plan.addresses
    assert at["fuse"]["F_b"] == at["body"]["F_b"]
    assert at["fuse"]["F_f"] == at["head"]["F_f"]
    assert at["fuse"]["F_left"] == at["hand"]["F_h"]
    assert at["fuse"]["F_right"] == at["hand"]["F_h"] + 64 * 4
    for name in asked:
        assert at["skinning"][name] == at["fuse"][name]
    assert plan.order == ("body", "head", "hand", "fuse", "skinning")


def test_a_plan_says_who_writes_and_who_reads() -> None:
    plan = lay_out(person(), chain_wiring(("rotations",), skinning=True))
    buffers = {buffer.name: buffer for buffer in plan.buffers}
    assert buffers["hand.image"].writer == HOST
    assert buffers["hand.F_h"].writer == "hand"
    assert buffers["hand.F_h"].readers == ("fuse",)
    assert buffers["fuse.rotations"].readers == ("skinning", HOST)
    assert buffers["fuse.betas"].readers == ("skinning",)
    assert "fuse.F_b" not in buffers


def test_both_hands_lie_in_one_batch() -> None:
    plan = lay_out(person(), chain_wiring(("rotations",), skinning=True))
    left, right = plan.inputs["image_left_hand"], plan.inputs["image_right_hand"]
    assert left.info.shape == right.info.shape == (1, 3, 8, 8)
    assert right.offset - left.offset == left.info.n_bytes


def test_vertices_stay_on_the_device() -> None:
    plan = lay_out(person(), chain_wiring(("rotations",), skinning=True))
    assert set(plan.outputs) == {"rotations"}
    assert plan.kept["vertices"].offset < plan.output_start


def test_a_view_is_an_array_of_the_copy() -> None:
    plan = lay_out({"n": NetworkTensors({"x": TensorInfo((2, 3), "float32")}, {})})
    memory = np.zeros(plan.n_bytes, np.uint8)
    array_at(memory, plan.inputs["x"], 0)[1] = 5
    assert memory[: 6 * 4].view(np.float32).tolist() == [0, 0, 0, 5, 5, 5]


ONE = TensorInfo((1, 64), "float32")


@pytest.mark.parametrize(
    ("second", "wiring", "what"),
    [
        (ONE, Wiring(inputs={"x": Part("p", "x")}), "nobody gives"),
        (
            ONE,
            Wiring({Part("p", "x"): Part("q", "y"), Part("q", "x"): Part("p", "y")}),
            "not written yet",
        ),
        (
            TensorInfo((1, 64), "float16"),
            Wiring({Part("q", "x"): Part("p", "y")}),
            r"but p\.y is",
        ),
        (ONE, Wiring({Part("q", "x"): Part("p", "y", 1)}), "there are 1 rows"),
    ],
    ids=["no source", "too early", "other type", "no such row"],
)
def test_networks_that_do_not_fit_are_refused(
    second: TensorInfo, wiring: Wiring, what: str
) -> None:
    found = {
        "p": NetworkTensors({"x": ONE}, {"y": ONE}),
        "q": NetworkTensors({"x": second}, {"y": ONE}),
    }
    with pytest.raises(ValueError, match=what):
        lay_out(found, wiring)


def test_a_row_that_is_not_aligned_is_refused() -> None:
    with pytest.raises(ValueError, match="does not begin at 256 bytes"):
        lay_out(person(d=16), chain_wiring(("rotations",), skinning=True))
