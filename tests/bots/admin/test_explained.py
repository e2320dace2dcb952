"""Every code that the program writes has words."""

import ast
from pathlib import Path

import pytest

import bots
from bots.admin.explained import OUTCOMES, REASONS, STATES, outcome_words, reason_words
from bots.states import Outcome, State

PROGRAM = sorted(Path(bots.__file__).parent.glob("*.py"))
NAMES = ("reason", "why")


def codes_of(path: Path) -> set[str]:
    """Give the literal codes that a file passes as `reason` or `why`, or as the first word of a draft."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg in NAMES and isinstance(node.value, ast.Constant):
            found.add(node.value.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DRAFTS:
            found |= {a.value for a in node.args[: DRAFTS[node.func.id]] if isinstance(a, ast.Constant)}
    return {code for code in found if isinstance(code, str) and code}


# functions of the program that take a code by position, and up to which position
DRAFTS = {"silent": 1, "fallback": 2, "_again": 2, "_rejected": 1}


def test_the_search_for_codes_finds_them():
    found = set().union(*map(codes_of, PROGRAM))
    assert {"account_off", "no_bot", "no_reply", "gone", "unreachable", "stop"} <= found


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: path.stem)
def test_every_code_of_the_program_has_words(path: Path):
    assert codes_of(path) - set(REASONS) == set()


def test_every_state_and_outcome_has_words():
    assert set(STATES) == set(State)
    assert set(OUTCOMES) == set(Outcome)


def test_no_reply_has_no_outcome():
    assert outcome_words("") is None


def test_a_code_without_words_is_shown_as_it_is():
    assert reason_words("http_418") == "http_418"
