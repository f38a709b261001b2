import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pixie_runtime.bundle import Bundle, Manifest, embedded_bundle
from pixie_runtime.errors import BundleError

CONTENT = b"a network"


def manifest(**changes: Any) -> dict[str, Any]:
    tensor = {"name": "x", "shape": ["batch", 3], "dtype": "float32", "meaning": "x"}
    values: dict[str, Any] = {
        "format": "pixie-bundle-1",
        "name": "test",
        "kind": "landmark",
        "body_model": {"name": "b", "sha256": "0", "n_betas": 1, "n_expression": 1},
        "networks": {"whole": {"file": "a.onnx", "inputs": [tensor], "outputs": []}},
        "sha256": {"a.onnx": hashlib.sha256(CONTENT).hexdigest()},
        "precision": "float32",
        "licence": "Apache-2.0",
        "provenance": {},
    }
    return values | changes


def write(folder: Path, values: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.onnx").write_bytes(CONTENT)
    (folder / "manifest.json").write_text(json.dumps(values))
    return folder


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    read = Bundle.open(write(tmp_path / "b", manifest())).manifest
    assert Manifest.from_json(read.to_json()) == read
    assert read.networks["whole"].inputs[0].shape == ("batch", 3)


def test_the_shipped_bundle_opens_and_knows_its_body() -> None:
    bundle = embedded_bundle()
    assert bundle.manifest.kind == "landmark"
    assert bundle.path_of("whole").stat().st_size < 5_000_000


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "b", manifest())
    (folder / "a.onnx").write_bytes(b"another network")
    with pytest.raises(BundleError, match="is not the file that was exported"):
        Bundle.open(folder)


@pytest.mark.parametrize("name", ["../a.onnx", "/etc/passwd", "x/y", "..", "a\\b", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    values = manifest(
        sha256={name: "0"},
        networks={"whole": {"file": name, "inputs": [], "outputs": []}},
    )
    with pytest.raises(BundleError, match="not a plain file name"):
        Bundle.open(write(tmp_path / "b", values))


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "b", manifest())
    elsewhere = tmp_path / "secret"
    elsewhere.write_bytes(CONTENT)
    (folder / "a.onnx").unlink()
    (folder / "a.onnx").symlink_to(elsewhere)
    with pytest.raises(BundleError, match="missing"):
        Bundle.open(folder)


def test_a_network_without_a_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no sha256 for a\.onnx"):
        Bundle.open(write(tmp_path / "b", manifest(sha256={})))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"format": "pixie-bundle-9"},
            r"bundle .*b: manifest\.json is of format 'pixie-bundle-9'",
        ),
        ({}, "is of format None"),
        ({"format": "pixie-bundle-1"}, "incomplete"),
    ],
)
def test_other_manifests_are_refused_in_one_sentence(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        Bundle.open(write(tmp_path / "b", values))


BODY = manifest()["body_model"]
TENSOR = manifest()["networks"]["whole"]["inputs"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name is None, expected a text"),
        ({"kind": "sound"}, "kind is 'sound', expected landmark or image"),
        ({"body_model": []}, r"body_model is \[\] instead of an object"),
        ({"body_model": BODY | {"n_betas": "50"}}, "n_betas is '50', expected a whole"),
        ({"body_model": BODY | {"n_betas": None}}, "n_betas is None, expected a whole"),
        ({"body_model": BODY | {"n_betas": True}}, "n_betas is True, expected a whole"),
        ({"body_model": BODY | {"n_expression": -1}}, "is -1, expected 0 to 10000"),
        ({"body_model": BODY | {"n_toes": 10}}, "'n_toes', unknown to this version"),
        ({"sha256": {"a.onnx": 3}}, r"sha256\.a\.onnx is 3, expected a text"),
        ({"crops": {"size": 10**9}}, r"crops\.size is 10+, expected 1 to 4096"),
        ({"crops": {"body_scale": 0}}, "body_scale is 0, expected more than 0"),
        ({"crops": {"body_scale": "1"}}, "body_scale is '1', expected a number"),
        ({"provenance": {"seed": [1]}}, r"provenance\.seed is \[1\], expected a text"),
    ],
)
def test_values_of_a_wrong_kind_or_size_are_named_in_one_sentence(
    changes: dict[str, Any], message: str
) -> None:
    expected = rf"is incomplete or malformed \(.*{message}.*; export the bundle again"
    with pytest.raises(BundleError, match=expected):
        Manifest.from_json(json.dumps(manifest(**changes)))


@pytest.mark.parametrize(
    ("shape", "message"),
    [("abc", "a list"), ([1.5], "sizes and names"), ([True], "sizes"), ([-1], "sizes")],
)
def test_a_shape_is_sizes_and_names(shape: object, message: str) -> None:
    network = {"file": "a.onnx", "inputs": [], "outputs": [TENSOR | {"shape": shape}]}
    values = manifest(networks={"whole": network})
    expected = rf"networks\.whole\.outputs\[0\]\.shape is .*, expected {message}"
    with pytest.raises(BundleError, match=expected):
        Manifest.from_json(json.dumps(values))


def test_a_manifest_nested_too_deeply_is_refused() -> None:
    with pytest.raises(BundleError, match="is not JSON: maximum recursion depth"):
        Manifest.from_json("[" * 100_000 + "]" * 100_000)


def test_what_a_refusal_quotes_is_short() -> None:
    with pytest.raises(BundleError) as refused:
        Manifest.from_json(json.dumps(manifest(format="x" * 100_000)))
    assert len(str(refused.value)) < 200


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    hashes = {"a" * 5000: "0", "a.onnx": hashlib.sha256(CONTENT).hexdigest()}
    with pytest.raises(BundleError, match=r"cannot read 'aa.*aa': File name too long"):
        Bundle.open(write(tmp_path / "b", manifest(sha256=hashes)))
    with pytest.raises(BundleError, match=r"cannot read .*: File name too long"):
        Bundle.open(tmp_path / ("a" * 5000))


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        Bundle.open(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe not text")
    with pytest.raises(BundleError, match="cannot read"):
        Bundle.open(tmp_path)
    (tmp_path / "manifest.json").write_text("[")
    with pytest.raises(BundleError, match=rf"bundle {tmp_path}: .* is not JSON"):
        Bundle.open(tmp_path)


def test_an_unknown_network_is_named_with_those_there_are(tmp_path: Path) -> None:
    bundle = Bundle.open(write(tmp_path / "b", manifest()))
    with pytest.raises(BundleError, match="no network 'hand'; it has whole"):
        bundle.path_of("hand")
