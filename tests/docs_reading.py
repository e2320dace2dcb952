"""Reading the pages of the documentation: their sections, tables, examples, links and citations."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kommobridge.base.environment import PROJECT_DIR

HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CITED = re.compile(r"protocol §([0-9.]*[0-9])((?:(?:,| and| to) §[0-9.]*[0-9])*)")


def name_of(path: Path) -> str:
    """Give a page's path inside the project."""
    return str(path.relative_to(PROJECT_DIR))


def rows_of(page: Path, *, heading: str = "") -> list[list[str]]:
    """Give the cells of the first table under a heading, without its head."""
    lines = section(page, heading).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    table: list[list[str]] = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return table[2:]


def section(page: Path, heading: str) -> str:
    """Give what follows a heading, to the end of the page; the whole page without one."""
    text = page.read_text()
    if not heading:
        return text
    found = re.search(rf"^#+ {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"{name_of(page)} has no heading {heading}"
    return text[found.end() :]


def json_under(page: Path, *, heading: str) -> Any:
    """Give the first JSON example under a heading."""
    return json.loads(next(body for language, body in FENCED.findall(section(page, heading)) if language == "json"))


def relative_links(page: Path) -> list[str]:
    """Give the links of a page that lead to other files or headings."""
    without_code = re.sub(r"`[^`\n]+`", "", FENCED.sub("", page.read_text()))
    return [link for link in LINK.findall(without_code) if "://" not in link]


def leads_somewhere(page: Path, link: str) -> bool:
    """Say whether a relative link leads to a file, and to a heading in it."""
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    return target.is_file() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """Give the anchors that GitHub makes of a page's headings."""
    texts = [text.replace("`", "").lower() for text in HEADING.findall(FENCED.sub("", page.read_text()))]
    return {re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in texts}


def sections_cited(text: str) -> Iterator[str]:
    """Give the sections of the protocol that a text cites."""
    for first, others in CITED.findall(text):
        yield from (first, *re.findall(r"[0-9][0-9.]*", others))
