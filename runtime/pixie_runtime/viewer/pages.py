"""The files of the page, as they are served; nothing else can be asked for."""

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    # The page may load and connect to nothing but its own server, nobody may frame it
    # (a click on somebody else's page would press our buttons), nothing is kept.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One file and what is said about it."""

    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=lambda: dict(_HEADERS))


@cache
def static_pages() -> dict[str, Page]:
    """Return every file of the page by its path; `/` is the page itself."""
    folder = files("pixie_runtime").joinpath("viewer/static")
    pages = {
        f"/{entry.name}": Page(entry.read_bytes(), _TYPES[Path(entry.name).suffix])
        for entry in folder.iterdir()
        if entry.is_file()
    }
    return pages | {"/": pages["/index.html"]}
