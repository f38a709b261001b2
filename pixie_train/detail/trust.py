"""Whether the head's moderator trusts the face expert on a picture.

The release puts detail on a face only where that expert's weight is above 0.6 (spec:
pixie-network, section 9). The moderator compares what the body's feature says of the
head with what the head's crop says, so it is asked about the whole person.
"""

from pathlib import Path

from torch import Tensor

from pixie_runtime.attention import person_box
from pixie_runtime.body import BodyModel
from pixie_runtime.errors import SourceError
from pixie_runtime.landmarks.pixie import PixieLandmarker
from pixie_runtime.sources.images import read_picture
from pixie_runtime.types import Frame
from pixie_train.evaluation.run_subject import RunSight, RunSubject
from pixie_train.networks.image_pixie import ImagePixie


def head_weights(
    network: ImagePixie, model: BodyModel, path: Path, sight: RunSight | None = None
) -> Tensor:
    """Return the head moderator's weights of body and face expert, (1, 2).

    Args:
        network: the whole of it.
        model: the body that it speaks of.
        path: the picture.
        sight: how the network looks at pictures; default: as the release does.

    Raises:
        SourceError: the picture cannot be read, or shows nobody.
        ModelFileError: the body has fewer coefficients than the network says.
    """
    picture = read_picture(path)
    height, width = picture.shape[:2]
    landmarker = PixieLandmarker()
    try:
        landmarks = landmarker.detect(Frame(0, 0.0, 0, picture))
    finally:
        landmarker.close()
    box = person_box(landmarks, (width, height))
    if box is None:
        raise SourceError(
            f"nobody was found in {path}; give a picture in which a person is large "
            "enough"
        )
    subject = RunSubject(network.eval(), model, "", sight)
    return subject.head_weights(picture, box)
