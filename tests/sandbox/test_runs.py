"""Runs in real chats: timers, Salesbots that end one another, waits without an end, and messages that don't arrive."""

import json
from pathlib import Path

import pytest

from sandbox.server import SandboxServer
from tests.sandbox.bridge import an_account, resume, success

SHAPES = Path(__file__).parent / "shapes"
DAY = 24 * 3600


def h(handler, **params):
    return {"handler": handler, "params": params}


def show(value):
    return h("show", type="text", value=value)


def question(*handlers):
    return {"question": list(handlers)}


def wait(step=0):
    return h("wait_answer", type="question", step=step)


def pause(step, seconds):
    event = {"event": {"source": "timer", "value": seconds}, "action": {"type": "question", "step": step}}
    return h("waits", logic="or", conditions=[event])


def bot(number, *steps):
    return {"id": number, "name": f"Bot {number}", "flow": list(steps)}


@pytest.fixture
def running(bridge):
    """Start a sandbox whose account has these settings: running(salesbot_flow=[…])."""
    opened = []

    def start(**settings):
        sandbox = SandboxServer({"accounts": [an_account(hook_url=bridge.url, **settings)]}, rate=0)
        opened.append(sandbox)
        return sandbox.__enter__()

    yield start
    for sandbox in opened:
        sandbox.__exit__(None, None, None)


def state(sandbox):
    return sandbox.chat("anna")["state"]


@pytest.mark.statement("S3.3.timer")
def test_a_pause_is_over_when_the_clock_was_moved_by_its_time_and_not_before(running):
    sandbox = running(salesbot_flow=[question(show("One moment."), pause(1, 3600)), question(show("Still there?"))])
    sandbox.say("anna", "hi")
    chat = sandbox.chat("anna")
    assert (chat["state"], chat["waits_for"]) == ("paused", "a pause of 1 h")
    assert 3500 < chat["waits_until"] - chat["clock"] <= 3600

    sandbox.advance(3500)
    early = sandbox.shown("anna")
    sandbox.advance(100)

    assert early == ["One moment."]
    assert sandbox.shown("anna") == ["One moment.", "Still there?"]
    assert sandbox.chat("anna")["turns"][-1]["notes"][0]["title"] == "The pause's time is over"
    assert (state(sandbox), sandbox.chat("anna")["waits_until"]) == ("ended", None)


def test_a_short_pause_ends_by_itself(running):
    sandbox = running(salesbot_flow=[question(pause(1, 0.05)), question(show("Now."))])
    sandbox.say("anna", "hi")

    assert sandbox.wait_until(lambda: sandbox.shown("anna")) == ["Now."]


def test_pauses_behind_one_another_end_in_one_move_of_the_clock(running):
    flow = [question(pause(1, 60)), question(show("one"), pause(2, 60)), question(show("two"))]
    sandbox = running(salesbot_flow=flow)
    sandbox.say("anna", "hi")

    sandbox.advance(120)

    assert sandbox.shown("anna") == ["one", "two"]


def test_a_message_that_ends_a_pause_switches_its_timer_off(running, bridge):
    # the flow shows the message behind its Widget step, so the step itself must not
    bridge.reply = lambda received: success(f"You said {received.data['message']}.", show="0")
    flow = json.loads((SHAPES / "loop-with-pause.json").read_text(encoding="utf-8"))
    sandbox = running(salesbot_flow=flow)
    for number, text in enumerate(("one", "two", "three")):
        sandbox.say("anna", text)
        sandbox.wait_until(lambda n=number: len(sandbox.shown("anna")) == n + 1 and state(sandbox) == "listening")
        sandbox.advance(1800)

    assert sandbox.shown("anna") == ["You said one.", "You said two.", "You said three."]
    sandbox.advance(1800)
    assert sandbox.shown("anna")[-1] == "Are you still there, anna?"
    assert sandbox.crm(lambda crm: [talk.is_in_work for talk in crm.talks.values()]) == [False]


def test_each_pause_counts_its_time_anew(running):
    received = {"event": {"source": "message_received"}, "action": {"type": "question", "step": 1}}
    timer = {"event": {"source": "timer", "value": 3600}, "action": {"type": "question", "step": 2}}
    waiting = question(h("waits", logic="or", conditions=[received, timer]))
    goto = h("goto", type="question", step=0)
    sandbox = running(salesbot_flow=[waiting, question(show("Noted."), goto), question(show("Too late."))])
    sandbox.say("anna", "hi")

    for _ in range(3):
        sandbox.advance(1800)
        sandbox.say("anna", "still here")
    sandbox.advance(3500)

    assert sandbox.shown("anna") == ["Noted."] * 3
    sandbox.advance(100)
    assert sandbox.shown("anna")[-1] == "Too late."


def test_a_message_during_a_pause_of_time_alone_is_held_until_the_salesbot_listens(running):
    flow = [question(pause(1, 60)), question(wait(2)), question(show("You wrote {{message_text}}."))]
    sandbox = running(salesbot_flow=flow)
    sandbox.say("anna", "one")

    sandbox.say("anna", "two")
    assert sandbox.chat("anna")["held"] == 1
    sandbox.advance(60)

    assert sandbox.shown("anna") == ["You wrote two."]


@pytest.mark.statement("S1.6.forever")
def test_a_salesbot_waits_for_its_continue_however_long_it_takes(sandbox):
    url = sandbox.say("anna", "hi").return_url

    sandbox.advance(30 * DAY)

    assert state(sandbox) in {"thinking", "stuck"}
    assert resume(url, success("at last")).status_code == 202
    assert sandbox.shown("anna") == ["at last"]


def test_told_to_give_up_it_does_and_the_continue_finds_nothing(running):
    sandbox = running(gives_up_s=60)
    url = sandbox.say("anna", "hi").return_url
    sandbox.advance(59)
    waiting = state(sandbox)

    sandbox.advance(1)

    assert (waiting, state(sandbox)) == ("thinking", "listening")
    assert resume(url, success()).status_code == 404
    assert sandbox.chat("anna")["turns"][0]["state"] == "stopped"


@pytest.mark.statement("S1.4.not-200")
@pytest.mark.parametrize("way", ["wait", "fall_through"])
def test_without_an_acknowledgement_it_waits_or_falls_through_as_told(running, bridge, way):
    bridge.status = 500
    sandbox = running(on_bad_ack=way)
    url = sandbox.say("anna", "hi").return_url
    sandbox.wait_until(lambda: "status" in sandbox.chat("anna")["turns"][0]["request"])

    if way == "wait":
        assert state(sandbox) == "stuck"
        assert resume(url, success()).status_code == 202
    else:
        assert state(sandbox) == "listening"
        assert sandbox.chat("anna")["turns"][0]["outcome"] == "fail"
        assert resume(url, success()).status_code == 404


@pytest.mark.statement("S1.6.displaced")
@pytest.mark.parametrize(
    "second",
    [
        bot(7, question(show("Here I am."), wait())),
        bot(7, question(show("Here I am."), pause(0, 60))),
        bot(7, question(show("Here I am."), h("widget_request", url="http://127.0.0.1:1/", data={}))),
    ],
    ids=["waits for a message", "pauses", "waits for a continue"],
)
def test_a_second_salesbot_ends_the_first_when_it_comes_to_any_waiting_step(running, second):
    sandbox = running(salesbots=[second])
    url = sandbox.say("anna", "hi").return_url

    sandbox.run_bot("anna", 7)

    assert sandbox.shown("anna") == ["Here I am."]
    assert resume(url, success()).status_code == 404
    titles = [note["title"] for note in sandbox.chat("anna")["turns"][0]["notes"]]
    assert "Another Salesbot came to a pause on the same lead and ended this one" in titles


@pytest.mark.statement("S1.6.no-pause")
def test_a_second_salesbot_that_never_waits_leaves_the_first_waiting(running):
    sandbox = running(salesbots=[bot(7, question(show("By the way.")))])
    url = sandbox.say("anna", "hi").return_url

    sandbox.run_bot("anna", 7)

    assert resume(url, success("Hello!")).status_code == 202
    assert sandbox.shown("anna") == ["By the way.", "Hello!"]


@pytest.mark.statement("S3.2.salesbot-start")
def test_a_stop_may_start_another_salesbot(running):
    first = [question(show("First."), h("stop", action="salesbot-start", bot=7))]
    sandbox = running(salesbot_flow=first, salesbots=[bot(7, question(show("Second: {{message_text}}."), wait()))])

    sandbox.say("anna", "hi")

    assert sandbox.shown("anna") == ["First.", "Second: hi."]
    assert state(sandbox) == "listening"


def test_a_salesbot_that_is_not_there_or_goes_round_is_not_started(running):
    first = [question(show("First."), h("stop", action="salesbot-start", bot=8))]
    again = bot(8, question(show("again"), h("stop", action="salesbot-start", bot=8)))
    sandbox = running(salesbot_flow=first, salesbots=[again])

    sandbox.say("anna", "hi")

    assert len(sandbox.shown("anna")) == 21
    assert state(sandbox) == "ended"
    assert "could not be started" in sandbox.chat("anna")["turns"][0]["notes"][-1]["title"]


@pytest.mark.statement("S3.2.talk-close")
def test_a_stop_may_close_the_talk(running):
    sandbox = running(salesbot_flow=[question(show("Bye."), h("stop", action="talk-close"))])

    sandbox.say("anna", "hi")

    assert sandbox.crm(lambda crm: [talk.is_in_work for talk in crm.talks.values()]) == [False]


def test_a_salesbot_of_ones_own_starts_with_each_message_once_it_has_ended(running):
    sandbox = running(salesbot_flow=[question(show("You wrote {{message_text}}."))])

    for text in ("one", "two"):
        sandbox.say("anna", text)

    assert sandbox.shown("anna") == ["You wrote one.", "You wrote two."]


def test_buttons_and_their_answers_run_in_a_chat(running):
    choice = {"value": "Tea", "params": [show("Tea it is.")]}
    other = {"type": "else", "params": [h("goto", type="question", step=0)]}
    ask = h("show", type="buttons", value="Tea or coffee?", buttons=["Tea", "Coffee"])
    answer = {"handler": "buttons", "params": [choice, other]}
    sandbox = running(salesbot_flow=[{"question": [ask], "answer": [answer]}])

    for text in ("hi", "water", "tea"):
        sandbox.say("anna", text)

    assert sandbox.shown("anna") == ["Tea or coffee?", "Tea or coffee?", "Tea it is."]


LONG = "x" * 1001


@pytest.mark.statement("S10.instagram", "S10.unseen")
def test_a_message_over_its_channels_limit_is_not_seen_and_is_told(running, bridge):
    bridge.reply = lambda _received: success(LONG)
    sandbox = running(channel="instagram")
    sandbox.say("anna", "hi")
    sandbox.wait_until(lambda: state(sandbox) == "listening")

    chat = sandbox.chat("anna")
    assert sandbox.shown("anna") == []
    assert "Instagram takes at most 1,000 characters" in chat["bubbles"][-1]["failed"]
    assert any("was not delivered: Instagram" in sentence for sentence in chat["turns"][0]["unseen"])
    assert [entry["reason"] for entry in sandbox.journal if entry["kind"] == "not_delivered"] == [
        chat["bubbles"][-1]["failed"]
    ]


@pytest.mark.statement("S3.1.error")
def test_the_error_handlers_of_a_flow_run_in_the_chat(running):
    note = {"name": "add_note", "params": {"element_type": 2, "note_type": 4, "text": "Not delivered"}}
    flow = {"0": question(show(LONG)), "error": [show("Too long for here."), h("action", **note)]}
    sandbox = running(channel="instagram", salesbot_flow=flow)

    sandbox.say("anna", "hi")

    assert sandbox.shown("anna") == ["Too long for here."]
    assert sandbox.crm(lambda crm: [one.params["text"] for one in crm.notes]) == ["Not delivered"]


@pytest.mark.statement("S10.window")
def test_a_message_a_day_after_the_customers_last_does_not_arrive(running):
    flow = [question(pause(1, 2 * DAY)), question(show("Long time no see."))]
    sandbox = running(channel="waba", salesbot_flow=flow)
    sandbox.say("anna", "hi")

    sandbox.advance(2 * DAY)

    assert sandbox.shown("anna") == []
    assert "within 24 hours" in sandbox.chat("anna")["bubbles"][-1]["failed"]


@pytest.mark.statement("S3.2.tags", "S3.2.order")
def test_an_action_counts_for_the_condition_behind_it(running):
    tag = h("action", name="set_tag", params={"type": 2, "value": "vip"})
    check = h("condition", term1="lead.tags", term2="vip", operation="in", result=[show("Welcome back.")])
    sandbox = running(salesbot_flow=[question(tag, check)])

    sandbox.say("anna", "hi")

    assert sandbox.shown("anna") == ["Welcome back."]
    assert sandbox.crm(lambda crm: [lead.tags for lead in crm.leads.values()]) == [["vip"]]


def test_a_message_of_a_person_is_seen_and_stops_nothing(sandbox):
    url = sandbox.say("anna", "hi").return_url
    sandbox._call(lambda standin: standin.speak(*one_chat(standin), "Irina here."))

    assert sandbox.chat("anna")["bubbles"][-1]["from"] == "person"
    assert resume(url, success()).status_code == 202


def one_chat(standin):
    account = next(iter(standin.accounts.values()))
    return account, account.chats["anna"]


def test_a_flow_that_does_not_fit_its_widget_is_refused_at_the_start():
    step = {
        "handler": "widget",
        "params": {"widget_source_code": "llmbot", "exits": {"success": {"type": "question", "step": 5}}},
    }

    with pytest.raises(ValueError, match="has no step 5"):
        SandboxServer({"accounts": [an_account(salesbot_flow=[question(step)])]})


def test_a_setting_that_changes_no_flow_leaves_a_conversation_where_it_stands(running, bridge):
    flow = [question(show("Your name?"), wait(1)), question(show("Hello, {{message_text}}."))]
    sandbox = running(salesbot_flow=flow)
    sandbox.say("anna", "hi")

    sandbox.configure(encoding="json", plan="pro")
    sandbox.say("anna", "Anna")

    assert sandbox.shown("anna") == ["Your name?", "Hello, Anna."]


def test_another_flow_counts_from_the_next_message(running):
    sandbox = running(salesbot_flow=[question(show("old"), wait(0))])
    sandbox.say("anna", "hi")

    sandbox.configure(salesbot_flow=[question(show("new"), wait(0))])
    sandbox.say("anna", "hi again")

    assert sandbox.shown("anna") == ["old", "new"]


def test_what_was_held_for_a_salesbot_that_the_api_stopped_stays_unanswered(sandbox, bridge):
    sandbox.say("anna", "one")
    sandbox.say("anna", "two")
    sandbox._call(lambda standin: standin.stop_bot(*one_chat(standin), 61001))

    bridge.reply = lambda received: success(f"To {received.data['message']}.")
    sandbox.say("anna", "three")
    sandbox.wait_until(lambda: sandbox.shown("anna"))

    assert sandbox.shown("anna") == ["To three."]


def test_a_widget_flow_too_large_for_its_salesbot_is_refused(bridge):
    ask = h("widget_request", url=bridge.url, data={})
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}) as sandbox:
        with pytest.raises(ValueError, match="must not be larger than 65536 bytes"):
            sandbox.configure(widget_flow=[question(ask, show("x" * 65_250))])
        assert sandbox.say("anna", "hi").return_url
