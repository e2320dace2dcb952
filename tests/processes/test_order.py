"""Order: one conversation is answered message by message, and no conversation waits for another."""

from typing import Any

from tests.processes.deployment import Deployment
from tests.waiting import wait_until


def test_a_quick_answer_does_not_overtake_a_slow_one_of_its_conversation(deployment: Deployment) -> None:
    acme = deployment.acme
    asked = [acme.ask("one", bot="slow", entity_id=301)]
    asked += [acme.ask(text, entity_id=301) for text in ("two", "three", "four")]

    deployment.rig.all_settled(asked)

    mine = [one.continue_id for one in asked]
    assert [continue_id for continue_id in acme.kommo.accepted if continue_id in mine] == mine


def test_a_conversation_does_not_wait_for_another(deployment: Deployment) -> None:
    acme = deployment.acme
    slow = acme.ask("one", bot="held", entity_id=302)
    wait_until(lambda: deployment.rig.exchange(slow)["state"] == "answering")

    quick = [acme.ask("me too", entity_id=entity_id) for entity_id in range(310, 315)]
    rows = deployment.rig.all_settled(quick)

    assert [row["state"] for row in rows] == ["delivered"] * 5
    assert deployment.rig.exchange(slow)["state"] == "answering"
    deployment.llm.release()
    assert deployment.rig.settled(slow)["state"] == "delivered"


def test_messages_that_come_at_once_are_answered_in_the_order_in_which_they_were_taken(deployment: Deployment) -> None:
    acme, rig = deployment.acme, deployment.rig
    asks: list[dict[str, Any]] = [
        {"text": f"number {number}", "bot": "slow" if number % 3 == 0 else "default", "entity_id": 303}
        for number in range(6)
    ]

    asked = acme.ask_at_once(asks)
    rows = rig.all_settled(asked, within_seconds=25)

    taken = [row["continue_id"] for row in sorted(rows, key=lambda row: int(row["id"]))]
    assert [one.status for one in asked] == [200] * 6
    assert [continue_id for continue_id in acme.kommo.accepted if continue_id in taken] == taken


def test_the_model_is_told_what_was_said_before(deployment: Deployment) -> None:
    acme, rig = deployment.acme, deployment.rig
    asked = [acme.ask(text, entity_id=304) for text in ("first words", "second words")]

    rig.all_settled(asked)

    (request,) = [asked for asked in deployment.llm.requests if asked.last_text == "second words"]
    told = [message["content"] for message in request.messages[1:]]
    assert told == ["first words", "You said: first words", "second words"]
