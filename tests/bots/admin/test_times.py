"""Times in an account's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bots.admin.times import cell, clock, short_name, shown
from tests.cast import NOON

MADRID, SAO_PAULO, TOKYO = ZoneInfo("Europe/Madrid"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        (MADRID, "24 Nov 2026, 13:00 CET"),
        (SAO_PAULO, "24 Nov 2026, 09:00 UTC-03"),
        (TOKYO, "24 Nov 2026, 21:00 JST"),
        (ZoneInfo("UTC"), "24 Nov 2026, 12:00 UTC"),
    ],
    ids=str,
)
def test_a_time_is_shown_with_the_name_of_its_zone(zone: ZoneInfo, text: str):
    assert shown(NOON, zone) == text


def test_summer_has_its_own_name():
    assert short_name(MADRID, datetime(2026, 7, 1, tzinfo=ZoneInfo("UTC"))) == "CEST"


def test_no_time_is_nothing():
    assert shown(None, MADRID) == ""
    assert cell(None, MADRID) == "–"


def test_a_cell_holds_the_whole_time_on_hover():
    assert 'title="24 Nov 2026, 13:00:00 CET (Europe/Madrid)"' in cell(NOON, MADRID)


def test_a_clock_shows_seconds():
    assert clock(NOON.replace(second=7), TOKYO) == "21:00:07"
