"""Every answer of Kommo to a continue call ends in the right state, and nothing is sent twice that may have arrived.

All answers run at the same time, each as a conversation of its own; the tests look at how each ended. What would go on
until the end deadline gets a nearer one, in the database, once its first call has been made.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.processes.deployment import LONG_REPLY, LONG_WORDS, Deployment
from tests.rig_rows import Row
from tests.stubs.kommo import AskedOf, Call
from tests.stubs.kommo_answers import FAULTS
from tests.waiting import wait_until

# fault -> state, calls (None: several), whether the Salesbot went on
TABLE: dict[str, tuple[str, int | None, bool]] = {
    "": ("delivered", 1, True),
    "200": ("delivered", 1, True),
    "204": ("delivered", 1, True),
    "huge": ("delivered", 1, True),
    "307": ("rejected", 1, False),
    "400": ("rejected", 1, False),
    "400-echo": ("rejected", 1, False),
    "401": ("rejected", 1, False),
    "403": ("rejected", 1, False),
    "403html": ("failed", None, False),
    "403html-once": ("delivered", 2, True),
    "404": ("gone", 1, False),
    "429": ("failed", None, False),
    "429-once": ("delivered", 2, True),
    "429-soon": ("delivered", 2, True),
    "429-later": ("delivered", 2, True),
    "500": ("unknown", 2, False),
    "500-once": ("delivered", 2, True),
    "500-taken": ("unknown", 2, True),
    "drop-before": ("delivered", 2, True),
    "drop-always": ("unknown", 2, False),
    "drop-after": ("unknown", 2, True),
    "reset-before": ("delivered", 2, True),
    "toolong": ("delivered", 2, True),
    "toolong-always": ("rejected", 2, False),
}
UNTIL_THE_END = [fault for fault, (_, calls, _) in TABLE.items() if calls is None]
ONES = [fault for fault, (_, calls, _) in TABLE.items() if calls == 1]
TWOS = [fault for fault, (_, calls, _) in TABLE.items() if calls == 2]
IDS = [fault or "202" for fault in TABLE]


@dataclass(frozen=True, slots=True)
class Ended:
    """How one answer ended: the request, the row, the calls as Kommo saw them, the calls as we kept them."""

    asked: AskedOf
    row: Row
    calls: list[Call]
    attempts: list[Row]


@pytest.fixture(scope="module")
def ends(deployment: Deployment) -> dict[str, Ended]:
    """Meet every answer at once, and give how each ended by the fault's name."""
    acme, rig = deployment.acme, deployment.rig
    asks: list[dict[str, Any]] = [
        {"text": LONG_WORDS, "fault": fault, "entity_id": 800 + place} for place, fault in enumerate(TABLE)
    ]
    asked = dict(zip(TABLE, acme.ask_at_once(asks), strict=True))
    for fault in UNTIL_THE_END:
        wait_until(partial(acme.kommo.calls_of, asked[fault]))
        rig.move_end(asked[fault], in_seconds=6)
    rows = dict(zip(TABLE, rig.rows_after(list(asked.values()), seconds=30), strict=True))
    return {
        fault: Ended(one, rows[fault], acme.kommo.calls_of(one), rig.attempts(one, "continue"))
        for fault, one in asked.items()
    }


def test_every_fault_of_the_stub_is_in_the_table() -> None:
    assert set(TABLE) - {""} == {name for name in FAULTS if not name.startswith("held")}


@pytest.mark.parametrize("fault", TABLE, ids=IDS)
def test_the_exchange_ends_in_the_right_state(ends: dict[str, Ended], fault: str) -> None:
    assert ends[fault].row["state"] == TABLE[fault][0]


@pytest.mark.parametrize("fault", TABLE, ids=IDS)
def test_the_salesbot_goes_on_only_where_kommo_took_the_call(
    deployment: Deployment, ends: dict[str, Ended], fault: str
) -> None:
    assert (ends[fault].asked.continue_id in deployment.acme.kommo.accepted) == TABLE[fault][2]


@pytest.mark.parametrize("fault", ONES, ids=[fault or "202" for fault in ONES])
def test_what_is_settled_by_its_first_answer_is_sent_once(ends: dict[str, Ended], fault: str) -> None:
    assert len(ends[fault].calls) == 1


@pytest.mark.parametrize("fault", TWOS)
def test_what_may_help_by_repetition_is_sent_twice_and_no_more(ends: dict[str, Ended], fault: str) -> None:
    assert len(ends[fault].calls) == 2


@pytest.mark.parametrize("fault", [fault for fault in TWOS if not fault.startswith("toolong")])
def test_a_repetition_carries_the_same_body(ends: dict[str, Ended], fault: str) -> None:
    first, second = (call.body for call in ends[fault].calls)

    assert first == second


@pytest.mark.parametrize("fault", UNTIL_THE_END)
def test_what_did_not_arrive_is_sent_again_until_the_end(ends: dict[str, Ended], fault: str) -> None:
    assert len(ends[fault].calls) >= 3


def test_a_retry_waits_for_as_long_as_kommo_asks(ends: dict[str, Ended]) -> None:
    first, second = (call.at for call in ends["429-later"].calls)

    assert second - first >= 4


def test_a_reply_that_is_too_long_is_sent_again_shorter(ends: dict[str, Ended]) -> None:
    first, second = (call.message for call in ends["toolong"].calls)

    assert first == LONG_REPLY
    assert len(second) <= len(first) / 2
    assert first.startswith(second.rstrip("…").rstrip())
    assert ends["toolong"].row["was_cut"]


def test_a_redirect_is_not_followed(deployment: Deployment, ends: dict[str, Ended]) -> None:
    assert ends["307"].row["state"] == "rejected"
    assert deployment.elsewhere.calls == []


@pytest.mark.parametrize("fault", [fault for fault, (state, _, _) in TABLE.items() if state != "delivered"])
def test_an_exchange_that_was_not_delivered_says_why(ends: dict[str, Ended], fault: str) -> None:
    row = ends[fault].row

    assert row["reason"]
    assert len(row["reason_text"].split()) >= 4


@pytest.mark.parametrize("fault", TABLE, ids=IDS)
def test_every_call_is_kept_as_an_attempt(ends: dict[str, Ended], fault: str) -> None:
    end = ends[fault]

    kept = [attempt["http_status"] or 0 for attempt in end.attempts]
    seen = [0 if call.status == 0 else call.status for call in end.calls]
    assert kept == seen


def test_the_account_shows_that_kommo_refuses_its_token(deployment: Deployment, ends: dict[str, Ended]) -> None:
    asked = deployment.acme.ask("And now?", fault="401", entity_id=890)
    deployment.rig.settled(asked)

    (account,) = deployment.rig.sql("SELECT trouble FROM bots_account WHERE name = 'Acme'")
    assert "token" in account["trouble"]

    deployment.rig.settled(deployment.acme.ask("And again?", entity_id=891))

    (account,) = deployment.rig.sql("SELECT trouble FROM bots_account WHERE name = 'Acme'")
    assert account["trouble"] == ""


def test_a_kommo_that_refuses_connections_fails_at_the_end_deadline_only(deployment: Deployment) -> None:
    rig = deployment.rig
    asked = deployment.nowhere.ask("Hello")
    wait_until(lambda: len(rig.attempts(asked, "continue")) >= 2)
    assert rig.exchange(asked)["state"] == "sending"

    rig.move_end(asked, in_seconds=4)

    row = rig.settled(asked)
    assert (row["state"], row["reason"]) == ("failed", "unreachable")
