"""The tests' own tools do what they say."""

import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection
from playwright.sync_api import Browser, Page

from tests.browsing import a_page
from tests.conftest import do_without
from tests.waiting import wait_until

BROKEN_PAGES = [
    pytest.param("<script>console.error('planted')</script>", "planted", id="an error is written"),
    pytest.param("<script>throw new Error('planted')</script>", "planted", id="a script throws"),
    pytest.param(
        "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\"><script>1</script>",
        "Content Security Policy",
        id="a policy refuses a script",
    ),
]


def test_waiting_ends_with_the_first_true_answer():
    answers = iter([0, None, "", "here"])
    assert wait_until(lambda: next(answers), within_seconds=5, every_seconds=0) == "here"


def test_waiting_in_vain_tells_the_last_answer():
    with pytest.raises(AssertionError, match=r"not within 0.01 s: the last answer was 0"):
        wait_until(lambda: 0, within_seconds=0.01)


def test_waiting_for_an_assertion_tells_its_complaint():
    def complain() -> bool:
        raise AssertionError("two rows too many")

    with pytest.raises(AssertionError, match="two rows too many"):
        wait_until(complain, within_seconds=0.01)


def test_waiting_asks_once_more_rather_than_too_seldom():
    start = time.monotonic()
    wait_until(lambda: time.monotonic() - start > 0.05, within_seconds=5)
    assert time.monotonic() - start < 5


def test_what_is_missing_fails_under_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing may be left out"):
        do_without("a piano")


def test_what_is_missing_is_skipped_by_name_elsewhere(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="a piano"):
        do_without("a piano")


@pytest.mark.postgres
def test_each_fresh_database_is_empty_and_its_own(postgres: Callable[[str], str]):
    first, second = postgres("same"), postgres("same")
    assert first != second
    with psycopg.connect(first, autocommit=True) as here, psycopg.connect(second) as there:
        here.execute("CREATE TABLE planted ()")
        assert there.execute("SELECT to_regclass('planted')").fetchone() == (None,)


@pytest.mark.django_db
def test_the_database_of_the_run_is_a_file_or_a_server_of_its_own():
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        assert name.endswith("test.sqlite3")
        assert "kommobridge-tests-" in name
    else:
        assert name.startswith("test_kommobridge_")


@pytest.mark.browser
def test_a_clean_page_passes(page: Page):
    page.set_content("<p>here</p><script>console.log('fine')</script>")
    assert page.inner_text("p") == "here"


@pytest.mark.browser
@pytest.mark.parametrize(("html", "complaint"), BROKEN_PAGES)
def test_a_page_that_complains_fails_its_test(browser: Browser, html, complaint):
    with pytest.raises(AssertionError, match=complaint), a_page(browser) as page:
        page.set_content(html)
