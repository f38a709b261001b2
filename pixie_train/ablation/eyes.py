"""What the experts see: three networks that were taught to see people, as they are.

The paper's encoders are taught with a million pictures before features are fused; two
cores cannot do that in an afternoon. MediaPipe's landmark networks of body, hand and
face come with this project and were taught with more. Their last features, of which
their landmarks are linear functions, and the landmarks themselves are what the
ablation's experts start from. They were never shown a synthetic person.

Landmarks leave out how stout a body is and what grows on a head. Where it is asked for,
bodies' experts see their outline along the bones, too, and heads' experts a small
picture of the head as it is, turned upright.
"""

from dataclasses import dataclass
from importlib.resources import files

import cv2
import numpy as np
import onnx

from pixie_runtime.engines import Engine
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeMaker
from pixie_runtime.landmarks.face import region_of_face, region_on_body
from pixie_runtime.landmarks.hands import SIDES, region_of_recrop, region_on_arm
from pixie_runtime.landmarks.pose import points_said
from pixie_runtime.landmarks.regions import Points, Region
from pixie_runtime.types import Float32, PoseLandmarks, UInt8
from pixie_train.ablation.outline import OUTLINE, outline_pieces, with_outline
from pixie_train.networks.landmark_inputs import FACE_POINTS, HAND_POINTS, POSE_POINTS

BODY_PX, HEAD_PX, HAND_PX = 256, 192, 224
"""Sides of the crops that the networks take."""
_RECROP_PX = 256
_TRUNK = "trunk"
_TRUNKS = {"pose_landmark_full": 1152, "face_landmark": 288, "hand_landmark_full": 1152}
"""Lengths of their last features."""
_LOOK_PX = 24
"""Side of the small picture of a head."""
BODY_SIGHT = _TRUNKS["pose_landmark_full"] + 8 * POSE_POINTS + 1
HEAD_SIGHT = _TRUNKS["face_landmark"] + 3 * len(FACE_POINTS) + 6
HAND_SIGHT = _TRUNKS["hand_landmark_full"] + 6 * HAND_POINTS + 7
"""Lengths of what is seen of a crop."""
LOOK_SIGHT = 3 * _LOOK_PX * _LOOK_PX
"""How many numbers more are seen of a head, as `OUTLINE_SIGHT` are of a body."""


@dataclass(frozen=True, eq=False)
class BodySight:
    """What is seen of a body's crop, and how its parts lie there."""

    seen: Float32
    """(BODY_SIGHT,), with outlines OUTLINE_SIGHT numbers more."""
    turns: tuple[float, float, float]
    """Radians, clockwise as seen: by how much head, left and right hand are turned from
    upright (fingers up), by the body's landmarks. The head is never upside down."""


class Eyes:
    """The networks; on one core, for one picture after another."""

    def __init__(self, *, outlines: bool = False) -> None:
        """Load them; some 30 MB.

        Args:
            outlines: whether bodies' outlines and heads as they are belong to what is
                seen.
        """
        self._outlines = outlines
        self._body = _opened("pose_landmark_full", outlined=outlines)
        self._head = _opened("face_landmark")
        self._hand = _opened("hand_landmark_full")
        self._recrop = _opened("hand_recrop")

    def body(self, crop: UInt8) -> BodySight:
        """Look at a body's crop (S, S, 3)."""
        side = float(len(crop))
        whole = Region(side / 2, side / 2, side, 0.0)
        outputs = self._body.infer({"image": whole.crop(crop, BODY_PX)[None]})
        points = points_said(outputs)[:POSE_POINTS]
        world = outputs["world"][0, :POSE_POINTS]
        score = outputs["score"][0]
        pose = PoseLandmarks(
            image=np.asarray(points[:, :3] * BODY_PX, np.float32),
            world=world,
            visibility=points[:, 3],
            presence=points[:, 4],
            score=float(score[0]),
        )
        left, right = (region_on_arm(pose, hand).rotation for hand in SIDES)
        turns = (region_on_body(pose).rotation, left, right)
        centred = 2 * points[:, :3] - (1, 1, 0)
        said = [outputs[_TRUNK], centred, points[:, 3:], world, score]
        if self._outlines:
            said.append(outline_pieces(outputs[OUTLINE][0], pose))
        return BodySight(_vector(*said), turns)

    def head(self, crop: UInt8, turn: float) -> Float32:
        """Look at a head's crop (S, S, 3).

        Args:
            crop: the picture.
            turn: by how much the head is turned in it.

        Returns:
            (HEAD_SIGHT,), with outlines LOOK_SIGHT numbers more.
        """
        side = float(len(crop))
        whole = found = Region(side / 2, side / 2, side, turn)
        # As in a film: where the first look sees a face is where the second one looks.
        for _ in range(2):
            region = found
            outputs = self._head.infer({"image": region.crop(crop, HEAD_PX)[None]})
            raw = outputs["landmarks"][0].reshape(-1, 3) / HEAD_PX
            points = region.to_image(raw)
            found = region_of_face(points)
        centred = points[list(FACE_POINTS)] / (side / 2) - (1, 1, 0)
        axes = np.array([np.cos(region.rotation), np.sin(region.rotation)])
        place = np.array([region.x, region.y, region.size]) / side
        said = [outputs[_TRUNK], centred, outputs["logit"], place, axes]
        if self._outlines:
            upright, size = whole.crop(crop, HEAD_PX), (_LOOK_PX, _LOOK_PX)
            look = cv2.resize(upright, size, interpolation=cv2.INTER_AREA)
            said.append(look / np.float32(255))
        return _vector(*said)

    def hand(self, crop: UInt8, turn: float) -> Float32:
        """Look at the crop (S, S, 3) of a right hand or a mirrored left one.

        Args:
            crop: the picture.
            turn: by how much the hand is turned in it, from fingers up.

        Returns:
            (HAND_SIGHT,).
        """
        side = float(len(crop))
        whole = Region(side / 2, side / 2, side, turn)
        found = self._recrop.infer({"image": whole.crop(crop, _RECROP_PX)[None]})
        region = region_of_recrop(whole, found["points"][0])
        outputs = self._hand.infer({"image": region.crop(crop, HAND_PX)[None]})
        points = region.to_image(outputs["landmarks"][0].reshape(-1, 3) / HAND_PX)
        centred = points / (side / 2) - (1, 1, 0)
        world = region.turned(outputs["world"][0].reshape(-1, 3))
        place = np.array([region.x, region.y, region.size]) / side
        axes = np.array([np.cos(region.rotation), np.sin(region.rotation)])
        said = (outputs["score"], outputs["handedness"], place, axes)
        return _vector(outputs[_TRUNK], centred, world, *said)

    def close(self) -> None:
        """Free the networks."""
        for engine in (self._body, self._head, self._hand, self._recrop):
            engine.close()


def _vector(*arrays: Points) -> Float32:
    return np.concatenate([np.ravel(a) for a in arrays]).astype(np.float32)


def _opened(name: str, *, outlined: bool = False) -> Engine:
    """Open one of the package's networks.

    Args:
        name: which one; its last feature is one more output, if it has one of use.
        outlined: whether it says the person's outline, too.
    """
    path = files("pixie_runtime") / "assets" / "landmarks" / f"{name}.onnx"
    model = onnx.load_from_string(path.read_bytes())
    if outlined:
        with_outline(model)
    if name in _TRUNKS:
        feature = _before_landmarks(model.graph)
        node = onnx.helper.make_node("Flatten", [feature], [_TRUNK])
        model.graph.node.append(node)
        shape = [None, _TRUNKS[name]]
        kind = onnx.TensorProto.FLOAT
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(_TRUNK, kind, shape)
        )
    return OnnxRuntimeMaker().open(model.SerializeToString(), threads=1)


def _before_landmarks(graph: onnx.GraphProto) -> str:
    """Return what the layer that says the landmarks takes in."""
    makers = {output: node for node in graph.node for output in node.output}
    node = makers["landmarks"]
    while node.op_type in ("Reshape", "Transpose"):
        node = makers[node.input[0]]
    return str(node.input[0])
