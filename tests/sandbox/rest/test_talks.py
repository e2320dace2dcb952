"""Talks and their messages by REST (protocol §8.6)."""

import pytest

from tests.sandbox.bridge import resume, success

# The keys that the official PHP library reads.
KEYS = {
    *("talk_id", "created_at", "updated_at", "rate", "contact_id", "chat_id", "entity_id", "entity_type", "is_in_work"),
    *("is_read", "origin", "missed_at", "account_id"),
}


@pytest.mark.statement("S8.6.talk")
def test_a_talk_has_its_known_keys(rest, refused, chat):
    talk = rest("GET", f"/talks/{chat['talk_id']}").json()

    assert talk.keys() == KEYS
    assert (talk["talk_id"], talk["entity_id"], talk["entity_type"]) == (chat["talk_id"], chat["lead_id"], "lead")
    assert (talk["contact_id"], talk["origin"], talk["is_in_work"]) == (chat["contact_id"], "telegram", True)
    refused(rest("GET", "/talks/5"), 404)


@pytest.mark.statement("S8.6.list")
def test_talks_are_listed_and_narrowed(rest, sandbox, chat):
    sandbox.say("ben", "hi")
    ben = sandbox.chat("ben")

    for query in (f"filter[contact_id]={ben['contact_id']}", f"filter[entity_id]={ben['lead_id']}"):
        (found,) = rest("GET", f"/talks?{query}").json()["_embedded"]["talks"]
        assert found["talk_id"] == ben["talk_id"]
    assert len(rest("GET", "/talks").json()["_embedded"]["talks"]) == 2


@pytest.mark.statement("S8.6.messages")
def test_the_messages_of_a_talk_tell_author_text_and_fate_newest_first(rest, sandbox, chat):
    resume(chat["turns"][0]["request"]["return_url"], success("x" * 4097))
    sandbox.say("anna", "", attachment="photo.jpg")

    messages = rest("GET", f"/talks/{chat['talk_id']}/messages").json()["_embedded"]["messages"]

    told = [(one["type"], one["author"]["type"], one["delivery_status"]) for one in messages]
    assert told == [
        ("incoming", "client", "delivered"),
        ("outgoing", "bot", "error"),
        ("incoming", "client", "delivered"),
    ]
    assert messages[0]["attachment"]["file_name"] == "photo.jpg"
    assert messages[2]["text"] == "hello there"


@pytest.mark.statement("S8.6.close")
def test_a_talk_is_closed_with_202_and_the_customers_next_message_opens_it(rest, refused, sandbox, chat):
    path = f"/talks/{chat['talk_id']}"

    answer = rest("POST", f"{path}/close", {"force_close": True})

    assert (answer.status_code, answer.text) == (202, "Accepted")
    assert rest("GET", path).json()["is_in_work"] is False
    refused(rest("POST", f"{path}/close", {"force_close": "yes"}), 400, "InvalidType", "force_close")
    sandbox.say("anna", "me again")
    assert rest("GET", path).json()["is_in_work"] is True


@pytest.fixture
def write(rest, chat):
    return lambda text="Hello": rest("POST", f"/talks/{chat['talk_id']}/send_message", {"text": text})


@pytest.mark.statement("S8.6.plan")
@pytest.mark.parametrize("plan", ["base", "advanced"])
def test_without_the_paid_interface_writing_is_402(sandbox, write, refused, plan):
    sandbox.configure(plan=plan)

    refused(write(), 402)


@pytest.mark.statement("S8.6.send")
@pytest.mark.parametrize("plan", ["pro", "enterprise", "technical", "trial"])
def test_with_it_a_message_reaches_the_customer_and_gets_an_id(sandbox, write, plan):
    sandbox.configure(plan=plan)

    answer = write("From a person")

    assert (answer.status_code, len(answer.json()["id"])) == (202, 36)
    bubble = sandbox.chat("anna")["bubbles"][-1]
    assert (bubble["from"], bubble["text"]) == ("person", "From a person")


@pytest.mark.statement("S8.6.quota")
def test_over_the_months_messages_it_is_402(sandbox, write, refused):
    sandbox.configure(plan="trial")
    assert {write().status_code for _ in range(100)} == {202}

    assert "100 messages" in refused(write(), 402)["detail"]


@pytest.mark.statement("S8.6.closed")
def test_into_a_closed_talk_it_is_422(sandbox, rest, write, refused, chat):
    sandbox.configure(plan="pro")
    rest("POST", f"/talks/{chat['talk_id']}/close", {})

    refused(write(), 422)


def test_a_message_without_a_text_is_400(sandbox, write, refused):
    sandbox.configure(plan="pro")

    refused(write(""), 400, "InvalidType", "text")
