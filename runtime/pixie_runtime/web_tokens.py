"""Tokens that let in who knows them, as users give them to an option."""

import re
from pathlib import Path

from pixie_runtime.errors import UsageError

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,128}")
"""Fits a URL, a header and a subprotocol as it is."""


def read_token(text: str, *, option: str) -> str:
    """Return the token that an option was given: itself, or `@FILE` with it inside.

    Raises:
        UsageError: the file cannot be read, or it is no token; the sentence does not
            repeat it.
    """
    token, where = text, option
    if text.startswith("@"):
        path = Path(text[1:])
        where = f"{option} {text}"
        try:
            token = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"{where}: cannot read the token: {reason}") from error
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            f"{where}: expected 8 to 128 letters, digits or - . _ ~, or @FILE with "
            f"them inside; found {len(token)} characters"
        )
    return token
