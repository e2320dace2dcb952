"""The web server's own log, led into ours."""

import logging
from typing import Any

from gunicorn.glogging import Logger


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no type hints
    """What gunicorn takes as `logger_class`: no handlers of its own, no line per request.

    Each call says that its place is the caller's, so that a text is found in the source (`kommobridge.log_facts`).
    """

    def setup(self, cfg: Any) -> None:
        """Let records go on to the root logger instead of opening streams."""
        self.cfg = cfg
        self._access_log_enabled = False
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def critical(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Log at CRITICAL."""
        self.error_log.critical(msg, *args, stacklevel=2, **kwargs)

    def error(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Log at ERROR."""
        self.error_log.error(msg, *args, stacklevel=2, **kwargs)

    def warning(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Log at WARNING."""
        self.error_log.warning(msg, *args, stacklevel=2, **kwargs)

    def info(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Log at INFO."""
        self.error_log.info(msg, *args, stacklevel=2, **kwargs)

    def debug(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Log at DEBUG."""
        self.error_log.debug(msg, *args, stacklevel=2, **kwargs)

    def exception(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Log an exception at ERROR."""
        self.error_log.exception(msg, *args, stacklevel=2, **kwargs)

    def log(self, lvl: int | str, msg: str, *args: object, **kwargs: Any) -> None:
        """Log at a level given by number or by name."""
        level = self.LOG_LEVELS.get(lvl.lower(), logging.INFO) if isinstance(lvl, str) else lvl
        self.error_log.log(level, msg, *args, stacklevel=2, **kwargs)
