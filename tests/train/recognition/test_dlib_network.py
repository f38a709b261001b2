import json
import os
import shutil
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_runtime.errors import ModelFileError
from pixie_runtime.landmarks.face import FaceTracker
from pixie_runtime.landmarks.models import LandmarkModels
from pixie_train.recognition.alignment import EYE_CORNERS_AND_NOSE
from pixie_train.recognition.dlib_network import DlibFaceNetwork
from pixie_train.recognition.embedding import AlignedEmbedding, open_embedding
from pixie_train.recognition.shards import read_shards
from tests.train.recognition import face_api_file
from tests.train.recognition.face_api_file import MANIFEST

FOOTAGE = Path(__file__).parents[2] / "footage"
REAL = os.environ.get("PIXIE_FACE_API")
"""The folder `model` of the npm package @vladmandic/face-api, where there is one."""

OF_FACE_API = [-0.05883963, -0.13949957, 0.05579935, 0.01857036, 0.00102540, 0.0100]
"""What @vladmandic/face-api 1.7.15 (tensorflow.js 4, CPU) computes of the made-up
network and picture; its first six numbers."""


def embedded(embedding: AlignedEmbedding, pixels: np.ndarray) -> Tensor:
    """Return what face-api does of a picture: it divides by 255 where dlib has 256."""
    network = embedding.network
    assert isinstance(network, DlibFaceNetwork)
    picture = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    mean = network.mean * 256 / 255
    vectors: Tensor = network((picture - mean) * (256 / 255) + mean)
    return vectors[0]


def test_vectors_are_those_of_face_api(made_up: Path) -> None:
    vector = embedded(open_embedding(made_up), face_api_file.picture())
    np.testing.assert_allclose(vector[:6], OF_FACE_API, atol=2e-5)
    assert vector.shape == (128,)


def test_shards_may_end_anywhere(made_up: Path, tmp_path: Path) -> None:
    face_api_file.write(tmp_path, shard_bytes=1_000_001)
    assert len(list(tmp_path.glob("*shard*"))) > 5
    whole, parts = read_shards(made_up / MANIFEST), read_shards(tmp_path / MANIFEST)
    for name, array in whole.items():
        np.testing.assert_array_equal(array, parts[name])


def test_quantised_numbers_are_steps_from_the_smallest(tmp_path: Path) -> None:
    quantised = {"dtype": "uint8", "scale": 0.5, "min": -1}
    weights = [
        {"name": "a", "shape": [2], "dtype": "float32", "quantization": quantised},
        {"name": "b", "shape": [1, 1], "dtype": "float32"},
    ]
    groups = [{"weights": weights, "paths": ["one"]}]
    (tmp_path / "m.json").write_text(json.dumps(groups))
    (tmp_path / "one").write_bytes(bytes([0, 255]) + np.float32(7).tobytes())
    arrays = read_shards(tmp_path / "m.json")
    assert arrays["a"].tolist() == [-1, 126.5]
    assert arrays["b"].tolist() == [[7]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"paths": ["', '"paths": ["../', "not beside it"),
        ('"paths": ["', '"paths": ["no', "cannot open"),
        ('"name": "fc", "shape": [256', '"name": "fc", "shape": [257', "ends at byte"),
        ('"name": "fc", "shape": [256', '"name": "fc", "shape": [255', "tensors take"),
        ('"name": "fc"', '"name": "fd"', "fc is missing"),
        ("256, 128]", "128, 256]", "instead of"),
        ('"min"', '"mim"', "has no 'min'"),
        ("uint8", "int4", "type int4"),
        ("[{", "[{]", "not a whole network"),
    ],
)
def test_damaged_manifests_are_refused(
    made_up: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    for path in made_up.iterdir():
        (tmp_path / path.name).hardlink_to(path)
    text = (made_up / MANIFEST).read_text()
    assert old in text
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).write_text(text.replace(old, new))
    with pytest.raises(ModelFileError, match=message):
        open_embedding(tmp_path)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="has no face_recognition_model"):
        open_embedding(tmp_path)
    shutil.rmtree(tmp_path)
    with pytest.raises(ModelFileError, match="there is no face recognition network"):
        open_embedding(tmp_path)


@pytest.mark.skipif(REAL is None, reason="PIXIE_FACE_API names no folder with weights")
def test_people_are_told_apart_however_their_faces_lie_in_pictures() -> None:
    embedding = open_embedding(Path(str(REAL)))
    found = {}
    for name in ("face_recognition_obama2.jpg", "face_recognition_biden.jpg"):
        stored = cv2.imread(str(FOOTAGE / name))
        assert stored is not None
        picture = cv2.cvtColor(stored, cv2.COLOR_BGR2RGB).astype(np.uint8)
        face = FaceTracker(LandmarkModels.shipped()).update(picture, None)
        assert face is not None
        # In MediaPipe's mesh: corners of both eyes, base of the nose.
        places = face.image[[263, 362, 33, 133, 2], :2]
        width, height = picture.shape[1], picture.shape[0]
        tilt = cv2.getRotationMatrix2D((width / 2, 300), 20, 0.7)
        flip = np.array([[-1, 0, width - 1], [0, 1, 0.0]])
        for way, M, order in (
            ("as it is", np.eye(2, 3), [0, 1, 2, 3, 4]),
            ("mirrored", flip, [2, 3, 0, 1, 4]),
            ("tilted", tilt, [0, 1, 2, 3, 4]),
        ):
            image = np.asarray(cv2.warpAffine(picture, M, (width, height)))
            points = np.zeros((68, 2), np.float32)
            points[list(EYE_CORNERS_AND_NOSE)] = places[order] @ M[:, :2].T + M[:, 2]
            landmarks = torch.from_numpy(points / (width, height) * 2 - 1).float()
            rgb = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
            found[name, way] = embedding(rgb, landmarks[None])[0]
    same: list[float] = []
    different: list[float] = []
    for a, b in combinations(found, 2):
        distance = float(torch.linalg.vector_norm(found[a] - found[b]))
        (same if a[0] == b[0] else different).append(distance)
    assert max(same) < 0.4
    assert min(different) > 0.55
