"""The ports of the protocols that send faces; apart so that the options are light."""

LIVE_LINK_FACE_PORT = 11111
"""Where Unreal listens for the Live Link Face app."""
IFACIALMOCAP_PORT = 49983
"""Where the iFacialMocap app is asked for faces, and where it sends them to."""
DEFAULT_SUBJECT = "pixie"
"""What Unreal calls people, with their number behind it."""
MAX_SUBJECT_BYTES = 100
"""Of a subject's name with its number, in UTF-8."""
