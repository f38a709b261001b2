"""What the options of the outputs for faces need; apart so that the help is instant."""

from pixie_runtime.errors import UsageError

LIVE_LINK_FACE_PORT = 11111
"""Where Unreal listens for the Live Link Face app."""
IFACIALMOCAP_PORT = 49983
"""Where the iFacialMocap app is asked for faces, and where it sends them to."""
DEFAULT_SUBJECT = "pixie"
"""What Unreal calls people, with their number behind it."""
MAX_SUBJECT_BYTES = 100
"""Of a subject's name with its number, in UTF-8."""
_LONGEST_NAME_BYTES = 80


def check_subject(name: str, *, option: str) -> None:
    """Make sure that a name can begin the names of subjects.

    Raises:
        UsageError: it is empty, too long or not printable.
    """
    size = len(name.encode(errors="replace"))
    if not name.isprintable() or not 1 <= size <= _LONGEST_NAME_BYTES:
        raise UsageError(
            f"{option} {name!r}: expected 1 to {_LONGEST_NAME_BYTES} printable "
            "characters (bytes of UTF-8)"
        )
