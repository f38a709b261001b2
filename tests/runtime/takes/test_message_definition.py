import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixie_runtime.sinks.websocket_messages import MEANINGS, frame_dtype
from pixie_runtime.takes.message_definition import definition_of, dtype_of


@given(n_betas=st.integers(0, 300), n_expression=st.integers(0, 100))
def test_layout_read_from_its_definition_has_the_same_bytes(
    n_betas: int, n_expression: int
) -> None:
    dtype = frame_dtype(n_betas, n_expression)
    read = dtype_of(definition_of(dtype, MEANINGS))
    assert read.itemsize == dtype.itemsize
    for name in read.names or ():
        assert read.fields is not None
        assert dtype.fields is not None
        assert read.fields[name][1] == dtype.fields[name][1]


def test_each_field_says_what_it_means() -> None:
    lines = definition_of(frame_dtype(10, 50), MEANINGS).splitlines()
    assert lines[0] == "uint8[4] magic  # 'PIXF'"
    assert "float32[10] betas  # body shape" in lines
    assert any(line.endswith("(55, 4)") and "w x y z" in line for line in lines)


def test_coefficients_that_a_person_has_none_of_are_no_field() -> None:
    assert "betas" not in definition_of(frame_dtype(0, 3), {})


@pytest.mark.parametrize(
    "definition",
    [
        "string name",
        "float32[] any_number",
        "float32[3",
        "geometry_msgs/Point p",
        "float32[9999999] too_long",
        "float32 twice\nfloat32 twice",
        "uint8 A=1",
    ],
)
def test_fields_without_fixed_size_are_refused(definition: str) -> None:
    with pytest.raises(ValueError, match=r"fixed size|occurs more than once"):
        dtype_of(definition)


def test_comments_and_empty_lines_are_skipped() -> None:
    assert dtype_of("# a\n\n  float64 t  # when\n") == np.dtype([("t", "<f8")])
