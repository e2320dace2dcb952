"""The rules on a widget's script.js, read as text: nothing of it is run.

Source: protocol §4.1, §4.4, §4.6.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from bots.widget.breaches import Breach, breach, listed, warning
from bots.widget.facts import SCRIPT_MAX_BYTES

NAME: Final = "script.js"

# Every loop below is possessive or bounded, so that a hostile script costs no more than its length.
COMMENT: Final = r"//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
TEMPLATE: Final = r"`(?:[^`\\$]|\\.|\$(?!\{)|\$\{(?:[^`{}]|`[^`]*+`|\{[^{}]*+\})*+\}|\$\{)*+`?"
STRING: Final = r""""(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|""" + TEMPLATE
PATTERN: Final = (
    r"(?:(?<=[(,=:\[!&|?{};+<>~^])[ \t]{0,9}|\breturn[ \t]{1,9})/(?![*/])"
    r"(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.){0,60}+\]){1,300}+/[a-z]*+"
)
COMMENTS_FIRST: Final = re.compile(f"(?P<comment>{COMMENT})|(?P<kept>{STRING}|{PATTERN})", re.DOTALL)
NOT_CODE: Final = re.compile(f"{COMMENT}|{STRING}|{PATTERN}", re.DOTALL)

IDENTIFIER: Final = re.compile(r"(?<![\w$.#])[A-Za-z_$][\w$]*+")
CALL: Final = re.compile(r"(?<![\w$.#])([A-Za-z_$][\w$]*+)\s{0,9}+\((?![^()]{0,200}+\)\s{0,9}+\{)")
AMD: Final = re.compile(r"(?<![\w$.#])define\s*+\(")

KEYWORDS: Final = (
    "async await break case catch class const continue debugger default delete do else export extends finally for "
    "function if import in instanceof let new of return static super switch this throw try typeof var void while with "
    "yield"
)
# What the browser and Kommo's pages have ready, in lower case.
GLOBALS: Final = (
    "$ jQuery _ twig moment define require requirejs alert atob btoa cancelAnimationFrame cancelIdleCallback "
    "clearInterval clearTimeout confirm console decodeURI decodeURIComponent document encodeURI encodeURIComponent "
    "escape eval fetch getComputedStyle getSelection isFinite isNaN localStorage matchMedia navigator open parseFloat "
    "parseInt prompt queueMicrotask requestAnimationFrame requestIdleCallback scroll scrollBy scrollTo sessionStorage "
    "setInterval setTimeout structuredClone unescape window"
)
# Capitals begin classes, of which browsers have hundreds; two letters are what a minifier leaves.
TELLING_NAME: Final = re.compile(r"[a-z_$][\w$]{2,}")


def script_breaches(content: bytes | None, locations: Collection[object]) -> Iterator[Breach]:
    """Judge script.js: an AMD module with callbacks, and for a Widget step the two that the designer calls."""
    if content is None or not content.strip():
        yield breach(NAME, "must be there and not be empty", "add it at the top of the zip")
        return
    if len(content) > SCRIPT_MAX_BYTES:
        yield breach(NAME, f"must not have more than {SCRIPT_MAX_BYTES // 1024} KB", "minify it")
        return
    try:
        source = content.decode()
    except UnicodeDecodeError:
        yield breach(NAME, "must be written in UTF-8", "save it as UTF-8")
        return
    code, spoken = code_of(source), _without_comments(source)
    yield from _module(code, spoken)
    if "salesbot_designer" in locations:
        yield from _designer(spoken)
    yield from _undefined(code)


def undefined_calls(code: str) -> tuple[str, ...]:
    """List functions that a script calls by their bare name and mentions in no other way.

    Whoever defines, imports, receives or assigns a function writes its name at least once without calling it. So a
    name that appears in calls alone, and is none of the browser's or Kommo's, is defined nowhere. Not looked at:
    code inside of template strings, classes, and names of one or two letters.

    Args:
        code: the script without its comments, strings and patterns: `code_of` gives it.
    """
    calls = {found.start(1): found[1] for found in CALL.finditer(code)}
    elsewhere = {found[0] for found in IDENTIFIER.finditer(code) if found.start() not in calls}
    known = {*elsewhere, *KEYWORDS.split(), *GLOBALS.split()}
    return tuple(dict.fromkeys(name for name in calls.values() if name not in known and TELLING_NAME.match(name)))


def _module(code: str, spoken: str) -> Iterator[Breach]:
    if not AMD.search(code):
        rule = "must be an AMD module, and it has no define(...)"
        yield breach(NAME, rule, "wrap it in define([], function () { return function () { ... }; })")
    if not re.search(r"\bcallbacks\b", spoken):
        rule = "must give the widget its callbacks, and the word doesn't appear"
        yield breach(NAME, rule, "set this.callbacks to an object with render, init and bind_actions")


def _designer(spoken: str) -> Iterator[Breach]:
    if not re.search(r"\bonSalesbotDesignerSave\b", spoken):
        rule = "must have the callback onSalesbotDesignerSave for its Widget step"
        yield warning(NAME, rule, "let it return the step's flow as JSON text")
    if not re.search(r"\bsalesbotDesignerSettings\b", spoken):
        rule = "must have the callback salesbotDesignerSettings, or the designer fails with \"reading 'id'\""
        yield warning(NAME, rule, "let it return {exits: [{code, title}]}")


def _undefined(code: str) -> Iterator[Breach]:
    if unknown := undefined_calls(code):
        rule = f"must define what it calls, unlike {listed(f'{name}()' for name in unknown)}"
        yield warning(NAME, rule, "define it, or the callback that calls it fails")


def code_of(source: str) -> str:
    """Blank out comments, strings and patterns, whose words are no code."""
    return NOT_CODE.sub(" ", source)


def _without_comments(source: str) -> str:
    return COMMENTS_FIRST.sub(lambda found: found["kept"] or " ", source)
