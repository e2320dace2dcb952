"""What a customer gets, over real processes: the plain case, which every other test builds upon."""

from tests.processes.deployment import LONG_REPLY, LONG_WORDS, Deployment


def test_a_customer_gets_the_models_reply(deployment: Deployment) -> None:
    asked = deployment.acme.ask("Hello there")

    row = deployment.rig.settled(asked)

    (call,) = deployment.acme.kommo.calls_of(asked)
    assert (row["state"], row["outcome"]) == ("delivered", "success")
    assert call.body == {"data": {"status": "success", "message": "You said: Hello there", "show": "1"}}


def test_a_reply_of_1200_characters_arrives_whole(deployment: Deployment) -> None:
    asked = deployment.acme.ask(LONG_WORDS)

    deployment.rig.settled(asked)

    assert deployment.acme.kommo.accepted[asked.continue_id].message == LONG_REPLY
    assert len(LONG_REPLY) > 1200
