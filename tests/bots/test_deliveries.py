"""Deliveries up to the answer: what each answer of Kommo means, and how a call goes out."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bots.deliveries import BACKOFF_S, PROBE_AFTER_S, Parcel, Result, begin, judge, send
from bots.kommo import BadAccessToken, BadOrigin, KommoAnswer, NotConnected, continue_body
from bots.models import Account, Bot, Exchange
from bots.states import State
from kommobridge.base.keyring import SecretUnreadable
from tests.bots.continues import (
    ANSWER_LOST,
    NOON,
    TABLE,
    UNREACHABLE,
    D,
    answered,
    answered_exchange,
)
from tests.cast import an_account
from tests.environment import a_free_port
from tests.stubs.kommo import KommoStub

# the table


@pytest.mark.parametrize("name", TABLE)
def test_the_first_call_leads_where_the_table_says(name: str):
    result, state, special, _ = TABLE[name]
    verdict = judge(result, probing=False, shortened=False, posts=1)
    assert verdict.state is state
    flags = {"probe": verdict.probe, "shorten": verdict.shorten, "trouble": verdict.is_trouble}
    assert {flag for flag, is_set in flags.items() if is_set} == special


@pytest.mark.parametrize("name", TABLE)
def test_the_probe_leads_where_the_table_says(name: str):
    result, _, _, state = TABLE[name]
    verdict = judge(result, probing=True, shortened=False, posts=2)
    assert verdict.state is state
    assert not verdict.probe
    assert not verdict.shorten
    assert not verdict.is_trouble


@pytest.mark.parametrize("status", [400, 422])
def test_a_message_is_shortened_once(status: int):
    verdict = judge(answered(status, codes=("TooLong",)), probing=False, shortened=True, posts=2)
    assert (verdict.state, verdict.shorten) == (State.REJECTED, False)


@given(status=st.integers(100, 599), is_html=st.booleans(), shortened=st.booleans(), posts=st.integers(1, 50))
def test_only_a_2xx_is_a_delivery_and_a_probe_always_ends(*, status: int, is_html: bool, shortened: bool, posts: int):
    answer = answered(status, is_html=is_html)
    first = judge(answer, probing=False, shortened=shortened, posts=posts)
    probe = judge(answer, probing=True, shortened=shortened, posts=posts)
    assert (first.state is State.DELIVERED) == (200 <= status < 300) == (probe.state is State.DELIVERED)
    assert probe.state in (State.DELIVERED, State.UNKNOWN)


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][1] is not D])
def test_whatever_is_no_delivery_has_a_reason_for_code_and_for_people(name: str):
    verdict = judge(TABLE[name][0], probing=False, shortened=False, posts=1)
    assert verdict.reason
    assert len(verdict.reason) <= 40
    assert len(verdict.reason_text) > 10


@pytest.mark.parametrize(
    "result", [UNREACHABLE, answered(429), answered(403, is_html=True)], ids=["refused", "429", "block"]
)
def test_the_pause_grows_with_the_calls_up_to_a_limit_and_never_falls_to_nothing(result: Result):
    for posts in range(1, 12):
        step = BACKOFF_S[min(posts, len(BACKOFF_S)) - 1]
        after_s = judge(result, probing=False, shortened=False, posts=posts).after_s
        assert 0.8 * step <= after_s <= 1.2 * step


@pytest.mark.parametrize("status", [429, 403])
def test_kommo_is_given_the_pause_that_it_asks_for(status: int):
    answer = answered(status, is_html=status == 403, retry_after_s=42.0)
    assert judge(answer, probing=False, shortened=False, posts=1).after_s == 42.0


@pytest.mark.parametrize("status", [429, 403])
def test_a_pause_of_nothing_that_kommo_asks_for_is_still_a_pause(status: int):
    answer = answered(status, is_html=status == 403, retry_after_s=0.0)
    assert judge(answer, probing=False, shortened=False, posts=1).after_s >= 0.8


def test_the_probe_follows_soon():
    assert judge(ANSWER_LOST, probing=False, shortened=False, posts=5).after_s == PROBE_AFTER_S


# before the call


@pytest.mark.django_db
def test_sending_is_written_before_the_call():
    exchange = answered_exchange()

    parcel = begin(exchange, now=NOON)

    stored = Exchange.objects.get()
    assert parcel is not None
    assert (stored.state, stored.posts, stored.post_out, stored.probing) == (State.SENDING, 1, True, False)


@pytest.mark.django_db
def test_a_parcel_holds_the_stored_body_for_the_account_s_own_address_and_token():
    account = an_account(origin="https://acme.amocrm.com", access_token="token-of-acme")
    exchange = answered_exchange(account=account, bot_type="marketingbot", salesbot_id="007", continue_id="9")

    parcel = begin(exchange, now=NOON)

    assert parcel is not None
    assert parcel.url == "https://acme.amocrm.com/api/v4/marketingbot/007/continue/9"
    assert (parcel.access_token, parcel.body, parcel.exempt) == ("token-of-acme", exchange.body, False)


@pytest.mark.django_db
def test_an_origin_that_the_deployment_named_is_exempt(settings: Any):
    settings.KOMMO_EXTRA_ORIGINS = frozenset({"http://127.0.0.1:9101"})
    parcel = begin(answered_exchange(account=an_account(origin="http://127.0.0.1:9101")), now=NOON)
    assert parcel is not None
    assert parcel.exempt


def test_a_parcel_does_not_show_its_token_or_text():
    parcel = Parcel(url="https://acme.kommo.com", access_token="planted", body={"data": "planted"}, exempt=False)
    assert "planted" not in repr(parcel) + str(parcel)


@pytest.mark.django_db
def test_who_lost_the_exchange_sends_nothing():
    exchange = answered_exchange()
    Exchange.objects.update(claim=2)
    assert begin(exchange, now=NOON) is None
    assert Exchange.objects.get().state == State.ANSWERED


@pytest.mark.django_db
@pytest.mark.parametrize("off", ["account", "bot"])
def test_what_was_switched_off_meanwhile_goes_on_in_silence(off: str):
    exchange = answered_exchange()
    (Account if off == "account" else Bot).objects.update(enabled=False)

    parcel = begin(exchange, now=NOON)

    assert parcel is not None
    assert parcel.body == {"data": {"status": "silent", "message": "", "show": "0"}}
    stored = Exchange.objects.get()
    assert (stored.outcome, stored.reply_text, stored.body, stored.reason) == (
        "silent",
        "",
        parcel.body,
        "switched_off",
    )


@pytest.mark.django_db
def test_a_probe_repeats_the_same_body_even_when_the_account_was_switched_off_meanwhile():
    exchange = answered_exchange(state=State.SENDING, probing=True, posts=1)
    Account.objects.update(enabled=False)

    parcel = begin(exchange, now=NOON)

    assert parcel is not None
    assert parcel.body == exchange.body
    assert parcel.body["data"]["message"] == exchange.reply_text != ""


@pytest.mark.django_db
def test_a_call_that_was_out_when_its_worker_died_makes_the_next_one_a_probe():
    exchange = answered_exchange(state=State.SENDING, post_out=True, interrupted=True, posts=1)
    begin(exchange, now=NOON)
    stored = Exchange.objects.get()
    assert (stored.probing, stored.interrupted, stored.posts) == (True, False, 2)


@pytest.mark.django_db
def test_a_token_that_can_not_be_decrypted_stops_the_call_before_anything_is_written(settings: Any):
    exchange = answered_exchange()
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SecretUnreadable):
        begin(exchange, now=NOON)
    assert Exchange.objects.get().state == State.ANSWERED


# the call


def parcel_to(origin: str, *, token: str = "token-of-acme", exempt: bool = True) -> Parcel:
    body = continue_body(status="success", message="Yes.", outputs={})
    return Parcel(url=f"{origin}/api/v4/salesbot/1/continue/2", access_token=token, body=body, exempt=exempt)


def test_an_answer_of_kommo_comes_back_as_a_value():
    with KommoStub() as kommo:
        url = f"{kommo.origin}/api/v4/salesbot/1/continue/{kommo.next_id('404')}"
        result = send(Parcel(url=url, access_token=kommo.access_token, body={"data": {}}, exempt=True))
    assert isinstance(result, KommoAnswer)
    assert result.status == 404


@pytest.mark.parametrize(
    ("parcel", "kind"),
    [
        (lambda: parcel_to(f"http://127.0.0.1:{a_free_port()}"), NotConnected),
        (lambda: parcel_to("http://127.0.0.1:1", token="has a space"), BadAccessToken),
        (lambda: parcel_to("http://127.0.0.1:1", exempt=False), BadOrigin),
    ],
    ids=["nobody listens", "a token that no header carries", "not an address of Kommo's"],
)
def test_every_way_in_which_a_call_can_fail_comes_back_as_a_value(parcel: Any, kind: type[Exception]):
    assert isinstance(send(parcel()), kind)
