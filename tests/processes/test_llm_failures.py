"""Every failure of a model ends within the bot's deadline in one continue that carries the fallback text.

All failures run at the same time, each as a bot of its own; the tests look at how each ended.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.processes.deployment import DEADLINE_S, FALLBACK, LLM_FAULTS, Deployment
from tests.rig_rows import Row
from tests.stubs.kommo import AskedOf, Call

BOTS = [*LLM_FAULTS, "llm-refused", "keyless"]
WORDS = {
    "llm-500": "server failed",
    "llm-401": "key",
    "llm-429": "slow down",
    "llm-silent": "in time",
    "llm-drip": "in time",
    "llm-empty": "empty",
    "llm-garbage": "form",
    "llm-huge": "large",
    "llm-huge-chunked": "large",
    "llm-bomb": "large",
    "llm-refused": "reached",
    "llm-redirect": "redirect",
    "keyless": "key",
}

pytestmark = pytest.mark.quiet


@dataclass(frozen=True, slots=True)
class Ended:
    """How one failure ended: the request, the row, the continue calls, the model calls."""

    asked: AskedOf
    row: Row
    calls: list[Call]
    attempts: list[Row]


@pytest.fixture(scope="module")
def ends(deployment: Deployment) -> dict[str, Ended]:
    """Run into all failures at once, and give how each ended by the bot's slug."""
    acme, rig = deployment.acme, deployment.rig
    asks: list[dict[str, Any]] = [
        {"text": f"Hello {slug}", "bot": slug, "entity_id": 700 + place} for place, slug in enumerate(BOTS)
    ]
    asked = dict(zip(BOTS, acme.ask_at_once(asks), strict=True))
    rows = dict(zip(BOTS, rig.rows_after(list(asked.values()), seconds=3 * DEADLINE_S), strict=True))
    return {
        slug: Ended(one, rows[slug], acme.kommo.calls_of(one), rig.attempts(one, "llm")) for slug, one in asked.items()
    }


@pytest.mark.parametrize("slug", BOTS)
def test_the_customer_gets_the_fallback_in_one_continue(ends: dict[str, Ended], slug: str) -> None:
    end = ends[slug]

    assert [call.body for call in end.calls] == [{"data": {"status": "fail", "message": FALLBACK, "show": "1"}}]
    assert (end.row["state"], end.row["outcome"]) == ("delivered", "fail")


@pytest.mark.parametrize("slug", BOTS)
def test_the_fallback_comes_within_the_deadline(ends: dict[str, Ended], slug: str) -> None:
    end = ends[slug]

    assert end.calls[0].at - end.asked.sent_at <= DEADLINE_S


@pytest.mark.parametrize("slug", sorted(WORDS))
def test_the_exchange_says_in_plain_words_why(ends: dict[str, Ended], slug: str) -> None:
    reason = ends[slug].row["reason_text"]

    assert WORDS[slug] in reason.lower()
    assert "Traceback" not in reason
    assert "Error" not in reason


@pytest.mark.parametrize("slug", [slug for slug in BOTS if slug != "keyless"])
def test_the_calls_of_the_model_are_kept_with_what_went_wrong(ends: dict[str, Ended], slug: str) -> None:
    attempts = ends[slug].attempts

    assert attempts
    assert all(not attempt["ok"] and attempt["error"] and attempt["error_text"] for attempt in attempts)


@pytest.mark.parametrize("slug", ["llm-401"])
def test_a_refused_key_is_not_tried_again(ends: dict[str, Ended], slug: str) -> None:
    assert len(ends[slug].attempts) == 1


def test_after_a_refused_key_the_next_model_answers(deployment: Deployment) -> None:
    asked = deployment.acme.ask("anybody else?", bot="second-chance", entity_id=690)

    row = deployment.rig.settled(asked)

    assert (row["outcome"], row["reply_text"]) == ("success", "You said: anybody else?")
    assert [bool(attempt["ok"]) for attempt in deployment.rig.attempts(asked, "llm")] == [False, True]


def test_no_more_than_4_mb_of_an_answer_are_read(deployment: Deployment, ends: dict[str, Ended]) -> None:
    read = [attempt["received"] for attempt in ends["llm-huge"].attempts + ends["llm-huge-chunked"].attempts]

    assert all(len(text) < 4_000_000 for text in read)


def test_a_provider_without_a_key_asks_nobody(deployment: Deployment, ends: dict[str, Ended]) -> None:
    assert deployment.honeypot.connections == 0
    assert not [asked for asked in deployment.llm.requests if "Hello keyless" in asked.last_text]
    assert ends["keyless"].row["reason_text"]
