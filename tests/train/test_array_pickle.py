import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime.errors import ModelFileError
from pixie_train.array_pickle import read_array, read_values


def write_pickle(path: Path, content: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "array.pkl"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["<f4", "<f8", ">f8", "<f2", "<i4", ">u2", "i1"])
def test_arrays_of_every_protocol_come_back(
    file: Path, protocol: int, kind: str
) -> None:
    array = (np.arange(24).reshape(2, 3, 4) * 5.5).astype(kind)
    for stored in (array, np.asfortranarray(array), array[:, ::2]):
        found = read_array(write_pickle(file, stored, protocol))
        np.testing.assert_array_equal(found, stored)
        assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")


def test_arrays_under_numpys_names_of_either_version_come_back(file: Path) -> None:
    array = np.linspace(0, 1, 7)
    write_pickle(file, array)
    for old, new in (
        (b"numpy._core.", b"numpy.core."),
        (b"numpy.core.", b"numpy._core."),
    ):
        file.write_bytes(file.read_bytes().replace(old, new))
        np.testing.assert_array_equal(read_array(file), array)


def test_arrays_that_python_2_pickled_come_back(file: Path) -> None:
    # As Python 2.7 with numpy 1.16 writes np.array([[1, -2]], "f4") by protocol 2: the
    # numbers are a byte string without the detour over _codecs.encode.
    numbers = np.array([[1, -2]], "<f4").tobytes()
    file.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02"
        b"K\x00\x85U\x01b\x87Rq\x03(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x04U\x02f4"
        b"K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00"
        b"tb\x89U\x08" + numbers + b"tb."
    )
    np.testing.assert_array_equal(read_array(file), [[1, -2]])


class _Runs:
    """Pickles as a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> object:  # type: ignore[override]
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_a_program_is_refused_and_runs_nothing(
    file: Path, protocol: int
) -> None:
    mark = file.with_name("mark")
    write_pickle(file, _Runs(os.system, f"touch {mark}"), protocol)
    with pytest.raises(ModelFileError, match=r"wants to run (posix|nt)\.system"):
        read_array(file)
    assert not mark.exists()


@pytest.mark.parametrize(
    "module_and_name",
    [
        "builtins eval",
        "builtins getattr",
        "__builtin__ eval",
        "numpy.testing rundocs",
        "numpy load",
        "_codecs decode",
        "copyreg _reconstructor",
        "pixie_train.array_pickle read_array",
    ],
)
def test_only_the_names_of_arrays_are_known(file: Path, module_and_name: str) -> None:
    module, name = module_and_name.split()
    file.write_bytes(f"c{module}\n{name}\n.".encode())
    with pytest.raises(ModelFileError, match=f"wants to run {module}.{name}"):
        read_array(file)


@pytest.mark.parametrize(
    "content",
    [
        {"J14": 1},
        [np.zeros(3)],
        7,
        None,
        np.array([{"a": 1}], dtype=object),
        np.array(["text"]),
        np.array([1j]),
        np.array([True]),
        np.zeros(2, [("x", "f4")]),
        np.datetime64("2020-01-01"),
    ],
    ids=lambda content: type(content).__name__,
)
def test_whatever_is_not_an_array_of_numbers_is_refused(
    file: Path, content: object
) -> None:
    write_pickle(file, content)
    with pytest.raises(ModelFileError, match="is not a pickled array of numbers"):
        read_array(file)


def test_every_truncation_is_refused(file: Path) -> None:
    whole = write_pickle(file, np.linspace(0, 1, 5)).read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            read_array(file)


def test_every_changed_byte_is_refused_or_still_an_array(file: Path) -> None:
    whole = write_pickle(file, np.linspace(0, 1, 5)).read_bytes()
    for i in range(len(whole)):
        for value in (0, 0x2E, 0xFF):
            file.write_bytes(whole[:i] + bytes([value]) + whole[i + 1 :])
            try:
                array = read_array(file)
            except ModelFileError:
                continue
            assert array.dtype.kind in "fiu"


def test_a_shape_that_its_bytes_do_not_fill_is_refused(file: Path) -> None:
    whole = write_pickle(file, np.zeros((3, 5), np.uint8)).read_bytes()
    file.write_bytes(whole.replace(b"K\x03K\x05\x86", b"K\x7fK\x7f\x86"))
    with pytest.raises(ModelFileError):
        read_array(file)


def test_a_memo_that_would_fill_the_memory_is_refused(file: Path) -> None:
    file.write_bytes(b"\x80\x02K\x01r" + struct.pack("<I", 1 << 31) + b".")
    with pytest.raises(ModelFileError, match="more memory than it can fill"):
        read_array(file)


def test_bytes_that_are_encoded_again_and_again_are_refused(file: Path) -> None:
    text = "x" * 1000
    once = b"c_codecs\nencode\nX" + struct.pack("<I", len(text)) + text.encode()
    again = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R0"
    file.write_bytes(
        b"\x80\x02" + once + b"q\x00X\x06\x00\x00\x00latin1\x86R0" + again * 100 + b"N."
    )
    with pytest.raises(ModelFileError, match="as numpy writes them"):
        read_array(file)


def test_files_too_large_or_absent_are_refused(file: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot open .*No such file"):
        read_array(file)
    with file.open("wb") as stream:
        stream.truncate(1 << 25)
    with pytest.raises(ModelFileError, match="33554432 bytes, which is too many"):
        read_array(file)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_values_in_containers_of_every_protocol_come_back(
    file: Path, protocol: int
) -> None:
    xyz, shared = np.arange(6.0).reshape(2, 3), [1, 2.5]
    content = {
        "seq": "a4",
        7: [xyz, np.array([True, False]), (None, True, b"raw")],
        "scalar": np.float64(0.5),
        "names": np.array(["left", "right"]),
        "same": [shared, shared],
    }
    found = read_values(write_pickle(file, content, protocol))
    assert list(found) == list(content)
    np.testing.assert_array_equal(found[7][0], xyz)
    np.testing.assert_array_equal(found[7][1], [True, False])
    assert found[7][2] == (None, True, b"raw")
    assert (found["seq"], found["scalar"]) == ("a4", 0.5)
    assert found["names"].tolist() == ["left", "right"]
    assert found["same"] == [shared, shared]


def test_arrays_of_objects_come_back_as_what_they_hold(file: Path) -> None:
    box = {"left": 1, "right": 2.5}
    assert read_values(write_pickle(file, np.array(box, dtype=object))) == box
    people = np.empty(2, dtype=object)
    people[:] = [[1, 2], [3]]
    assert read_values(write_pickle(file, people)) == [[1, 2], [3]]


@pytest.mark.parametrize("content", [Path("x"), {1, 2}, 1j, {"a": [Path("x")]}])
def test_values_that_are_not_plain_are_refused(file: Path, content: object) -> None:
    with pytest.raises(ModelFileError, match="is not a pickle of plain numbers"):
        read_values(write_pickle(file, content, 4))


def test_containers_without_an_end_are_refused(file: Path) -> None:
    endless: list[object] = []
    endless.append(endless)
    nested: list[object] = []
    for _ in range(100):
        nested = [nested]
    for content in (endless, nested):
        with pytest.raises(ModelFileError, match="without an end"):
            read_values(write_pickle(file, content))


def test_an_array_that_is_named_again_and_again_fills_no_memory(file: Path) -> None:
    data = np.arange(1000.0).tobytes()
    state = b"(K\x01M\xe8\x03\x85h\x01\x89h\x00t"
    whole = pickle.dumps(np.arange(1000.0), protocol=3)
    number = whole[whole.index(b"cnumpy\ndtype") : whole.index(b"\x89B")]
    number = number[: number.rindex(b"b") + 1]
    make = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    )
    once = b"B" + struct.pack("<I", len(data)) + data + b"q\x00" + number + b"q\x01("
    file.write_bytes(b"\x80\x03" + once + (make + state + b"b") * 1 + b"l.")
    np.testing.assert_array_equal(read_values(file)[0], np.arange(1000.0))
    file.write_bytes(b"\x80\x03" + once + (make + state + b"b") * 40 + b"l.")
    with pytest.raises(ModelFileError, match="more memory than it can fill"):
        read_values(file)
