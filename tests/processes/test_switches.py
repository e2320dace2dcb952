"""Accounts and bots that are switched off: the Salesbot goes on as silent, with an empty message."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.processes.deployment import Deployment
from tests.waiting import wait_until

SILENT = {"data": {"status": "silent", "message": "", "show": "0"}}
SWITCHES = {
    "account": "UPDATE bots_account SET enabled = %s WHERE name = 'Rival'",
    "bot": "UPDATE bots_bot SET enabled = %s WHERE slug = 'default' AND account_id ="
    " (SELECT id FROM bots_account WHERE name = 'Rival')",
}


@contextlib.contextmanager
def switched_off(deployment: Deployment, what: str) -> Iterator[None]:
    """Switch Rival or its default bot off for a while."""
    deployment.rig.sql(SWITCHES[what], False)
    try:
        yield
    finally:
        deployment.rig.sql(SWITCHES[what], True)


@pytest.mark.parametrize("what", SWITCHES)
def test_switched_off_it_asks_no_model_and_says_nothing(deployment: Deployment, what: str) -> None:
    rival, rig = deployment.rival, deployment.rig
    text = f"is the {what} there?"
    with switched_off(deployment, what):
        asked = rival.ask(text, entity_id=951)
        row = rig.settled(asked)

    assert [call.body for call in rival.kommo.calls_of(asked)] == [SILENT]
    assert (row["state"], row["outcome"], row["reason"]) == ("delivered", "silent", f"{what}_off")
    assert not [request for request in deployment.llm.requests if request.last_text == text]


@pytest.mark.parametrize("what", SWITCHES)
def test_switched_off_between_reply_and_send_it_says_nothing(deployment: Deployment, what: str) -> None:
    rival, rig = deployment.rival, deployment.rig
    asked = rival.ask("a question", entity_id=952, fault="429-soon")
    wait_until(lambda: rig.attempts(asked, "continue"))
    with switched_off(deployment, what):
        row = rig.settled(asked)

    refused, taken = rival.kommo.calls_of(asked)
    assert refused.message == "You said: a question"
    assert taken.body == SILENT
    assert (row["state"], row["outcome"], row["reply_text"]) == ("delivered", "silent", "")


def test_switched_on_again_it_answers(deployment: Deployment) -> None:
    with switched_off(deployment, "account"):
        pass
    asked = deployment.rival.ask("back again?", entity_id=953)

    assert deployment.rig.settled(asked)["outcome"] == "success"
