"""A page in a browser whose console must stay clean."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


@contextmanager
def a_page(browser: Browser, *, viewport: ViewportSize = DESKTOP) -> Iterator[Page]:
    """Give a page in a context of its own (no cookies of others), which ends with the block.

    Raises:
        AssertionError: at the end, when an error was written to the console or a script threw one. A file that isn't
            there and what a content security policy refuses are such errors too.
    """
    context = browser.new_context(viewport=viewport)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    try:
        yield page
    finally:
        context.close()
    if complaints:
        raise AssertionError("\n".join(["the browser's console complained:", *complaints]))


def _complaint(message: ConsoleMessage) -> list[str]:
    return [f"{message.text} ({message.location.get('url', '')})"] if message.type == "error" else []
