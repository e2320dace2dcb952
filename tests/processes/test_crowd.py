"""Fifty customers at the same moment, with default worker settings."""

from typing import Any

import pytest

from tests.processes.deployment import DEADLINE_S, FALLBACK, Deployment

CUSTOMERS = 50
ACK_S = 2.0
ANSWERED_S = 20.0

pytestmark = pytest.mark.quiet


def asks_of(bot: str, first_entity: int) -> list[dict[str, Any]]:
    """Let each customer ask a bot, half of them as a form."""
    return [
        {"text": f"customer {number}", "bot": bot, "entity_id": first_entity + number, "as_form": number % 2 == 0}
        for number in range(CUSTOMERS)
    ]


def test_fifty_customers_at_once_are_acknowledged_and_answered_in_time(deployment: Deployment) -> None:
    acme = deployment.acme

    asked = acme.ask_at_once(asks_of("slower", 2000))
    deployment.rig.all_settled(asked, within_seconds=ANSWERED_S + 10)

    assert {one.status for one in asked} == {200}
    assert max(one.ack_s for one in asked) <= ACK_S
    waits = [acme.kommo.accepted[one.continue_id].at - one.sent_at for one in asked]
    assert max(waits) <= ANSWERED_S
    assert {len(acme.kommo.calls_of(one)) for one in asked} == {1}
    said = {acme.kommo.accepted[one.continue_id].message for one in asked}
    assert said == {f"You said: customer {number}" for number in range(CUSTOMERS)}


def test_while_the_model_is_silent_customers_are_acknowledged_in_time(deployment: Deployment) -> None:
    acme = deployment.acme

    asked = acme.ask_at_once(asks_of("llm-silent", 2100))
    late = [acme.ask("and me?", bot="llm-silent", entity_id=2200 + number) for number in range(10)]
    rows = deployment.rig.all_settled([*asked, *late], within_seconds=3 * DEADLINE_S)

    assert {one.status for one in asked} == {200}
    assert max(one.ack_s for one in [*asked, *late]) < ACK_S
    assert {(row["outcome"], row["reply_text"]) for row in rows} == {("fail", FALLBACK)}
