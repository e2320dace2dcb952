"""The start page."""

import re
from datetime import UTC, datetime, timedelta

from django.test import Client
from django.urls import reverse

from bots.models import Account, User
from bots.states import Outcome, State
from tests.bots.admin.conftest import browser_of, queries_of
from tests.cast import Cast, a_bot, a_model_choice, a_provider, an_account, an_exchange

INDEX = reverse("admin:index")


def figures(client: Client) -> dict[str, int]:
    """Give the numbers of the first account by name."""
    shown = client.get(INDEX).content.decode()
    pattern = r'kb-figure-amount">(\d+)</strong>\s*<span class="kb-figure-name">([^<]+)<'
    return {name: int(amount) for amount, name in re.findall(pattern, shown)}


def test_it_counts_the_last_day_by_outcome_and_what_was_not_delivered(viewer: Client, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED)
    an_exchange(people.acme, state=State.DELIVERED, outcome=Outcome.HANDOFF)
    an_exchange(people.acme, state=State.GONE)
    an_exchange(people.acme, state=State.DELIVERED, received_at=datetime.now(UTC) - timedelta(hours=25))
    an_exchange(people.rival, state=State.DELIVERED)
    assert figures(viewer) == {"answered": 2, "handed over": 1, "silent": 0, "fallback": 0, "too late": 1}


def test_every_number_leads_to_the_rows_behind_it(viewer: Client, people: Cast):
    handed = an_exchange(people.acme, state=State.DELIVERED, outcome=Outcome.HANDOFF)
    an_exchange(people.acme, state=State.DELIVERED)
    shown = viewer.get(INDEX).content.decode()
    link = re.search(r'href="([^"]+outcome=handoff)"', shown)
    assert link
    assert list(viewer.get(link.group(1).replace("&amp;", "&")).context["cl"].result_list) == [handed]


def test_it_says_what_needs_attention_and_leads_there(owner: Client, people: Cast):
    Account.objects.filter(pk=people.acme.pk).update(access_token="")
    shown = owner.get(INDEX).content.decode()
    assert "The long-lived token is missing" in shown
    assert reverse("admin:bots_account_change", args=[people.acme.pk]) in shown


def test_it_says_when_nothing_does(owner: Client, people: Cast):
    a_model_choice(a_bot(people.acme), a_provider(people.acme))
    assert "Nothing needs attention." in owner.get(INDEX).content.decode()


def test_a_member_sees_the_own_account_and_an_operator_all(owner: Client, operator: Client, people: Cast):
    cards = {
        who: {card.account for card in client.get(INDEX).context["cards"]}
        for who, client in (("m", owner), ("o", operator))
    }
    assert cards == {"m": {people.acme}, "o": {people.acme, people.rival}}


def test_somebody_without_an_account_is_told_what_to_do(people: Cast):
    client = browser_of(User.objects.create_user("new@acme.test"))
    shown = client.get(INDEX).content.decode()
    assert "Its owner can add you" in shown
    assert "/admin/bots/" not in shown


def test_an_operator_of_nothing_is_led_to_the_first_account(operator: Client, people: Cast):
    Account.objects.all().delete()
    assert reverse("admin:bots_account_add") in operator.get(INDEX).content.decode()


def test_many_accounts_cost_the_same_number_of_queries(operator: Client, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED, bot=a_bot(people.acme))
    before = queries_of(operator, INDEX)
    for _ in range(12):
        account = an_account()
        an_exchange(account, state=State.DELIVERED, bot=a_bot(account))
    assert queries_of(operator, INDEX) == before
