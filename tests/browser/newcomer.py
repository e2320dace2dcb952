"""Somebody who sets a deployment up in a browser, with every click counted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

SHOTS = "JOURNEY_SHOTS"  # a folder: then every step is photographed
ANSWERED_MS = 30_000


@dataclass(slots=True)
class Hand:
    """A hand on the mouse.

    Args:
        clicks: clicks, choices from lists, submits by a key, and what a file dialog takes. Typing is none.
        is_counting: a detour isn't counted.
    """

    clicks: int = 0
    is_counting: bool = True

    def click(self, where: Locator) -> None:
        """Click on something."""
        self._count(1)
        where.click()

    def select(self, box: Locator, label: str) -> None:
        """Choose from a list."""
        self._count(1)
        box.select_option(label=label)

    def submit(self, box: Locator) -> None:
        """Press Enter."""
        self._count(1)
        box.press("Enter")

    def choose(self, box: Locator, file: Path) -> None:
        """Open a file dialog and choose in it."""
        self._count(2)
        box.set_input_files(file)

    def copy(self, page: Page, name: str) -> str:
        """Copy a value from the stand-in's card of keys."""
        self.click(page.get_by_role("button", name=f"Copy {name}"))
        return str(page.evaluate("getSelection().toString()"))

    def download(self, button: Locator, folder: Path) -> Path:
        """Press a button that hands out a file."""
        with button.page.expect_download() as coming:
            self.click(button)
        done: Download = coming.value
        path = folder / done.suggested_filename
        done.save_as(path)
        return path

    @contextmanager
    def detour(self) -> Iterator[None]:
        """Do something that the shortest way doesn't take."""
        self.is_counting = False
        try:
            yield
        finally:
            self.is_counting = True

    def _count(self, amount: int) -> None:
        self.clicks += amount * self.is_counting


@dataclass(slots=True)
class Newcomer:
    """Two pages, the bridge's admin and Kommo, and nothing to go by but what they show."""

    admin: Page
    kommo: Page
    hand: Hand
    folder: Path
    shots: int = 0

    def step(self, code: str) -> Locator:
        """Give the step that the guide has unfolded as the one to take, which must be this one."""
        now = self.admin.locator("[aria-current=step]")
        expect(now).to_have_attribute("id", f"step-{code}")
        expect(now.locator("details").first).to_have_attribute("open", "")
        self.shoot(f"guide-{code}", self.admin)
        return now

    def shoot(self, name: str, page: Page) -> None:
        """Photograph a page, when somebody wants to look."""
        if folder := os.environ.get(SHOTS):
            self.shots += 1
            width = page.viewport_size["width"] if page.viewport_size else 0
            where = Path(folder) / f"{width}-{self.shots:02}-{name}.png"
            page.screenshot(path=where, full_page=True)

    def save(self) -> None:
        """Send a form of the admin, which leads back to the guide at once."""
        self.hand.click(self.admin.get_by_role("button", name="Save", exact=True))
        expect(self.admin.get_by_role("heading", name="Setup guide", exact=True)).to_be_visible()

    def tick(self, code: str) -> None:
        """Say that a step in Kommo is done."""
        self.hand.click(self.step(code).get_by_role("button", name="I have done this"))
        expect(self.admin.locator(f"#step-{code}")).to_contain_text("Ticked by hand")

    def write(self, text: str) -> None:
        """Write as a customer."""
        box = self.kommo.get_by_label("Write as")
        box.fill(text)
        self.hand.submit(box)
