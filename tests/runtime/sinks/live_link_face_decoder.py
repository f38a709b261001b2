"""A Live Link Face receiver of our own, written after PyLiveLinkFace's layout."""

import struct
from dataclasses import dataclass

# The order of Unreal's EARFaceBlendShape, as every receiver has it.
_TEXT = """
EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft
EyeWideLeft EyeBlinkRight EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight
EyeSquintRight EyeWideRight JawForward JawLeft JawRight JawOpen MouthClose MouthFunnel
MouthPucker MouthLeft MouthRight MouthSmileLeft MouthSmileRight MouthFrownLeft
MouthFrownRight MouthDimpleLeft MouthDimpleRight MouthStretchLeft MouthStretchRight
MouthRollLower MouthRollUpper MouthShrugLower MouthShrugUpper MouthPressLeft
MouthPressRight MouthLowerDownLeft MouthLowerDownRight MouthUpperUpLeft
MouthUpperUpRight BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft
BrowOuterUpRight CheekPuff CheekSquintLeft CheekSquintRight NoseSneerLeft
NoseSneerRight TongueOut
HeadYaw HeadPitch HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch
RightEyeRoll
"""
NAMES = _TEXT.split()


@dataclass(frozen=True)
class Packet:
    version: int
    uuid: str
    subject: str
    frame: int
    sub_frame: float
    fps: int
    denominator: int
    values: dict[str, float] | None
    """None: no face."""

    @property
    def seconds(self) -> float:
        """The time of day that it was taken."""
        return (self.frame + self.sub_frame) * self.denominator / self.fps


def decode(datagram: bytes) -> Packet:
    (version,) = struct.unpack_from("<I", datagram, 0)
    uuid = datagram[4:41].decode("utf-8")
    (length,) = struct.unpack_from("!i", datagram, 41)
    end = 45 + length
    subject = datagram[45:end].decode("utf-8")
    frame, sub_frame, fps, denominator = struct.unpack_from("!ifii", datagram, end)
    values = None
    if len(datagram) > end + 16:
        count, *numbers = struct.unpack("!B61f", datagram[end + 16 :])
        assert count == 61
        values = dict(zip(NAMES, numbers, strict=True))
    return Packet(version, uuid, subject, frame, sub_frame, fps, denominator, values)
