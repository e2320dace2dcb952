from dataclasses import replace

import pytest

from sandbox.salesbot.effects import (
    Acted,
    Chosen,
    Ended,
    Jumped,
    Left,
    Listening,
    Requested,
    Shown,
    Weighed,
)
from sandbox.salesbot.flows import parse_flow
from sandbox.salesbot.handlers import Button, Jump, Show
from sandbox.salesbot.interpreter import Machine, NotWaiting, Waits
from sandbox.salesbot.placeholders import Values


def h(handler, **params):
    return {"handler": handler, "params": params}


def show(value):
    return h("show", type="text", value=value)


def goto(step, kind="question"):
    return h("goto", type=kind, step=step)


def machine(*steps, **fixed):
    return Machine(
        parse_flow([step if isinstance(step, dict) else {"question": step} for step in steps]), Values(fixed)
    )


def texts(effects):
    return [effect.text for effect in effects if isinstance(effect, Shown)]


def widget(source, **exits):
    return h("widget", widget_source=source, exits={code: {"type": "question", "step": n} for code, n in exits.items()})


REQUEST = h("widget_request", url="http://bridge/", data={"message": "{{message_text}}", "lead": ["{{lead.id}}"]})


def test_a_bot_shows_and_ends_when_nothing_is_left():
    effects = machine([show("one"), goto(1)], [show("two")]).start()

    assert effects == [
        Shown("one", (), ()), Jumped(Jump("question", 1)), Shown("two", (), ()), Ended("The flow has no further step.")
    ]  # fmt: skip


@pytest.mark.statement("S3.2.goto")
def test_a_goto_drops_the_rest_of_its_step_and_may_go_to_answer_and_finish():
    parts = {"question": [goto(0, "answer"), show("never")], "answer": [goto(0, "finish")], "finish": [show("done")]}

    assert texts(machine(parts).start()) == ["done"]


@pytest.mark.statement("S3.2.wait_answer")
def test_a_bot_listens_and_goes_on_with_what_the_customer_wrote():
    bot = machine([h("wait_answer", type="question", step=1), show("never")], [show("You: {{message_text}}")])

    assert bot.start() == [Listening()]
    assert bot.waits_for is Waits.MESSAGE
    assert texts(bot.take_message("hi")) == ["You: hi"]


@pytest.mark.statement("S1.6.stands-still")
def test_a_widget_request_fills_its_data_and_stops_everything_behind_it():
    bot = machine([h("wait_answer", type="question", step=1)], [REQUEST, show("after")], **{"lead.id": "7"})
    bot.start()

    assert bot.take_message("hi") == [Requested("http://bridge/", {"message": "hi", "lead": ["7"]})]
    assert bot.waits_for is Waits.CONTINUE


@pytest.mark.statement("S4.7.after")
def test_what_follows_the_request_runs_after_the_continue():
    bot = machine([REQUEST, show("{{json.message}}")])
    bot.start()

    assert texts(bot.take_continue({"message": "hello"}, ())) == ["hello"]


@pytest.mark.statement("S2.1.handlers-first")
def test_handlers_of_a_continue_run_before_the_flow_goes_on():
    bot = machine([REQUEST, show("own")])
    bot.start()

    assert texts(bot.take_continue({}, (Show("first"), Show("second", (Button("x"),))))) == ["first", "second", "own"]


def test_a_goto_of_a_continue_replaces_what_would_follow():
    bot = machine([REQUEST, show("own")], [show("step one")])
    bot.start()
    handlers = parse_flow([{"question": [goto(0, "answer")]}, {}]).steps[0].question

    assert texts(bot.take_continue({}, handlers)) == []


def test_a_goto_of_a_continue_to_a_step_that_is_not_there_ends_the_bot():
    bot = machine([REQUEST, show("own")])
    bot.start()
    handlers = parse_flow([{"question": [goto(5)]}, {}, {}, {}, {}, {}]).steps[0].question

    effects = bot.take_continue({}, handlers)

    assert effects[-1] == Ended("It was sent to step 5, which the flow does not have.")
    assert bot.waits_for is None


@pytest.mark.statement("S3.2.conditions")
@pytest.mark.parametrize(
    ("logic", "a", "b", "holds"),
    [("and", "1", "1", True), ("and", "1", "2", False), ("or", "1", "2", True), ("or", "2", "2", False)],
)
def test_conditions_hold_by_their_logic(logic, a, b, holds):
    tests = [
        {"term1": "{{json.a}}", "term2": "1", "operation": "="},
        {"term1": "{{json.b}}", "term2": "1", "operation": "="},
    ]
    bot = machine([REQUEST, h("conditions", logic=logic, conditions=tests, result=[show("yes")]), show("on")])
    bot.start()

    effects = bot.take_continue({"a": a, "b": b}, ())

    assert texts(effects) == (["yes", "on"] if holds else ["on"])
    assert next(effect for effect in effects if isinstance(effect, Weighed)).holds is holds


def test_a_missing_key_is_not_equal_to_anything_but_itself():
    unequal = [{"term1": "{{json.a}}", "term2": "1", "operation": "!="}]
    bot = machine([REQUEST, h("conditions", logic="and", conditions=unequal, result=[show("differs")])])
    bot.start()

    assert texts(bot.take_continue({}, ())) == ["differs"]


@pytest.mark.statement("S2.3.braces")
def test_a_missing_key_reaches_the_customer_as_braces():
    bot = machine([REQUEST, show("Answer: {{json.message}}")])
    bot.start()

    shown = bot.take_continue({"other": "x"}, ())[0]

    assert shown == Shown("Answer: {{json.message}}", (), ("{{json.message}}",))


def test_an_answer_of_an_earlier_turn_is_never_shown_for_a_missing_key():
    bot = machine([REQUEST, show("{{json.message}}"), goto(0)])
    bot.start()
    bot.take_continue({"message": "old"}, ())

    assert texts(bot.take_continue({}, ())) == ["{{json.message}}"]


@pytest.mark.statement("S3.2.exits")
def test_a_widget_step_is_left_by_its_exit_and_the_outer_flow_goes_on():
    source = [{"question": [show("inside"), h("exits", value="success"), show("never")]}]
    bot = machine([widget(source, success=1, fail=2)], [show("went well")], [show("failed")])

    effects = bot.start()

    assert texts(effects) == ["inside", "went well"]
    assert Left("success") in effects


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([[h("exits", value="x")]], "It met an exit outside a Widget step."),
        (
            [[widget([{"question": [h("exits", value="x")]}], success=0)]],
            'The exit "x" of the Widget step leads nowhere.',
        ),
        ([[widget([{"question": [show("a")]}], success=0)]], "The Widget step ran out without an exit."),
        ([[goto(0)]], "It ran 1000 handlers without a pause: the flow goes round in circles."),
    ],
    ids=["exit outside", "exit unlinked", "no exit", "endless"],
)
def test_a_flow_that_cannot_go_on_ends_with_its_reason(steps, reason):
    assert machine(*steps).start()[-1] == Ended(reason)


def test_what_the_bot_does_not_wait_for_is_refused():
    listening, asking = machine([h("wait_answer", type="question", step=0)]), machine([REQUEST])
    listening.start()
    asking.start()

    with pytest.raises(NotWaiting):
        listening.take_continue({}, ())
    with pytest.raises(NotWaiting):
        asking.take_message("hi")


@pytest.mark.statement("S3.2.condition")
@pytest.mark.parametrize(("price", "said"), [("50", ["cheap", "on"]), ("500", ["on"])])
def test_a_condition_has_one_test(price, said):
    test = {"term1": "{{lead.price}}", "term2": "1-100", "operation": "in_range"}

    effects = machine([h("condition", **test, result=[show("cheap")]), show("on")], **{"lead.price": price}).start()

    assert texts(effects) == said


@pytest.mark.statement("S3.4.paths")
@pytest.mark.parametrize("term", ["lead.tags", "{{lead.name}}"])
def test_a_term_may_be_a_path_without_braces(term):
    test = {"term1": term, "term2": "vip", "operation": "="}
    facts = {"lead.tags": "new\x1fvip", "lead.name": "vip"}

    assert texts(machine([h("condition", **test, result=[show("yes")])], **facts).start()) == ["yes"]


@pytest.mark.statement("S3.2.validations-result")
@pytest.mark.parametrize(("reply", "said"), [("a@b.co", ["thanks", "result 1"]), ("no", ["result 0"])])
def test_a_validation_runs_its_result_and_keeps_what_it_found(reply, said):
    check = {"client_value": "{{message_text}}", "type": "email", "condition_value": ""}
    validations = h("validations", logic="and", conditions=[check], result=[show("thanks")])
    bot = machine({"question": [], "answer": [validations, show("result {{last_validation_result}}")]})
    bot.start()

    assert texts(bot.take_message(reply)) == said


@pytest.mark.statement("S3.1.answer")
def test_a_step_with_an_answer_waits_for_the_reply_once_its_question_is_asked():
    bot = machine({"question": [show("Tea or coffee?")], "answer": [show("{{message_text}} it is.")]})

    assert bot.start() == [Shown("Tea or coffee?"), Listening()]
    assert texts(bot.take_message("Tea")) == ["Tea it is."]
    assert bot.waits_for is None


@pytest.mark.statement("S3.3.no-wait")
def test_a_message_without_an_answer_behind_it_does_not_wait():
    bot = machine([h("send_message", type="external", text="Hello", recipient={"type": "main_contact"}), show("on")])

    assert texts(bot.start()) == ["Hello", "on"]
    assert bot.waits_for is None


BUTTONS = h(
    "buttons",
    params=[
        {"value": "Yes", "params": [goto(1)], "synonyms": ["sure"]},
        {"regex": "/^no/i", "params": [show("A pity.")]},
        {"type": "else", "params": [goto(0)]},
    ],
)


@pytest.mark.statement("S3.2.buttons", "S3.3.synonyms", "S3.3.else")
@pytest.mark.parametrize(
    ("reply", "by", "said"),
    [("yes", "Yes", ["Good."]), ("Sure", "Yes", ["Good."]), ("Not now", "/^no/i", ["A pity."])],
)
def test_buttons_branch_on_the_reply(reply, by, said):
    ask = h("show", type="buttons", value="Well?", buttons=["Yes", "No"])
    bot = machine({"question": [ask], "answer": [{**BUTTONS, "params": BUTTONS["params"]["params"]}]}, [show("Good.")])
    bot.start()

    effects = bot.take_message(reply)

    assert effects[0] == Chosen(by)
    assert texts(effects) == said


@pytest.mark.statement("S3.3.else")
def test_any_other_reply_goes_by_else():
    ask = h("show", type="buttons", value="Well?", buttons=["Yes", "No"])
    bot = machine({"question": [ask], "answer": [{**BUTTONS, "params": BUTTONS["params"]["params"]}]}, [show("Good.")])
    bot.start()

    assert texts(bot.take_message("what?")) == ["Well?"]
    assert bot.waits_for is Waits.MESSAGE


def pause(*, message=None, timer=None, seconds=60):
    conditions = []
    if message is not None:
        event = {"source": "message", "action": "received"}
        conditions.append({"event": event, "action": {"type": "question", "step": message}})
    if timer is not None:
        event = {"source": "timer", "value": seconds}
        conditions.append({"event": event, "action": {"type": "question", "step": timer}})
    return h("waits", logic="or", conditions=conditions)


@pytest.mark.statement("S3.3.waits", "S3.3.timer")
def test_a_pause_goes_on_with_a_message_or_when_its_time_is_over():
    def paused():
        bot = machine([pause(message=1, timer=2)], [show("you wrote {{message_text}}")], [show("too late")])
        assert bot.start() == [Listening(seconds=60.0)]
        return bot

    assert texts(paused().take_message("hi")) == ["you wrote hi"]
    assert texts(paused().take_timeout()) == ["too late"]


@pytest.mark.statement("S3.3.timer")
def test_a_pause_of_time_alone_does_not_listen():
    bot = machine([pause(timer=1)], [show("later")])

    assert bot.start() == [Listening(to_customer=False, seconds=60.0)]
    assert (bot.waits_for, bot.timer_seconds) == (Waits.TIMER, 60.0)
    with pytest.raises(NotWaiting):
        bot.take_message("hi")
    assert texts(bot.take_timeout()) == ["later"]


def test_a_bot_that_waits_for_no_timer_takes_no_timeout():
    bot = machine([h("wait_answer", type="question", step=0)])
    bot.start()

    with pytest.raises(NotWaiting):
        bot.take_timeout()


@pytest.mark.statement("S3.2.stop")
@pytest.mark.parametrize(
    ("params", "then", "number"),
    [
        ([], "", 0),
        ({"action": "talk-close"}, "talk-close", 0),
        ({"action": "salesbot-start", "bot": 7}, "salesbot-start", 7),
    ],
    ids=["stop", "talk-close", "salesbot-start"],
)
def test_a_stop_ends_the_bot_and_says_what_else_is_wanted(params, then, number):
    effects = machine([{"handler": "stop", "params": params}, show("never")]).start()

    assert effects == [Ended("Its flow stopped it.", then, number, wanted=True)]


@pytest.mark.statement("S3.3.finish")
def test_a_jump_to_a_finish_runs_the_blocks_handlers_wherever_they_stand():
    designer = machine([goto(1, "finish")], [show("bye"), {"handler": "stop", "params": []}])
    documented = machine([goto(1, "finish")], {"question": [show("no")], "finish": [show("bye")]})

    assert texts(designer.start()) == texts(documented.start()) == ["bye"]


class Refusing:
    """A channel that takes nothing with "long" in it, and a CRM that does as it is told."""

    def __init__(self):
        self.asked = []

    def deliver(self, shown):
        return replace(shown, failed="too long" if "long" in shown.text else "")

    def act(self, action):
        self.asked.append((action.name, dict(action.params)))
        return Acted(f"{action.name} done")


def refused(flow, **kwargs):
    world = Refusing()
    return Machine(parse_flow(flow, **kwargs), Values({"lead.id": "7"}), world), world


@pytest.mark.statement("S3.1.error")
def test_a_message_that_is_not_delivered_runs_the_error_handlers_and_then_the_flow_goes_on():
    bot, _ = refused(
        {"0": {"question": [show("a long text"), show("next")]}, "error": [show("Sorry, it did not fit.")]}
    )

    effects = bot.start()

    assert [(effect.text, effect.failed) for effect in effects if isinstance(effect, Shown)] == [
        ("a long text", "too long"),
        ("Sorry, it did not fit.", ""),
        ("next", ""),
    ]


def test_a_failure_inside_the_error_handlers_does_not_start_them_again():
    bot, _ = refused({"0": {"question": [show("long")]}, "error": [show("long, too")]})

    assert len(texts(bot.start())) == 2


@pytest.mark.statement("S3.1.error")
def test_a_widget_without_error_handlers_is_left_for_those_of_the_outer_flow():
    source = [{"question": [show("long"), h("exits", value="success")]}]
    bot, _ = refused(
        {"0": {"question": [widget(source, success=1)]}, "1": {"question": [show("well")]}, "error": [show("Sorry")]}
    )

    assert texts(bot.start()) == ["long", "Sorry"]


def test_without_error_handlers_the_flow_simply_goes_on():
    bot, _ = refused([{"question": [show("long"), show("next")]}])

    assert texts(bot.start()) == ["long", "next"]


@pytest.mark.statement("S3.2.action")
def test_an_action_reaches_the_crm_with_its_placeholders_filled():
    tag = {"name": "set_tag", "params": {"type": 2, "value": ["lead {{lead.id}}", "new"]}}
    bot, world = refused([{"question": [h("action", **tag), show("done")]}])

    effects = bot.start()

    assert world.asked == [("set_tag", {"type": 2, "value": ["lead 7", "new"]})]
    assert effects[0] == Acted("set_tag done")


@pytest.mark.statement("S3.2.accept-unsorted")
@pytest.mark.parametrize(("value", "asked"), [("true", [("unsorted", {"value": "accept"})]), ("false", [])])
def test_a_show_may_accept_the_incoming_lead(value, asked):
    bot, world = refused([{"question": [h("show", type="text", value="Hi", accept_unsorted=value)]}])
    bot.start()

    assert world.asked == asked


@pytest.mark.statement("S3.2.external")
def test_an_external_message_is_shown_with_its_buttons():
    message = {
        "type": "external",
        "text": "Look",
        "buttons": [{"type": "url", "text": "Site", "url": "https://a.example"}],
    }
    recipient = {"type": "main_contact", "way_of_communication": "last_active"}
    bot = machine([h("send_external_message", message=message, recipient=recipient, channels=[{"id": 1}])])

    assert bot.start()[0] == Shown("Look", (Button("Site", "https://a.example"),))


@pytest.mark.statement("S3.2.quick-replies")
def test_quick_replies_are_shown_as_choices():
    bot = machine([h("show", type="text", value="Your number?", quick_replies=["user_phone_number"])])

    assert bot.start()[0].buttons == (Button("(user_phone_number)"),)
