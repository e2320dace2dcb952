"""gunicorn's log comes out as ours."""

import json
import logging

import pytest
from gunicorn.config import Config

from kommobridge.log_facts import WITHHELD, facts
from kommobridge.web_logs import WebLogger


@pytest.fixture
def web(caplog):
    """Give gunicorn's logger, as gunicorn makes it."""
    caplog.set_level(logging.DEBUG, logger="gunicorn.error")
    return WebLogger(Config())


@pytest.mark.parametrize("level", ["critical", "error", "warning", "info", "debug"])
def test_a_text_is_found_in_its_callers_source(web, caplog, level):
    getattr(web, level)("Booting worker with pid: %s", 12)  # "Booting worker with pid: %s"
    assert facts(caplog.records[0])["event"] == "Booting worker with pid: 12"


def test_a_level_by_name_works_too(web, caplog):
    web.log("warning", "one two")
    assert (caplog.records[0].levelname, facts(caplog.records[0])["event"]) == ("WARNING", "one two")


def test_a_request_that_failed_is_told_without_its_address(web, caplog):
    try:
        int("planted-secret")
    except ValueError:
        web.exception("Error handling request %s", "/kommo/planted-secret/widget-request/")
    told = facts(caplog.records[0])
    assert told["event"] == "Error handling request …"
    assert "planted-secret" not in json.dumps(told)


def test_a_request_that_cant_be_read_is_told_without_what_it_said(web, caplog):
    web.warning("Invalid request from ip={ip}: {error}".format(ip="192.0.2.1", error="'planted-secret'"))
    assert facts(caplog.records[0])["event"] == WITHHELD


def test_gunicorn_opens_no_stream_and_writes_no_line_per_request(web):
    assert (web.error_log.handlers, web.access_log.handlers) == ([], [])
    assert web.error_log.propagate
    assert not web.access_log_enabled
