"""The websocket server's log: silent until an application listens, and discreet."""

import logging


class _Discreet(logging.Filter):
    """Lets nothing through that could quote a request, which may hold a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return record.levelno > logging.DEBUG


def server_logger(*, discreet: bool) -> logging.Logger:
    """Return the server's logger.

    Args:
        discreet: Whether requests hold secrets: those of debugging level, which quote
            them, are left out, and so are exceptions, which may.
    """
    logger = logging.getLogger("pixie_runtime.websocket")
    if not discreet:
        return _silent_by_default(logger)
    logger = logger.getChild("discreet")
    if not logger.filters:
        logger.addFilter(_Discreet())
    return _silent_by_default(logger)


def _silent_by_default(logger: logging.Logger) -> logging.Logger:
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
