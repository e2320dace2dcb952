"""The pictures that are committed, and the script that draws them."""

import struct
import subprocess
import sys

import pytest

from bots.widget.facts import IMAGE_MAX_BYTES, LOCALES, LOGOS, PIPELINE_LOGO, PIPELINE_LOGO_SIZE
from bots.widget.packing import FILES
from kommobridge.base.environment import PROJECT_DIR

TOUR_SIZE = (1188, 616)
SIZES = LOGOS | {PIPELINE_LOGO: PIPELINE_LOGO_SIZE}
SIZES |= {f"images/tour_{locale}.png": TOUR_SIZE for locale in LOCALES["amocrm"]}


@pytest.mark.parametrize(("name", "size"), SIZES.items(), ids=SIZES)
def test_a_picture_has_its_exact_size_and_isnt_heavy(name, size):
    content = (FILES / name).read_bytes()
    assert struct.unpack(">II", content[16:24]) == size
    assert len(content) <= IMAGE_MAX_BYTES


def test_the_folder_holds_these_pictures_and_no_others():
    assert {f"images/{path.name}" for path in (FILES / "images").iterdir()} == set(SIZES)


@pytest.mark.browser
def test_the_script_draws_them_all(tmp_path):
    command = [sys.executable, "-m", "scripts.draw_widget_images", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, check=True, timeout=120)
    drawn = {path.name: struct.unpack(">II", path.read_bytes()[16:24]) for path in tmp_path.iterdir()}
    assert {f"images/{name}": size for name, size in drawn.items()} == SIZES
