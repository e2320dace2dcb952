"""Draw the widget's pictures from `bots/widget/logo.svg`: `.venv/bin/python -m scripts.draw_widget_images [FOLDER]`.

Needs Chromium. The pictures are committed: run this after a change of the logo or of a text, look at them, and commit.
Given a folder, it draws there.
"""

import html
import json
import shutil
import string
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from bots.widget import LOCALES

WIDGET: Final = Path(__file__).parent.parent / "bots" / "widget"
IMAGES: Final = WIDGET / "files" / "images"
TOUR_SIZE: Final = (1188, 616)
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")

# By file: size in pixels, height of the mark, and size of the name beside (row) or below (column) it, 0 for none.
LOGOS: Final[dict[str, tuple[tuple[int, int], int, int, str]]] = {
    "logo_main.png": ((400, 272), 128, 40, "column"),
    "logo.png": ((130, 100), 76, 0, "row"),
    "logo_small.png": ((108, 108), 92, 0, "row"),
    "logo_medium.png": ((240, 84), 54, 20, "row"),
    "logo_min.png": ((84, 84), 72, 0, "row"),
    "logo_dp.png": ((174, 109), 62, 20, "column"),
}

LOGO_PAGE: Final = string.Template("""<!doctype html><meta charset="utf-8"><style>
body { margin: 0; width: ${width}px; height: ${height}px; background: #fff; display: flex; flex-direction: $direction;
  align-items: center; justify-content: center; gap: ${gap}px; font: 700 ${letters}px "DejaVu Sans", sans-serif;
  color: #16244f; letter-spacing: -0.03em; }
svg { width: ${mark}px; height: ${mark}px; flex: none; }
</style>$logo$name""")

TOUR_PAGE: Final = string.Template("""<!doctype html><meta charset="utf-8"><style>
body { margin: 0; width: 1188px; height: 616px; background: #eef2ff; font: 22px/1.4 "DejaVu Sans", sans-serif;
  color: #16244f; display: grid; grid-template-columns: 470px 1fr; gap: 64px; padding: 0 64px; box-sizing: border-box;
  align-items: center; }
.name { display: flex; align-items: center; gap: 18px; font-weight: 700; font-size: 30px; letter-spacing: -0.03em; }
.name svg { width: 72px; height: 72px; }
h1 { font-size: 34px; line-height: 1.25; margin: 34px 0 20px; }
p { margin: 0; color: #4a5578; }
.bubble { border-radius: 20px; padding: 16px 22px; max-width: 400px; width: fit-content; box-sizing: border-box; }
.customer { background: #fff; border-bottom-left-radius: 4px; }
.bot { background: #2f5bea; color: #fff; border-bottom-right-radius: 4px; margin: 18px 0 36px auto; }
.step { background: #fff; border-radius: 16px; box-shadow: 0 6px 24px rgb(22 36 79 / 12%); overflow: hidden; }
.step b { display: block; padding: 14px 22px; border-bottom: 1px solid #dfe5f8; font-size: 20px; }
.step div { display: flex; justify-content: space-between; align-items: center; padding: 9px 22px; font-size: 18px; }
.step div:last-child { padding-bottom: 18px; }
.step i { width: 14px; height: 14px; box-sizing: border-box; border: 3px solid #2f5bea; border-radius: 50%; }
</style>
<section><div class="name">$logo<span>$name</span></div><h1>$short</h1><p>$tour</p></section>
<section><div class="bubble customer">$customer</div><div class="bubble bot">$bot</div>
<div class="step"><b>$step</b><div>$success<i></i></div><div>$handoff<i></i></div><div>$silent<i></i></div>
<div>$fail<i></i></div></div></section>""")


def main(folder: Path) -> int:
    """Draw all pictures into a folder; give an exit code."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        sys.stderr.write("Chromium is not installed (make system).\n")
        return 1
    logo = (WIDGET / "logo.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        # no subpixel colours: the pictures shall look the same on every screen
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-lcd-text"])
        page = chromium.new_page()
        for name, (size, mark, letters, direction) in LOGOS.items():
            _shoot(page, _logo_page(logo, size, mark=mark, letters=letters, direction=direction), size, folder / name)
        for locale in LOCALES["amocrm"]:
            _shoot(page, _tour_page(logo, locale), TOUR_SIZE, folder / f"tour_{locale}.png")
        chromium.close()
    return 0


def _shoot(page: Page, source: str, size: tuple[int, int], file: Path) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.set_content(source)
    content = page.screenshot(path=file)
    sys.stdout.write(f"{file.name}: {len(content) // 1024 + 1} KB\n")


def _logo_page(logo: str, size: tuple[int, int], *, mark: int, letters: int, direction: str) -> str:
    return LOGO_PAGE.substitute(
        logo=logo,
        name="<span>KommoBridge</span>" if letters else "",
        width=size[0],
        height=size[1],
        mark=mark,
        letters=letters,
        direction=direction,
        gap=letters // 2 if letters else 0,
    )


def _tour_page(logo: str, locale: str) -> str:
    texts = json.loads((WIDGET / "files" / "i18n" / f"{locale}.json").read_text(encoding="utf-8"))
    salesbot = {key: texts["salesbot"][key] for key in ("success", "handoff", "silent", "fail")}
    told = {
        "name": texts["widget"]["name"],
        "short": texts["widget"]["short_description"],
        "tour": texts["widget"]["tour_description"],
        "step": texts["salesbot"]["handler_name"],
        **texts["tour"],
        **salesbot,
    }
    return TOUR_PAGE.substitute({key: html.escape(text) for key, text in told.items()}, logo=logo)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES))
