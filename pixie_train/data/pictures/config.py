"""What synthetic pictures show."""

from dataclasses import dataclass
from pathlib import Path

from pixie_runtime.errors import UsageError
from pixie_train.batch import CropKind


@dataclass(frozen=True)
class PictureConfig:
    """Which pictures are made. The same configuration makes the same pictures."""

    kind: CropKind = CropKind.BODY
    """What is in the middle: whole people, heads, or hands."""
    seed: int = 0
    """Of the people and of everything else; another seed gives other people."""
    size: int = 256
    """Side of a picture in pixels. Bodies' parts are cut out of it too."""
    pictures_of_each: int = 1
    """How many pictures in a row are of one person, with the same shape and skin."""
    occluded: float = 0.35
    """Share of the pictures with something in front of the person."""
    truncated: float = 0.25
    """Share of the bodies whose legs, or more, are outside the picture."""
    supersampling: int = 2
    """People are drawn with this many pixels to the picture's one, squared."""
    wrinkles: float = 0.0
    """How deep wrinkles and how high moles are drawn: 0: none, 1: as on aged skin."""
    backgrounds: Path | None = None
    """A folder of pictures without people to put behind; default: drawn ones."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not 32 <= self.size <= 2048:
            raise UsageError(
                f"pictures of {self.size} pixels were asked for; expected 32 to 2048"
            )
        if not 1 <= self.supersampling <= 4:
            raise UsageError(
                f"supersampling {self.supersampling} was asked for; expected 1 to 4"
            )
        if self.pictures_of_each < 1 or self.seed < 0:
            raise UsageError(
                f"pictures_of_each {self.pictures_of_each} with seed {self.seed} was "
                "asked for; expected at least 1, with a seed of 0 or more"
            )
        if not 0 <= self.wrinkles <= 3:
            raise UsageError(f"wrinkles is {self.wrinkles}; expected 0 to 3")
        for name in ("occluded", "truncated"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise UsageError(f"{name} is {share}; expected a share from 0 to 1")
