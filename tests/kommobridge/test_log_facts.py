"""What a record tells, and what it doesn't."""

import asyncio
import logging

import pytest
from django.core.exceptions import DisallowedHost
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch
from django.utils.log import log_response

from kommobridge.base.faults import Fault, Faulty
from kommobridge.log_facts import CAUSES_MAX, WITHHELD, facts

SECRET = "planted-secret"


@pytest.fixture
def told(caplog):
    """Give the facts of the one record that was logged, whatever the level of its logger."""
    for name in ("", "django.request", "django.security", "gunicorn.error"):
        caplog.set_level(logging.DEBUG, logger=name)

    def one():
        [record] = caplog.records
        return facts(record)

    return one


def test_the_text_of_our_own_event_stays_constant(told):
    logging.getLogger("bots.x").info("listening on %s", "127.0.0.1:8000")
    assert (told()["event"], told()["args"]) == ("listening on %s", ["127.0.0.1:8000"])


@pytest.mark.parametrize("name", ["time", "level", "logger", "event"])
def test_a_fact_named_like_a_field_of_ours_doesnt_replace_it(told, name):
    logging.getLogger("bots.x").info("taken", extra={name: "mine"})
    assert told()[f"extra_{name}"] == "mine"
    assert told()["event"] == "taken"


def test_a_librarys_constant_text_is_shown(told):
    logging.getLogger("somelib").warning("the pool is full")
    assert told()["event"] == "the pool is full"


def test_a_librarys_text_over_several_lines_of_source_is_shown(told):
    logging.getLogger("somelib").warning(
        "the pool is "
        "full, %d waiting",
        3,
    )  # fmt: skip
    assert told()["event"] == "the pool is full, 3 waiting"


def test_a_librarys_text_that_was_put_together_is_withheld(told):
    secret = SECRET
    logging.getLogger("somelib").warning(f"refused: {secret}")  # noqa: G004
    assert told()["event"] == WITHHELD
    assert told()["where"].startswith("tests/kommobridge/test_log_facts.py:")


def test_numbers_are_filled_into_a_librarys_text_and_nothing_else(told):
    logging.getLogger("somelib").warning("%d of %s waiting for %s", 3, SECRET, {"key": SECRET})
    assert told()["event"] == "3 of … waiting for …"


def test_a_librarys_text_with_named_arguments_is_filled_alike(told):
    logging.getLogger("somelib").warning("%(count)d of %(what)s", {"count": 3, "what": SECRET})
    assert told()["event"] == "3 of …"


def test_arguments_that_dont_fit_leave_the_text_as_it_is():
    record = logging.LogRecord("somelib", logging.ERROR, __file__, 1, "What a record tells, %d", (SECRET,), None)
    record.msg = "What a record tells"  # the first line of this file
    assert facts(record)["event"] == "What a record tells"


def test_a_librarys_extra_facts_are_numbers_only(told):
    logging.getLogger("somelib").warning("done", extra={"took_ms": 3, "url": SECRET, "request": object()})
    assert told()["took_ms"] == 3
    assert "url" not in told()


def test_the_servers_own_addresses_are_spelled_out(told):
    logging.getLogger("gunicorn.error").info("Listening at: %s (%s)", "http://127.0.0.1:8000", 12)
    assert told()["event"] == "Listening at: http://127.0.0.1:8000 (12)"


@pytest.mark.parametrize(
    ("status", "event"), [(404, "request refused"), (401, "request refused"), (500, "request failed")]
)
def test_a_refused_request_is_told_without_its_path(told, status, event):
    request = RequestFactory().post(f"/kommo/{SECRET}/widget-request/?token={SECRET}")
    request.resolver_match = ResolverMatch(print, (), {"key": SECRET}, route="kommo/<str:key>/widget-request/")
    log_response("%s: %s", "Refused", request.path, response=HttpResponse(status=status), request=request)
    assert told()["event"] == event
    assert (told()["status"], told()["method"], told()["route"]) == (status, "POST", "kommo/<str:key>/widget-request/")
    assert SECRET not in str(told())


def test_a_request_without_a_route_is_told_too(told):
    request = RequestFactory().get(f"/{SECRET}")
    log_response("Not Found: %s", request.path, response=HttpResponse(status=404), request=request)
    assert "route" not in told()
    assert SECRET not in str(told())


def test_a_suspicious_request_is_told_by_its_kind(told):
    error = DisallowedHost(f"Invalid HTTP_HOST header: {SECRET!r}.")
    logging.getLogger("django.security.DisallowedHost").error(str(error), exc_info=error, extra={"status_code": 400})
    assert (told()["event"], told()["error"]) == ("request refused", "django.core.exceptions.DisallowedHost")
    assert SECRET not in str(told())


def test_a_librarys_error_is_told_without_its_text(told):
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("bots.x").exception("it failed")
    assert told()["error"] == "ValueError"
    assert told()["trace"][-1].endswith("test_a_librarys_error_is_told_without_its_text")
    assert SECRET not in str(told())


def test_an_error_of_ours_is_told_with_its_text(told):
    logging.getLogger("bots.x").warning("refused", exc_info=Faulty(Fault("origin", "must be an address", "Mend it.")))
    assert told()["error"] == "kommobridge.base.faults.Faulty"
    assert told()["error_text"] == "origin: must be an address. Mend it."


def test_what_led_to_an_error_is_told_by_class_and_place(told):
    try:
        try:
            int(SECRET)
        except ValueError as first:
            raise Faulty(Fault("n", "must be a number")) from first
    except Faulty:
        logging.getLogger("bots.x").exception("it failed")
    [cause] = told()["caused_by"]
    assert cause.startswith("ValueError at tests/kommobridge/test_log_facts.py:")
    assert SECRET not in str(told())


def test_the_members_of_a_group_of_errors_are_told(told):
    logging.getLogger("bots.x").error(
        "some failed", exc_info=ExceptionGroup(SECRET, [KeyError(SECRET), OSError(SECRET)])
    )
    assert told()["caused_by"] == ["KeyError", "OSError"]
    assert SECRET not in str(told())


def test_a_long_row_of_causes_ends(told):
    error: BaseException = ValueError()
    for _ in range(50):
        error, earlier = ValueError(), error
        error.__cause__ = earlier
    logging.getLogger("bots.x").error("it failed", exc_info=error)
    assert len(told()["caused_by"]) == CAUSES_MAX


def test_errors_that_cause_each_other_end(told):
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    logging.getLogger("bots.x").error("it failed", exc_info=first)
    assert told()["caused_by"] == ["KeyError"]


def test_no_error_at_hand_is_no_error_told(told):
    logging.getLogger("bots.x").error("it failed", exc_info=True)  # noqa: LOG014
    assert "error" not in told()


def test_what_asyncio_says_of_a_lost_task_holds_no_value(told, caplog):
    caplog.set_level(logging.WARNING)

    async def lose() -> None:
        context = {"message": "Task exception was never retrieved", "exception": ValueError(SECRET), "future": SECRET}
        asyncio.get_running_loop().default_exception_handler(context)

    asyncio.run(lose())
    assert told()["error"] == "ValueError"
    assert SECRET not in str(told())
