"""Static files that nobody collected are told once, and in words that help."""

import logging

import pytest
from django.test import override_settings

from kommobridge.static_files import warn_if_not_collected


@override_settings(STATIC_COLLECTED=False)
def test_files_that_arent_collected_are_told_in_one_line(caplog: pytest.LogCaptureFixture):
    assert warn_if_not_collected()
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "static files are not collected: run make setup; pages work, slower"


@override_settings(STATIC_COLLECTED=True)
def test_collected_files_are_not_worth_a_line(caplog: pytest.LogCaptureFixture):
    assert not warn_if_not_collected()
    assert not caplog.records
