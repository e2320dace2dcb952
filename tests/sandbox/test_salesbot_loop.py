"""Whole turns against a fake bridge on a socket: what the customer sees, and what they don't."""

import pytest

from sandbox.server import SandboxServer
from tests.sandbox.bridge import an_account, resume, success


def finish(sandbox, customer="anna", **kwargs):
    return sandbox.wait_until(lambda: (chat := sandbox.chat(customer, **kwargs))["state"] == "listening" and chat)


def test_a_conversation_goes_on_turn_after_turn(sandbox, bridge):
    bridge.reply = lambda received: success(f"You said {received.data['message']}.")

    for text in ("one", "two", "three"):
        sandbox.say("anna", text)
        finish(sandbox)

    assert sandbox.shown("anna") == ["You said one.", "You said two.", "You said three."]
    assert [turn["outcome"] for turn in sandbox.chat("anna")["turns"]] == ["success"] * 3


def test_a_greeting_opens_the_chat_once(bridge):
    bridge.reply = lambda _received: success("Hello Anna!")
    with SandboxServer(
        {"accounts": [an_account(hook_url=bridge.url, greeting="Welcome, {{contact.name}}!")]}
    ) as sandbox:
        sandbox.say("anna", "hi")
        finish(sandbox)

        assert sandbox.shown("anna") == ["Welcome, anna!", "Hello Anna!"]


@pytest.mark.statement("S2.3.whole")
def test_a_long_reply_arrives_whole_where_the_channel_knows_no_limit(sandbox, bridge):
    sandbox.configure(channel="livechat")
    text = "Línea 1\n" + "ñ😀 <b>&amp;</b> " * 400
    bridge.reply = lambda _received: success(text)

    sandbox.say("anna", "tell me everything")
    finish(sandbox)

    assert sandbox.shown("anna") == [text]


@pytest.mark.statement("S4.7.exits", "S4.7.loop")
@pytest.mark.parametrize("status", ["success", "handoff", "silent", "fail"])
def test_each_status_leaves_by_its_exit_and_the_salesbot_listens_again(sandbox, bridge, status):
    bridge.reply = lambda _received: {"data": {"status": status, "message": "text", "show": "1"}}

    sandbox.say("anna", "hi")
    chat = finish(sandbox)

    assert chat["turns"][0]["outcome"] == status
    assert sandbox.shown("anna") == ["text"]


def test_an_unknown_status_leaves_by_fail(sandbox, bridge):
    bridge.reply = lambda _received: success(status="wonderful")

    sandbox.say("anna", "hi")

    assert finish(sandbox)["turns"][0]["outcome"] == "fail"


@pytest.mark.statement("S4.7.show")
@pytest.mark.parametrize("show", ["0", "", "true", None], ids=["0", "empty", "true", "missing"])
def test_a_message_is_not_shown_unless_show_is_1(sandbox, bridge, show):
    data = {"status": "silent", "message": "for nobody", "city": "Madrid"} | ({} if show is None else {"show": show})
    bridge.reply = lambda _received: {"data": data}

    sandbox.say("anna", "hi")
    turn = finish(sandbox)["turns"][0]

    assert sandbox.shown("anna") == []
    assert any("for nobody" in sentence for sentence in turn["unseen"])
    assert "For the Salesbot only: city = Madrid" in turn["unseen"]


@pytest.mark.statement("S2.3.braces")
def test_a_show_without_a_message_lets_the_braces_out_and_says_so(sandbox, bridge):
    bridge.reply = lambda _received: {"data": {"status": "success", "show": "1"}}

    sandbox.say("anna", "hi")
    chat = finish(sandbox)

    bubble = chat["bubbles"][-1]
    assert (bubble["text"], bubble["leaked"]) == ("{{json.message}}", ["{{json.message}}"])
    assert "Showed unfilled placeholders to the customer" in [note["title"] for note in chat["turns"][0]["notes"]]


@pytest.mark.statement("S2.3.inside")
def test_placeholders_that_a_bridge_leaves_in_a_reply_are_filled(sandbox, bridge):
    bridge.reply = lambda _received: success("Your lead is {{lead.id}}, {{secret}}")

    sandbox.say("anna", "hi")
    chat = finish(sandbox)

    assert chat["bubbles"][-1]["text"] == f"Your lead is {chat['lead_id']}, {{{{secret}}}}"
    assert chat["bubbles"][-1]["leaked"] == ["{{secret}}"]


@pytest.mark.statement("S2.1.buttons")
def test_buttons_of_a_continue_are_shown(sandbox, bridge):
    buttons = {"type": "buttons", "value": "Which room?", "buttons": ["Sea", "Garden"]}
    body = {"data": {"status": "success", "show": "0"}, "execute_handlers": [{"handler": "show", "params": buttons}]}
    bridge.reply = lambda _received: body

    sandbox.say("anna", "hi")

    bubble = finish(sandbox)["bubbles"][-1]
    assert bubble["text"] == "Which room?"
    assert [button["text"] for button in bubble["buttons"]] == ["Sea", "Garden"]


def test_a_message_during_the_wait_is_held_and_served_afterwards(sandbox, bridge):
    first = sandbox.say("anna", "one")
    second = sandbox.say("anna", "two")
    assert first.return_url
    assert second.continue_id == ""
    assert sandbox.chat("anna")["held"] == 1

    bridge.reply = lambda _received: success("answer to two")
    resume(first.return_url, success("answer to one"))
    finish(sandbox)

    assert sandbox.shown("anna") == ["answer to one", "answer to two"]
    assert [turn["state"] for turn in sandbox.chat("anna")["turns"]] == ["done", "done"]


@pytest.mark.statement("S1.6.displaced")
def test_a_restart_ends_the_waiting_salesbot_and_its_continue_finds_nothing(sandbox, bridge):
    first = sandbox.say("anna", "one")
    second = sandbox.say("anna", "two", when_busy="restart")

    assert resume(first.return_url, success()).status_code == 404
    assert resume(second.return_url, success("two")).status_code == 202
    assert sandbox.shown("anna") == ["two"]
    assert [turn["state"] for turn in sandbox.chat("anna")["turns"]] == ["stopped", "done"]


def test_parallel_salesbots_of_one_lead_are_answered_each_and_then_one_listens(sandbox, bridge):
    receipts = [sandbox.say("anna", text, when_busy="parallel") for text in ("one", "two", "three")]
    assert len({receipt.continue_id for receipt in receipts}) == 3

    for receipt, text in reversed(list(zip(receipts, ("1", "2", "3"), strict=True))):
        assert resume(receipt.return_url, success(text)).status_code == 202
    bridge.reply = lambda _received: success("only one answers now")
    sandbox.say("anna", "four")
    finish(sandbox)

    assert sandbox.shown("anna") == ["3", "2", "1", "only one answers now"]
    assert len(bridge.received) == 4
    bridge.reply = lambda _received: None
    sandbox.say("anna", "five")
    assert sandbox.say("anna", "six").continue_id == ""


@pytest.mark.statement("S1.6.stopped")
def test_a_stopped_salesbot_is_gone_and_a_new_one_listens(sandbox, bridge):
    receipt = sandbox.say("anna", "one")
    sandbox.stop_bots("anna")

    assert resume(receipt.return_url, success()).status_code == 404
    assert sandbox.chat("anna")["state"] == "listening"
    bridge.reply = lambda _received: success("fresh")
    sandbox.say("anna", "two")
    finish(sandbox)
    assert sandbox.shown("anna") == ["fresh"]


def test_a_goto_to_a_step_that_is_not_there_ends_the_salesbot_and_the_next_message_starts_one(sandbox, bridge):
    goto = {"handler": "goto", "params": {"type": "question", "step": 9}}
    receipt = sandbox.say("anna", "one")
    assert resume(receipt.return_url, {"execute_handlers": [goto]}).status_code == 202
    assert sandbox.chat("anna")["state"] == "ended"

    bridge.reply = lambda _received: success("back again")
    sandbox.say("anna", "two")
    finish(sandbox)

    assert sandbox.shown("anna") == ["back again"]


def test_a_widget_flow_of_ones_own_is_run(bridge):
    ask = {"handler": "widget_request", "params": {"url": bridge.url, "data": {"texto": "{{message_text}}"}}}
    steps = [{"question": [ask, {"handler": "show", "params": {"type": "text", "value": "{{json.reply}}"}}]}]
    steps[0]["question"].append({"handler": "exits", "params": {"value": "done"}})
    bridge.reply = lambda received: {"data": {"reply": received.data["texto"].upper()}}
    with SandboxServer({"accounts": [an_account(widget_flow=steps)]}) as sandbox:
        sandbox.say("anna", "hi")
        chat = finish(sandbox)

        assert sandbox.shown("anna") == ["HI"]
        assert chat["turns"][0]["outcome"] == "done"


def test_customers_and_accounts_do_not_mix(bridge):
    accounts = [
        an_account(subdomain=f"a{n}", access_token=f"token-{n}", kommo_id=n + 1, hook_url=bridge.url, name=f"A{n}")
        for n in range(2)
    ]
    with SandboxServer({"accounts": accounts}, rate=0) as sandbox:
        receipts = {
            (account, customer): sandbox.say(customer, f"{account} {customer}", account=account)
            for account in ("a0", "a1")
            for customer in ("anna", "ben")
        }
        for (account, customer), receipt in receipts.items():
            answer = resume(receipt.return_url, success(f"to {account} {customer}"), token=f"token-{account[1]}")
            assert answer.status_code == 202

        for account, customer in receipts:
            assert sandbox.shown(customer, account=account) == [f"to {account} {customer}"]
        assert len({receipt.lead_id for receipt in receipts.values()}) == 4
        assert [(one.account, one.customer) for one in sandbox.accepted] == list(receipts)


def test_an_account_with_a_port_of_its_own_has_its_own_origin(bridge):
    accounts = [
        an_account(hook_url=bridge.url),
        an_account(subdomain="rival", access_token="rival-token", hook_url=bridge.url, port=0),
    ]
    with SandboxServer({"accounts": accounts}) as sandbox:
        own = sandbox.origin("rival")
        assert sandbox.origin("demo") == sandbox.url != own
        receipt = sandbox.say("anna", "hi", account="rival")
        assert receipt.return_url.startswith(own)

        elsewhere = receipt.return_url.replace(own, sandbox.url)
        assert resume(elsewhere, success(), token="rival-token").status_code == 401
        assert resume(elsewhere, success()).status_code == 404
        assert resume(receipt.return_url, success()).status_code == 401
        assert resume(receipt.return_url, success(), token="rival-token").status_code == 202


def test_what_happened_is_told_with_times_and_numbers(sandbox, bridge):
    bridge.reply = lambda _received: success("Hello!")

    sandbox.say("anna", "hi")
    finish(sandbox)
    sandbox.wait_until(lambda: "status" in sandbox.chat("anna")["turns"][0]["request"])  # may come last

    turn = sandbox.chat("anna")["turns"][0]
    titles = [note["title"] for note in turn["notes"]]
    assert titles[0] == "The customer's message reached the Salesbot"
    assert "The bridge's continue was accepted with 202" in titles
    assert "Showed a message of 6 characters to the customer" in titles
    assert "Waits for the customer's next message" in titles
    assert turn["request"]["status"] == 200
    assert 0 <= turn["continue"]["after_ms"] <= turn["took_ms"]
    assert turn["continue"]["body"] == success("Hello!")


def test_fifty_customers_at_once_are_each_served(sandbox, bridge):
    bridge.reply = lambda received: success(f"for {received.data['name']}")

    for number in range(50):
        sandbox.say(f"c{number}", "hi")
    sandbox.wait_until(lambda: len(sandbox.accepted) == 50, within_seconds=20)

    assert all(sandbox.shown(f"c{number}") == [f"for c{number}"] for number in range(50))
