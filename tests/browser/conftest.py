"""The site that the widget's tests share, and an account of it whose Salesbot is built once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.widget_site import WidgetSite, a_widget_site, build_salesbot


@pytest.fixture(scope="session")
def site() -> Iterator[WidgetSite]:
    with a_widget_site() as running:
        yield running


@pytest.fixture
def usual(page: Page, site: WidgetSite) -> str:
    """Give the name of an account that runs our step; the first test that asks for it builds the Salesbot."""
    if not site.built:
        build_salesbot(page, f"{site.sandbox.url}/designer/usual", site.zip_of("usual"))
        site.built = True
    return "usual"
