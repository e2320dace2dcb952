"""One request is answered once, however often it comes and however often its task is delivered."""

from tests.processes.deployment import Deployment
from tests.waiting import wait_until


def test_a_request_that_comes_five_times_at_once_is_answered_once(deployment: Deployment) -> None:
    acme, rig = deployment.acme, deployment.rig
    continue_id = acme.kommo.next_id()

    asked = acme.ask_at_once([{"text": "only once", "continue_id": continue_id, "entity_id": 401}] * 5)
    rig.settled(asked[0])

    assert [(one.status, one.answer) for one in asked] == [(200, "{}")] * 5
    assert len(acme.kommo.calls_of(asked[0])) == 1
    assert len([request for request in deployment.llm.requests if request.last_text == "only once"]) == 1
    row = rig.exchange(asked[0])
    lines = rig.sql("SELECT role FROM bots_message WHERE exchange_id = %s ORDER BY id", row["id"])
    assert [line["role"] for line in lines] == ["customer", "bot"]


def test_a_copy_that_comes_after_the_end_is_taken_and_changes_nothing(deployment: Deployment) -> None:
    acme, rig = deployment.acme, deployment.rig
    first = acme.ask("early", entity_id=402)
    settled = rig.settled(first)

    copy = acme.ask("late", entity_id=402, continue_id=first.continue_id)

    assert (copy.status, copy.answer) == (200, "{}")
    assert rig.exchange(first) == settled
    assert rig.sql("SELECT 1 FROM bots_message WHERE text = %s", "late") == []


def test_a_task_that_is_delivered_three_times_answers_once(deployment: Deployment) -> None:
    acme, rig = deployment.acme, deployment.rig
    asked = acme.ask("one task, three rows", bot="held", entity_id=403)
    wait_until(lambda: "one task, three rows" in {request.last_text for request in list(deployment.llm.requests)})

    again = "from bots.queue import enqueue_wake\nfor _ in range(2): enqueue_wake()"
    rig.manage("shell", "-c", again)
    assert rig.exchange(asked)["state"] == "answering"  # it happened while the model was thinking
    deployment.llm.release()
    rig.settled(asked)
    wait_until(lambda: not rig.sql("SELECT 1 FROM django_q_ormq"), within_seconds=30)

    assert len(acme.kommo.calls_of(asked)) == 1
    assert len([request for request in deployment.llm.requests if request.last_text == "one task, three rows"]) == 1
    assert len(rig.attempts(asked, "llm")) == 1
    assert rig.sql("SELECT 1 FROM django_q_task") == []
