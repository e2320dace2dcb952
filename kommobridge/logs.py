"""How the program logs: one line per event on stderr, as JSON or for people.

Our loggers follow LOG_LEVEL. Libraries are held at WARNING, whatever the level, because at DEBUG they print requests,
headers, SQL and texts; those that print them in errors too are silent.
"""

import json
import logging
import re
import sys
from typing import Any, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from kommobridge.log_facts import FIELDS, facts, is_own
from kommobridge.log_values import Plain, plain

SILENT = logging.CRITICAL + 10
LIBRARIES = logging.WARNING
# What isn't named here is held too, by `LibrariesHeld`; a level on the logger itself spares the making of a record.
HELD = dict.fromkeys(
    (
        "django", "django.security", "django.server", "django.template", "django.db.backends",
        "django-q", "openai", "httpx", "httpcore", "h2", "hpack", "urllib3", "requests", "aiohttp", "aiohttp.access",
        "asyncio", "boto3", "botocore", "huggingface_hub",
    ),
    LIBRARIES,
)  # fmt: skip
FLOORS = HELD | {
    # Whoever refuses a request says so in a line of its own; what is left here are our failures.
    "django.request": logging.ERROR,
    "gunicorn": LIBRARIES,
    "gunicorn.error": logging.INFO,
    # One line per request would hold the account's key; the program logs its own events.
    "gunicorn.access": SILENT,
    # Its errors reach us as exceptions; its texts hold prompts and keys.
    "LiteLLM": SILENT,
    "LiteLLM Router": SILENT,
    "LiteLLM Proxy": SILENT,
    "litellm": SILENT,
}

# Control characters, line and paragraph separators, direction marks, lone surrogates.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
BARE_WORD = re.compile(r"[\w.:/@+()<>-]+")


def log_config(level: str, fmt: str) -> dict[str, Any]:
    """Make the argument of `logging.config.dictConfig`.

    Args:
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL, for our own loggers.
        fmt: `json`, one JSON object per line, or `text` for people.
    """
    lowest = logging.getLevelNamesMapping()[level]
    formatter = {"json": JsonLines, "text": TextLines}[fmt]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"libraries held": {"()": LibrariesHeld}},
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"stderr": {"()": StderrHandler, "formatter": "lines", "filters": ["libraries held"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            name: {"level": max(lowest, floor), "handlers": [], "propagate": True} for name, floor in FLOORS.items()
        },
    }


class LibrariesHeld(logging.Filter):
    """Lets a library's record pass from its floor on, even when the library lowered its own logger later."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be written."""
        return is_own(record.name) or record.levelno >= floor_of(record.name)


def floor_of(name: str) -> int:
    """Give the lowest level that a library's logger may write, by its own or its nearest parent's entry."""
    while name:
        if name in FLOORS:
            return FLOORS[name]
        name = name.rpartition(".")[0]
    return LIBRARIES


class JsonLines(JsonFormatter):
    """One JSON object per line, ASCII only: nothing in a value can end the line or move a terminal's cursor."""

    def __init__(self) -> None:
        """Let whatever JSON can't hold become plain."""
        super().__init__(json_default=plain)

    def format(self, record: logging.LogRecord) -> str:
        """Give the record's facts as one line."""
        return self.jsonify_log_record(facts(record))


class TextLines(logging.Formatter):
    """For people: time, level, logger, text, then `name=value`; an error's trace follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record's facts as one line, and one more for each frame of a trace."""
        told = facts(record)
        trace = told.pop("trace", [])
        moment, level, logger, event = (visible(str(told.pop(name))) for name in FIELDS)
        values = "".join(f" {visible(name)}={_shown(value)}" for name, value in told.items())
        frames = "".join(f"\n    {visible(str(frame))}" for frame in trace) if isinstance(trace, list) else ""
        return f"{moment} {level:<7} {logger}: {event}{values}{frames}"


def _shown(value: Plain) -> str:
    if isinstance(value, str) and BARE_WORD.fullmatch(value) and not UNSEEN.search(value):
        return value
    return visible(json.dumps(value, ensure_ascii=False, default=plain))


def visible(text: str) -> str:
    """Replace what can't be seen, and could break a line or turn it around, by its number."""
    return UNSEEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at that moment, and never prints a record that it can't write."""

    terminator: Literal["\n"] = "\n"

    def __init__(self) -> None:
        """Open nothing: the stream is asked for anew each time."""
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The standard error stream of now."""
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Tell that a record was lost, and no more: logging's own report would print its arguments."""
        lost = {"level": "ERROR", "logger": __name__, "event": "a log line was lost", "of": record.name}
        try:
            self.stream.write(f"{json.dumps(lost)}\n")
        except (OSError, ValueError):
            return  # There is no stderr any more.
