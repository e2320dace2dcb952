"""One line per event, for machines and for people, and no library's chatter."""

import json
import logging
import logging.config
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from kommobridge.logs import SILENT, StderrHandler, floor_of, log_config
from tests.environment import run_environment

Lines = Callable[[], list[str]]
BREAKERS = "a\nb\r\nc\x1b[31md\x85e\u2028f\x00g\ud800h\u202ei"


@pytest.fixture
def configured() -> Iterator[Callable[[str, str], None]]:
    """Give log_config applied for real; what was there before comes back."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield lambda level, fmt: logging.config.dictConfig(log_config(level, fmt))
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Give what was written to stderr, as lines in the strictest sense."""
    return lambda: capsys.readouterr().err.splitlines()  # noqa: PLW0108  read when called, not now


def test_an_event_is_one_json_object_with_its_facts(configured, lines):
    configured("INFO", "json")
    logging.getLogger("bots.engine").info("exchange taken", extra={"exchange_id": 7, "account": "acme"})
    [line] = lines()
    told = json.loads(line)
    assert list(told) == ["time", "level", "logger", "event", "exchange_id", "account"]
    assert (told["level"], told["logger"], told["event"]) == ("INFO", "bots.engine", "exchange taken")
    assert told["time"].endswith("Z")


def test_for_people_the_facts_follow_the_text(configured, lines):
    configured("INFO", "text")
    logging.getLogger("bots.engine").warning("exchange late", extra={"exchange_id": 7, "why": "no worker"})
    [line] = lines()
    assert line.endswith('WARNING bots.engine: exchange late exchange_id=7 why="no worker"')


@pytest.mark.parametrize("fmt", ["json", "text"])
def test_no_value_breaks_the_line(configured, lines, fmt):
    configured("INFO", fmt)
    logging.getLogger("bots.x").info("seen", extra={"value": BREAKERS, BREAKERS: [BREAKERS, {BREAKERS: 1}]})
    [line] = lines()
    assert line.isprintable()


@pytest.mark.parametrize("fmt", ["json", "text"])
def test_not_even_our_own_text_breaks_the_line(configured, lines, fmt):
    configured("INFO", fmt)
    logging.getLogger("bots.x").info(f"seen {BREAKERS}")  # noqa: G004
    [line] = lines()
    assert line.isprintable()


def test_what_json_cant_hold_is_told_by_its_class(configured, lines):
    configured("INFO", "json")
    logging.getLogger("bots.x").info("seen", extra={"thing": object(), "blob": b"123", "bad": float("inf")})
    [line] = lines()
    told = json.loads(line)
    assert (told["thing"], told["blob"], told["bad"]) == ("<object>", "<3 bytes>", "inf")


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_our_own_loggers_follow_the_level(configured, lines, level):
    configured(level, "json")
    for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        logging.getLogger("kommobridge.x").log(logging.getLevelName(name), "at %s", name)
    wanted = [
        name
        for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
        if getattr(logging, name) >= getattr(logging, level)
    ]
    assert [json.loads(line)["level"] for line in lines()] == wanted


@pytest.mark.parametrize(
    "library",
    [
        "openai._base_client", "httpx", "httpcore.http11", "urllib3.connectionpool", "requests", "asyncio",
        "django.db.backends", "django.template", "django-q", "aiohttp.access", "gunicorn.access", "LiteLLM",
        "whatever.else",
    ],
)  # fmt: skip
def test_a_library_tells_nothing_below_warning_even_at_debug(configured, lines, library):
    configured("DEBUG", "json")
    logger = logging.getLogger(library)
    logger.setLevel(logging.DEBUG)  # some libraries do so on their own
    logger.debug("secret")
    logger.info("secret")
    assert lines() == []


@pytest.mark.parametrize("name", ["LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "litellm.llms", "gunicorn.access"])
def test_what_prints_texts_in_errors_is_silent(name):
    assert floor_of(name) == SILENT


@pytest.mark.parametrize("name", ["django.request", "django.security.csrf", "django-q", "gunicorn.error", "asyncio"])
def test_errors_of_libraries_reach_our_lines(configured, lines, name):
    configured("INFO", "json")
    logging.getLogger(name).error("something broke")
    [line] = lines()
    assert json.loads(line)["logger"] == name


def test_a_refused_request_isnt_told_a_second_time_by_django(configured, lines):
    configured("DEBUG", "json")
    logging.getLogger("django.request").warning("Unauthorized: %s", "/")
    assert lines() == []


def test_a_quieter_level_holds_libraries_too(configured, lines):
    configured("CRITICAL", "json")
    logging.getLogger("gunicorn.error").error("something broke")
    logging.getLogger("somebody.else").error("something broke")
    assert lines() == []


def test_the_trace_of_an_error_has_places_and_no_values(configured, lines):
    configured("INFO", "text")
    try:
        _fail("planted-secret")
    except ValueError:
        logging.getLogger("bots.x").exception("it failed")
    first, *frames = lines()
    assert "error=ValueError" in first
    assert frames[-1].startswith("    tests/kommobridge/test_logs.py:")
    assert "planted-secret" not in "".join([first, *frames])


def _fail(secret: str) -> None:
    raise ValueError(secret)


def test_a_record_that_cant_be_written_is_told_without_its_values(configured, lines):
    configured("INFO", "json")
    handler = next(handler for handler in logging.getLogger().handlers if isinstance(handler, StderrHandler))
    handler.setFormatter(_Broken())
    logging.getLogger("bots.x").info("seen", extra={"value": "planted-secret"})
    [line] = lines()
    assert json.loads(line)["event"] == "a log line was lost"
    assert "planted-secret" not in line


class _Broken(logging.Formatter):
    def format(self, record):
        raise RuntimeError(vars(record))


def test_a_closed_stderr_ends_nothing(configured, monkeypatch):
    configured("INFO", "json")
    with open("/dev/null", "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stderr", closed)
    logging.getLogger("bots.x").info("nobody reads this")


LITELLM = """
import logging, logging.config
from kommobridge.base.environment import prepare_for_litellm
from kommobridge.logs import log_config
logging.config.dictConfig(log_config("DEBUG", "json"))
prepare_for_litellm()
import litellm
from litellm._logging import verbose_logger
verbose_logger.error("planted-secret")
for level in (10, 20, 30, 40):
    logging.getLogger("LiteLLM Router").log(level, "planted-secret %s", "planted-secret")
try:
    litellm.completion(model="openai/x", messages=[{"role": "user", "content": "planted-secret"}],
        api_key="planted-secret", api_base="http://127.0.0.1:1/v1", max_retries=0, timeout=2)
except Exception as error:
    logging.getLogger("llm.client").warning("the call failed", exc_info=error)
"""


@pytest.mark.processes
def test_litellm_prints_no_key_and_no_text_even_at_debug():
    environment = run_environment(LITELLM_LOG="DEBUG", OPENAI_LOG="debug")
    done = subprocess.run(
        [sys.executable, "-c", LITELLM], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert "planted-secret" not in done.stdout + done.stderr
    assert '"event": "the call failed"' in done.stderr
