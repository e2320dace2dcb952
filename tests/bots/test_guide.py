"""Which step of the setup guide is done, by what proof, and what is next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bots.guide import (
    IN_KOMMO,
    Proof,
    Step,
    StepCode,
    StepState,
    checklist,
    count_done,
    is_waiting,
    with_tick,
)
from bots.guide_facts import TROUBLES, Facts, Remark, Seen
from bots.token_hints import NO_HINTS, TokenHints

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
BARE = Facts(
    created_at=EARLIER,
    is_on=True,
    kommo_id=31337,
    has_client_id=False,
    has_secret=False,
    has_token=False,
    is_readable=True,
    token=NO_HINTS,
    has_bot=False,
    is_bot_on=False,
    has_model=False,
    has_key=False,
    widget_version="",
    widget_built_at=None,
    ticks=frozenset(),
    can_be_reached=True,
    refused_at=None,
    first_request=None,
    last_request=None,
    first_reply=None,
)
ENTERED = replace(
    BARE,
    has_client_id=True,
    has_secret=True,
    has_token=True,
    has_bot=True,
    is_bot_on=True,
    has_model=True,
    has_key=True,
)
BUILT = replace(ENTERED, widget_version="1.0.9", widget_built_at=EARLIER)
REQUEST = Seen(at=EARLIER, widget_version="1.0.9", ending=Remark.ANSWERING)
REPLY = Seen(at=EARLIER, widget_version="1.0.9")
CALLED = replace(BUILT, first_request=REQUEST, last_request=REQUEST)
ANSWERED = replace(BUILT, first_request=REPLY, last_request=REPLY, first_reply=REPLY)


def step(code: StepCode, facts: Facts) -> Step:
    """Give one step as it stands."""
    return next(one for one in checklist(facts, now=NOW) if one.code is code)


def states(facts: Facts) -> list[str]:
    """Give every step's state."""
    return [one.state.value for one in checklist(facts, now=NOW)]


# ---- the way from nothing to an answer


@pytest.mark.parametrize(
    ("facts", "done", "following"),
    [
        (BARE, 1, StepCode.INTEGRATION),
        (replace(BARE, has_client_id=True), 2, StepCode.SECRETS),
        (replace(BARE, has_client_id=True, has_secret=True, has_token=True), 3, StepCode.BOT),
        (ENTERED, 4, StepCode.WIDGET),
        (BUILT, 5, StepCode.UPLOAD),
        (replace(BUILT, ticks=frozenset({"upload"})), 6, StepCode.SETTINGS),
        (replace(BUILT, ticks=frozenset({"upload", "settings"})), 7, StepCode.SALESBOT),
        (replace(BUILT, ticks=frozenset({"upload", "settings", "salesbot"})), 8, StepCode.REQUEST),
        (CALLED, 9, StepCode.REPLY),
        (ANSWERED, 10, None),
    ],
    ids=[
        "an account", "its integration", "its secrets", "a bot", "a widget", "uploaded", "settings saved", "a Salesbot",
        "a request", "a reply",
    ],
)  # fmt: skip
def test_each_thing_done_leads_to_the_step_after_it(facts: Facts, done: int, following: StepCode | None):
    steps = checklist(facts, now=NOW)
    assert count_done(steps) == done
    assert [one.code for one in steps if one.is_next] == ([following] if following else [])
    assert states(facts) == ["done"] * done + ["next"] * (done < 10) + ["open"] * (9 - done)


def test_the_steps_are_always_ten_in_the_same_order():
    assert [one.code for one in checklist(BARE, now=NOW)] == list(StepCode)
    assert [one.code for one in checklist(ANSWERED, now=NOW)] == list(StepCode)


def test_a_later_step_may_be_done_before_an_earlier_one():
    facts = replace(BUILT, has_key=False)
    assert step(StepCode.BOT, facts).is_next
    assert step(StepCode.WIDGET, facts).state is StepState.DONE


# ---- evidence and hands


@pytest.mark.parametrize("code", sorted(IN_KOMMO))
def test_a_request_proves_what_was_done_in_kommo(code: StepCode):
    one = step(code, CALLED)
    assert (one.state, one.proof, one.at, one.can_be_ticked) == (StepState.DONE, Proof.SEEN, EARLIER, False)


@pytest.mark.parametrize("code", sorted(IN_KOMMO))
def test_evidence_outranks_a_tick(code: StepCode):
    assert step(code, replace(CALLED, ticks=frozenset({code.value}))).proof is Proof.SEEN


@pytest.mark.parametrize("code", sorted(IN_KOMMO))
def test_without_a_request_a_hand_ticks_it_and_may_take_that_back(code: StepCode):
    one = step(code, replace(BUILT, ticks=frozenset({code.value})))
    assert (one.state, one.proof, one.at, one.can_be_ticked) == (StepState.DONE, Proof.HAND, None, True)


@pytest.mark.parametrize("code", sorted(set(StepCode) - IN_KOMMO))
def test_no_hand_ticks_what_the_rows_tell(code: StepCode):
    everything = frozenset(one.value for one in StepCode)
    ticked, bare = step(code, replace(BARE, ticks=everything)), step(code, BARE)
    assert (ticked.proof, ticked.can_be_ticked) == (bare.proof, False)


def test_a_widget_from_elsewhere_is_proved_by_its_request():
    seen = Seen(at=EARLIER)
    one = step(StepCode.WIDGET, replace(ENTERED, first_request=seen, last_request=seen))
    assert (one.state, one.proof) == (StepState.DONE, Proof.SEEN)


def test_a_widget_built_here_is_proved_by_its_building():
    assert step(StepCode.WIDGET, CALLED).proof is Proof.BUILT


# ---- trouble, and what is missing


def remark(code: StepCode, facts: Facts) -> Remark | None:
    """Give what is said about a step."""
    return step(code, facts).remark


@pytest.mark.parametrize(
    ("code", "facts", "expected"),
    [
        (StepCode.ACCOUNT, replace(ENTERED, is_on=False), Remark.ACCOUNT_OFF),
        (StepCode.SECRETS, replace(ENTERED, is_readable=False), Remark.UNREADABLE),
        (StepCode.SECRETS, replace(ENTERED, token=TokenHints(NOW, None)), Remark.TOKEN_ENDED),
        (StepCode.SECRETS, replace(ENTERED, token=TokenHints(None, 31338)), Remark.TOKEN_OF_ANOTHER),
        (StepCode.BOT, replace(ENTERED, is_bot_on=False), Remark.BOT_OFF),
        (StepCode.REQUEST, replace(BUILT, can_be_reached=False), Remark.LOCAL_ADDRESS),
        (StepCode.REQUEST, replace(BUILT, refused_at=NOW), Remark.REFUSED),
        *((StepCode.REPLY, replace(CALLED, last_request=replace(REQUEST, ending=ending)), ending)
          for ending in (Remark.FALLBACK, Remark.NO_WORDS, Remark.NOT_DELIVERED)),
    ],
    ids=[
        "account off", "unreadable", "token ended", "token of another", "bot off", "local address", "refused",
        "fallback",
        "no words", "not delivered",
    ],
)  # fmt: skip
def test_trouble_is_told_and_is_not_done(code: StepCode, facts: Facts, expected: Remark):
    one = step(code, facts)
    assert (one.remark, one.state) == (expected, StepState.TROUBLE)
    assert expected in TROUBLES


@pytest.mark.parametrize(
    ("code", "facts", "expected"),
    [
        (StepCode.SECRETS, replace(ENTERED, has_secret=False), Remark.NO_SECRET),
        (StepCode.SECRETS, replace(ENTERED, has_token=False), Remark.NO_TOKEN),
        (StepCode.BOT, replace(ENTERED, has_bot=False), Remark.NO_BOT),
        (StepCode.BOT, replace(ENTERED, has_model=False, has_key=False), Remark.NO_MODEL),
        (StepCode.BOT, replace(ENTERED, has_key=False), Remark.NO_KEY),
        (StepCode.REPLY, CALLED, Remark.ANSWERING),
    ],
    ids=["no secret", "no token", "no bot", "no model", "no key", "being answered"],
)
def test_what_is_missing_is_told_without_alarm(code: StepCode, facts: Facts, expected: Remark):
    one = step(code, facts)
    assert (one.remark, one.state, one.proof) == (expected, StepState.NEXT, None)


def test_every_trouble_is_covered_by_these_tests():
    harmless = {
        Remark.NO_SECRET,
        Remark.NO_TOKEN,
        Remark.NO_BOT,
        Remark.NO_MODEL,
        Remark.NO_KEY,
        Remark.OLD_WIDGET,
        Remark.ANSWERING,
    }
    assert set(Remark) - harmless == TROUBLES


def test_the_first_step_in_trouble_is_the_one_to_take_although_all_others_are_done():
    steps = checklist(replace(ANSWERED, token=TokenHints(EARLIER, None)), now=NOW)
    assert [(one.code, one.state) for one in steps if one.is_next] == [(StepCode.SECRETS, StepState.TROUBLE)]
    assert count_done(steps) == 9


def test_trouble_further_down_doesnt_move_what_is_next():
    facts = replace(BUILT, can_be_reached=False)
    assert step(StepCode.UPLOAD, facts).is_next
    assert step(StepCode.REQUEST, facts).state is StepState.TROUBLE


def test_a_token_that_ends_later_and_names_this_account_is_fine():
    facts = replace(ENTERED, token=TokenHints(NOW + timedelta(seconds=1), 31337))
    assert step(StepCode.SECRETS, facts).state is StepState.DONE


def test_a_delivered_reply_outranks_the_account_that_the_token_names():
    assert remark(StepCode.SECRETS, replace(ANSWERED, token=TokenHints(None, 31338))) is None


def test_a_request_outranks_the_look_of_the_address():
    assert step(StepCode.REQUEST, replace(CALLED, can_be_reached=False)).state is StepState.DONE


def test_a_refused_request_outranks_the_look_of_the_address():
    assert remark(StepCode.REQUEST, replace(BUILT, can_be_reached=False, refused_at=NOW)) is Remark.REFUSED


def test_a_refusal_after_requests_that_were_taken_keeps_their_proof_and_is_trouble():
    one = step(StepCode.REQUEST, replace(ANSWERED, refused_at=NOW))
    assert (one.state, one.is_next, one.proof, one.at) == (StepState.TROUBLE, True, Proof.SEEN, EARLIER)
    assert step(StepCode.REPLY, replace(ANSWERED, refused_at=NOW)).state is StepState.DONE


def test_a_refusal_proves_nothing_of_what_was_done_in_kommo():
    assert step(StepCode.UPLOAD, replace(BUILT, refused_at=NOW)).proof is None


def test_a_reply_once_delivered_stays_done_whatever_became_of_later_ones():
    late = Seen(at=NOW, widget_version="1.0.9", ending=Remark.NOT_DELIVERED)
    assert step(StepCode.REPLY, replace(ANSWERED, last_request=late)).state is StepState.DONE


@pytest.mark.parametrize(
    ("running", "built", "is_old"),
    [
        ("1.0.8", "1.0.9", True),
        ("1.0.9", "1.0.10", True),
        ("1.0.9", "1.0.9", False),
        ("1.0.10", "1.0.9", False),
        ("", "1.0.9", False),
        ("mine", "1.0.9", False),
        ("1.0.8", "", False),
    ],
    ids=["older", "older by number", "the same", "newer", "none named", "no version", "none built here"],
)
def test_a_salesbot_with_an_older_widget_is_told_of_and_stays_done(running: str, built: str, *, is_old: bool):
    facts = replace(ANSWERED, widget_version=built, last_request=replace(REPLY, widget_version=running))
    one = step(StepCode.SALESBOT, facts)
    assert (one.remark is Remark.OLD_WIDGET, one.state) == (is_old, StepState.DONE)


def test_the_page_waits_for_news_until_an_answer_was_delivered():
    assert is_waiting(checklist(BARE, now=NOW))
    assert is_waiting(checklist(CALLED, now=NOW))
    assert not is_waiting(checklist(ANSWERED, now=NOW))


def test_after_a_refusal_the_page_waits_for_the_request_that_ends_it():
    assert is_waiting(checklist(replace(ANSWERED, refused_at=NOW), now=NOW))


# ---- ticks


@pytest.mark.parametrize(
    ("before", "code", "ticked", "after"),
    [
        ([], StepCode.SETTINGS, True, ["settings"]),
        (["settings"], StepCode.UPLOAD, True, ["upload", "settings"]),
        (["upload"], StepCode.UPLOAD, True, ["upload"]),
        (["upload", "settings"], StepCode.UPLOAD, False, ["settings"]),
        ([], StepCode.UPLOAD, False, []),
        (["account", "gone"], StepCode.UPLOAD, True, ["upload"]),
    ],
    ids=["first", "in order", "twice", "taken back", "taken back twice", "what no hand ticks falls away"],
)
def test_ticks_are_set_and_taken(before: list[str], code: StepCode, after: list[str], *, ticked: bool):
    assert with_tick(before, code, ticked=ticked) == after
