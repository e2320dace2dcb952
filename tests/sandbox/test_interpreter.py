import pytest

from sandbox.flows import parse_flow
from sandbox.handlers import Button, Jump, Show
from sandbox.interpreter import Ended, Jumped, Left, Listening, Machine, NotWaiting, Requested, Shown, Waits, Weighed
from sandbox.placeholders import Values


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


def test_a_goto_drops_the_rest_of_its_step_and_may_go_to_answer_and_finish():
    parts = {"question": [goto(0, "answer"), show("never")], "answer": [goto(0, "finish")], "finish": [show("done")]}

    assert texts(machine(parts).start()) == ["done"]


def test_a_bot_listens_and_goes_on_with_what_the_customer_wrote():
    bot = machine([h("wait_answer", type="question", step=1), show("never")], [show("You: {{message_text}}")])

    assert bot.start() == [Listening()]
    assert bot.waits_for is Waits.MESSAGE
    assert texts(bot.take_message("hi")) == ["You: hi"]


def test_a_widget_request_fills_its_data_and_stops_everything_behind_it():
    bot = machine([h("wait_answer", type="question", step=1)], [REQUEST, show("after")], **{"lead.id": "7"})
    bot.start()

    assert bot.take_message("hi") == [Requested("http://bridge/", {"message": "hi", "lead": ["7"]})]
    assert bot.waits_for is Waits.CONTINUE


def test_what_follows_the_request_runs_after_the_continue():
    bot = machine([REQUEST, show("{{json.message}}")])
    bot.start()

    assert texts(bot.take_continue({"message": "hello"}, ())) == ["hello"]


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
