"""What a log record tells: the fields of one event, in order, with everything left out that isn't ours to tell.

Our own records have a constant text and facts in `extra`. A library's text may hold a key, an address or a customer's
words, so it is shown only where it stands word for word in the library's source; numbers among its arguments are
filled in, other arguments aren't. Of an exception we tell the class and where it happened, and the text of our own
classes only, whose texts are written for people.
"""

import linecache
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from pythonjsonlogger.core import RESERVED_ATTRS

from kommobridge.log_values import Plain, class_name, plain, shortened, without_secrets

OWN_PACKAGES = frozenset({"kommobridge", "bots", "llm", "sandbox"})
PROJECT_DIR = Path(__file__).resolve().parent.parent
FRAMES_MAX = 12
CAUSES_MAX = 5
# How far below its first line a call may still show its text.
SOURCE_LINES = 8
WITHHELD = "text of a library withheld"
# Texts of the web server whose arguments are versions, addresses of ours and names of signals.
SPELLED_OUT = frozenset({"Starting gunicorn %s", "Listening at: %s (%s)", "Using worker: %s", "Handling signal: %s"})

FIELDS = ("time", "level", "logger", "event")
NOT_EXTRA = frozenset({*RESERVED_ATTRS, "taskName", "message", "asctime", "request", "status_code"})

Facts = dict[str, Plain]


def facts(record: logging.LogRecord) -> Facts:
    """Give the fields of an event: time, level, logger, event, then what it carries."""
    moment = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
    return {
        "time": moment.replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        **(_own(record) if is_own(record.name) else _foreign(record)),
        **_extras(record),
        **_error(record),
    }


def is_own(name: str) -> bool:
    """Whether a logger's or a module's name belongs to this program."""
    return name.partition(".")[0] in OWN_PACKAGES


def _own(record: logging.LogRecord) -> Facts:
    event: Facts = {"event": _line(str(record.msg))}
    return event | ({"args": plain(record.args)} if record.args else {})


def _foreign(record: logging.LogRecord) -> Facts:
    if record.name.startswith(("django.request", "django.security")):
        return _refused_request(record)
    return {"event": _foreign_text(record), "where": f"{_short_path(record.pathname)}:{record.lineno}"}


def _refused_request(record: logging.LogRecord) -> Facts:
    """Tell of a request without its path: a path holds the account's key."""
    status = getattr(record, "status_code", None)
    request = getattr(record, "request", None)
    match = getattr(request, "resolver_match", None)
    told = {
        "status": status if isinstance(status, int) else None,
        "method": getattr(request, "method", None),
        "route": getattr(match, "route", None),
    }
    event = "request failed" if isinstance(status, int) and status >= 500 else "request refused"
    return {"event": event} | {name: plain(value) for name, value in told.items() if value is not None}


def _foreign_text(record: logging.LogRecord) -> str:
    text = str(record.msg)
    if not _stands_in_source(text, record):
        return WITHHELD
    if not record.args:
        return _line(text)
    arguments = record.args if text in SPELLED_OUT else _numbers_only(record.args)
    try:
        return _line(text % arguments)
    except (TypeError, ValueError, KeyError):
        return _line(text)


def _stands_in_source(text: str, record: logging.LogRecord) -> bool:
    lines = (linecache.getline(record.pathname, record.lineno + step) for step in range(SOURCE_LINES))
    source = _bare("".join(lines))
    return bool(text.strip()) and _bare(text) in source


def _bare(text: str) -> str:
    """Leave out what differs between a text and its spelling in a source file: quotes, breaks, joints."""
    return re.sub(r"[\s\"'+\\]", "", text)


def _numbers_only(
    arguments: tuple[object, ...] | Mapping[str, object],
) -> tuple[object, ...] | dict[str, object]:
    if isinstance(arguments, Mapping):
        return {name: _number_or_gap(value) for name, value in arguments.items()}
    return tuple(_number_or_gap(value) for value in arguments)


def _number_or_gap(value: object) -> object:
    return value if isinstance(value, int | float) else "…"


def _extras(record: logging.LogRecord) -> Facts:
    given = {name: value for name, value in vars(record).items() if name not in NOT_EXTRA and not name.startswith("_")}
    if not is_own(record.name):
        given = {name: value for name, value in given.items() if isinstance(value, int | float)}
    return {f"extra_{name}" if name in FIELDS else name: plain(value, name=name) for name, value in given.items()}


def _error(record: logging.LogRecord) -> Facts:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    told: Facts = {"error": class_name(type(error))}
    if text := _own_text(error):
        told["error_text"] = text
    told["trace"] = [*_trace(error.__traceback__)]
    causes: list[Plain] = [_cause(cause) for cause, _ in zip(_causes(error), range(CAUSES_MAX), strict=False)]
    return told | ({"caused_by": causes} if causes else {})


def _own_text(error: BaseException) -> str:
    return _line(str(error)) if is_own(type(error).__module__) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give what led to an error, nearest first; of a group, its members."""
    seen = {id(error)}
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        context = None if current.__suppress_context__ else current.__context__
        for cause in (*members, current.__cause__, context):
            if cause is not None and id(cause) not in seen:
                seen.add(id(cause))
                waiting.append(cause)
                yield cause


def _cause(error: BaseException) -> str:
    text = _own_text(error)
    told = f"{class_name(type(error))}: {text}" if text else class_name(type(error))
    return " at ".join((told, *_trace(error.__traceback__)[-1:]))


def _trace(trace: TracebackType | None) -> list[str]:
    """Give the innermost frames as `file:line function`, outermost first; no source, no values."""
    frames = list(traceback.walk_tb(trace))[-FRAMES_MAX:]
    return [f"{_short_path(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in frames]


def _short_path(name: str) -> str:
    """Shorten a source file's path to what tells it: inside the project, or inside its library."""
    path = Path(name)
    if "site-packages" in path.parts:
        return "/".join(path.parts[path.parts.index("site-packages") + 1 :])
    return path.relative_to(PROJECT_DIR).as_posix() if path.is_relative_to(PROJECT_DIR) else path.name


def _line(text: str) -> str:
    return shortened(without_secrets(text))
