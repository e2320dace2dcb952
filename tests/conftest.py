"""What every test may ask for: a PostgreSQL, either database, a browser.

The database of the run is a file on SQLite too. pytest-django would keep it in memory, where threads share one
connection's locks and a second process sees nothing; a file behaves like the real one, WAL and all. A plain
`django_db` test holds the write lock for as long as it runs: what other threads or processes shall see or write
needs `django_db(transaction=True)`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests import postgres as private_postgres
from tests.browsing import a_page
from tests.environment import postgres_url

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Take static files from their source: an older collection of the checkout must not decide over a test."""
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    if in_ci():  # the gate judges a change by the same examples each time; new ones are looked for everywhere else
        hypothesis.settings.register_profile("gate", derandomize=True)
        hypothesis.settings.load_profile("gate")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Close a test's page before the servers that it asks: fixtures end in the reverse order of their making."""
    page = getattr(item, "funcargs", {}).get("page")
    if isinstance(page, Page):
        page.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Put SQLite's test database into a file; each worker of pytest-xdist has a `DATA_DIR` of its own."""
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = str(Path(settings.DATA_DIR) / "test.sqlite3")


@pytest.fixture(scope="session")
def postgres() -> Callable[[str], str]:
    """Give a function that makes a fresh PostgreSQL database, named like its argument, and returns its address."""
    if not private_postgres.is_there():
        do_without("PostgreSQL is not installed (make system)")
    return postgres_url


@pytest.fixture(params=["on SQLite", pytest.param("on PostgreSQL", marks=pytest.mark.postgres)])
def any_database_url(request: pytest.FixtureRequest) -> str:
    """Give a DATABASE_URL for a process test, which then runs on both: nothing for SQLite in `DATA_DIR`."""
    if request.param == "on SQLite":
        return ""
    make: Callable[[str], str] = request.getfixturevalue("postgres")
    return make("process")


def scope_of_browser(fixture_name: str, config: pytest.Config) -> str:
    """Say how long a browser lives: Playwright keeps a loop running in this thread, so no other test could use asyncio.

    A run of the browser's tests alone (`-m browser…`) shares one; else each test starts one, which takes 0.6 s.
    """
    return "session" if str(config.getoption("markexpr")).startswith("browser") else "function"


@pytest.fixture(scope=scope_of_browser)  # type: ignore[arg-type]  # a name is as good as pytest's own Literal
def browser() -> Iterator[Browser]:
    """Give a headless Chromium of this machine."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        do_without("Chromium is not installed (make system)")
    # Chromium's sandbox refuses root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Django refuses the database in a thread with a running loop, and Playwright's never awaits anything of ours.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=program, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a fresh page in a context of its own; an error on its console fails the test."""
    with a_page(browser) as fresh:
        yield fresh


def in_ci() -> bool:
    """Say whether this is the gate."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def do_without(what: str) -> NoReturn:
    """Skip a test for want of something on this machine; with CI=true that is a failure."""
    if in_ci():
        pytest.fail(f"{what}, and with CI=true nothing may be left out")
    pytest.skip(what)
