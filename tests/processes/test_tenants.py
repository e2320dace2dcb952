"""Two accounts whose customers have the same ids are answered side by side, and nothing crosses."""

import json
from typing import Any

import pytest

from tests.processes.deployment import Deployment, Tenant, prompt_of
from tests.rig_rows import Row
from tests.stubs.kommo import AskedOf

ENTITIES = range(601, 609)

Answered = dict[str, list[tuple[AskedOf, Row]]]


@pytest.fixture(scope="module")
def answered(deployment: Deployment) -> Answered:
    """Let both accounts' customers, of the same numbers, talk at the same time; give requests and rows by account."""
    rig = deployment.rig
    tenants = (deployment.acme, deployment.rival)
    asked: dict[str, list[AskedOf]] = {tenant.name: [] for tenant in tenants}
    for turn in ("first", "second"):
        for tenant, other in zip(tenants, reversed(tenants), strict=True):
            assert tenant is not other
            asks: list[dict[str, Any]] = [
                {"text": words_of(tenant, turn, entity), "entity_id": entity} for entity in ENTITIES
            ]
            asked[tenant.name] += tenant.ask_at_once(asks)
    return {name: list(zip(ones, rig.all_settled(ones), strict=True)) for name, ones in asked.items()}


def words_of(tenant: Tenant, turn: str, entity: int) -> str:
    """Give what one customer says, which names the account."""
    return f"{turn} words of customer {entity} at {tenant.name}"


def both(deployment: Deployment) -> list[tuple[Tenant, Tenant]]:
    """Give each account with its stranger."""
    return [(deployment.acme, deployment.rival), (deployment.rival, deployment.acme)]


def test_every_customer_gets_the_answer_to_their_own_words(deployment: Deployment, answered: Answered) -> None:
    for tenant, _ in both(deployment):
        for asked, row in answered[tenant.name]:
            assert tenant.kommo.accepted[asked.continue_id].message == f"You said: {row['text']}"


def test_no_kommo_is_told_anything_of_the_other(deployment: Deployment, answered: Answered) -> None:
    for tenant, stranger in both(deployment):
        mine = {asked.continue_id for asked, _ in answered[tenant.name]}
        calls = [call for call in tenant.kommo.calls if call.continue_id in mine]

        assert len(calls) == len(mine) == 2 * len(ENTITIES)
        told = json.dumps([[call.path, call.authorization, call.body] for call in tenant.kommo.calls])
        assert stranger.name not in told
        assert not [secret for secret in stranger.secrets() if secret in told]
        assert {call.authorization for call in calls} == {f"Bearer {tenant.kommo.access_token}"}


def test_no_request_to_a_model_holds_anything_of_another_account(deployment: Deployment, answered: Answered) -> None:
    for tenant, stranger in both(deployment):
        requests = [request for request in deployment.llm.requests if request.key == tenant.api_key]
        told = json.dumps([[request.path, request.headers, request.body] for request in requests])

        mine = {row["text"] for _, row in answered[tenant.name]}
        assert mine <= {request.last_text for request in requests}
        assert prompt_of(tenant.name) in told
        assert stranger.name not in told
        assert not [secret for secret in stranger.secrets() if secret in told]


def test_every_request_to_a_model_carries_the_key_of_one_of_the_accounts(
    deployment: Deployment, answered: Answered
) -> None:
    keys = {request.key for request in deployment.llm.requests}

    assert answered
    assert keys <= {tenant.api_key for tenant in (deployment.acme, deployment.rival, deployment.nowhere)}


def test_a_conversation_of_the_same_entity_is_another_one_in_another_account(
    deployment: Deployment, answered: Answered
) -> None:
    conversations = {
        name: {row["conversation_id"] for _, row in rows} for name, rows in answered.items()
    }  # fmt: skip

    assert [len(found) for found in conversations.values()] == [len(ENTITIES)] * 2
    assert not conversations["Acme"] & conversations["Rival"]
    for tenant, stranger in both(deployment):
        for number in conversations[tenant.name]:
            lines = deployment.rig.sql("SELECT text FROM bots_message WHERE conversation_id = %s", number)
            assert len(lines) >= 4
            assert not [line for line in lines if stranger.name in line["text"]]


def test_a_token_of_another_account_is_refused(deployment: Deployment) -> None:
    stranger = deployment.rival
    answer = stranger.kommo.ask(deployment.acme.hook_url, "let me in", entity_id=699)

    assert answer.status == 401
    assert deployment.rig.sql("SELECT 1 FROM bots_exchange WHERE continue_id = %s", answer.continue_id) == []


def test_the_same_continue_id_in_two_accounts_is_two_exchanges(deployment: Deployment) -> None:
    continue_id = deployment.acme.kommo.next_id()

    deployment.acme.ask("mine", entity_id=698, continue_id=continue_id)
    deployment.rival.ask("mine too", entity_id=698, continue_id=continue_id)

    found = deployment.rig.sql("SELECT account_id, text FROM bots_exchange WHERE continue_id = %s", continue_id)
    assert sorted(row["text"] for row in found) == ["mine", "mine too"]
    assert len({row["account_id"] for row in found}) == 2
