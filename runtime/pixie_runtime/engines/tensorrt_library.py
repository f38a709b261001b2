"""NVIDIA's bindings, loaded, with what they say on errors."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, TypeVar, cast

from pixie_runtime.engines.tensorrt_api import Tensorrt
from pixie_runtime.errors import EngineError, MissingExtraError

LibraryKind = Literal["tensorrt", "tensorrt-rtx"]

_TITLES: dict[LibraryKind, str] = {
    "tensorrt": "TensorRT",
    "tensorrt-rtx": "TensorRT-RTX",
}
_Made = TypeVar("_Made")
_FIRST_VERSION = 10
_MESSAGES_KEPT = 20


@dataclass(frozen=True, eq=False)
class Library:
    """One of the two libraries, ready to build or run engines."""

    kind: LibraryKind
    module: Tensorrt
    messages: "deque[str]" = field(default_factory=lambda: deque(maxlen=_MESSAGES_KEPT))
    """The errors that it reported last, oldest first."""

    def __post_init__(self) -> None:
        logger = _logger(self.module.ILogger, self.messages)
        object.__setattr__(self, "logger", logger)

    logger: Any = field(init=False, repr=False)
    """What the library's factories want."""

    @property
    def version(self) -> str:
        """The bindings' version, `11.4.0.106`."""
        return self.module.__version__

    @property
    def title(self) -> str:
        """Name and version for people."""
        return f"{_TITLES[self.kind]} {self.version}"

    @property
    def command(self) -> str:
        """The command that builds engines for this library."""
        return f"pixie-export {self.kind}"

    def make(self, factory: Callable[..., _Made], *arguments: object) -> _Made:
        """Call one of the module's classes, with the logger as the last argument.

        Raises:
            EngineError: the library made nothing, for want of a driver for example.
        """
        self.messages.clear()
        try:
            return factory(*arguments, self.logger)
        except TypeError as error:
            # pybind11's word for a factory that returned nothing.
            if "nullptr" not in str(error):
                raise
            raise EngineError(
                f"{self.title} does not start here: {self.reason()}; look at "
                f"nvidia-smi whether the driver is new enough, or install it again "
                f'with pip install "pixie-live[{self.kind}]"'
            ) from error

    def reason(self) -> str:
        """Return what the library complained of last, on one line."""
        if not self.messages:
            return "it gave no reason"
        return " ".join(self.messages[-1].split())


def load_library(kind: LibraryKind) -> Library:
    """Import the bindings of a library.

    Raises:
        MissingExtraError: they are not installed.
        EngineError: they are, but not the libraries they bind, or they are too old.
    """
    name = kind.replace("-", "_")
    try:
        module = cast(Tensorrt, import_module(name))
    except ModuleNotFoundError as error:
        raise MissingExtraError(_TITLES[kind], kind) from error
    except (ImportError, OSError) as error:
        # The bindings are a wheel of their own; their libraries may be missing.
        raise EngineError(
            f"{_TITLES[kind]} is installed but cannot be loaded: {error}; install it "
            f'again with pip install "pixie-live[{kind}]"'
        ) from error
    major = re.match(r"\d+", module.__version__)
    if kind == "tensorrt" and major and int(major.group()) < _FIRST_VERSION:
        raise EngineError(
            f"TensorRT {module.__version__} is too old: expected 10 or 11; install it "
            'again with pip install "pixie-live[tensorrt]"'
        )
    return Library(kind, module)


def _logger(base: Any, messages: "deque[str]") -> Any:
    """Return a logger that keeps errors instead of printing them."""

    def log(self: Any, severity: Any, msg: str) -> None:
        if severity in (self.ERROR, self.INTERNAL_ERROR):
            messages.append(msg)

    # The base class is known only when the bindings are loaded.
    return type("KeepingLogger", (base,), {"log": log})()
