"""The source that the options ask for."""

from pathlib import Path

from pixie_runtime.errors import UsageError
from pixie_runtime.sources import FrameSource
from pixie_runtime.sources.camera import CameraSource
from pixie_runtime.sources.images import ImageFolder
from pixie_runtime.sources.video import VideoFile

DEMO_CLIP = "pose2sim_SinglePerson_cam01.mp4"


def demo_clip() -> Path:
    """Return the clip that ships inside this package (its origin: README beside it)."""
    return Path(__file__).parents[1] / "assets" / "demo" / DEMO_CLIP


def open_source(
    *,
    camera: int | str | None = None,
    video: Path | None = None,
    images: Path | None = None,
    demo: bool = False,
    realtime: bool = True,
    loop: bool = False,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> FrameSource:
    """Open the one source that is named.

    Args:
        camera: Number or path of a camera.
        video: A video file.
        images: A folder of pictures, or one picture.
        demo: The clip that ships with the package.
        realtime: Play a video at its own pace; cameras are always live and pictures
            always as fast as possible.
        loop: Play a video again and again.
        size: Width and height to ask a camera for, pixels.
        fps: Frames per second to ask a camera for, or that pictures stand for.

    Raises:
        UsageError: None or several are named.
        SourceError: It cannot be opened.
    """
    named = [
        name
        for name, given in (
            ("--camera", camera is not None),
            ("--video", video is not None),
            ("--images", images is not None),
            ("--demo", demo),
        )
        if given
    ]
    if len(named) != 1:
        found = " and ".join(named) if named else "none"
        raise UsageError(
            "give exactly one of --camera, --video, --images and --demo, not " + found
        )
    if camera is not None:
        number = int(camera) if str(camera).isdecimal() else camera
        return CameraSource(number, size=size, fps=fps)
    if images is not None:
        return ImageFolder(images) if fps is None else ImageFolder(images, fps=fps)
    return VideoFile(video or demo_clip(), realtime=realtime, loop=loop)
