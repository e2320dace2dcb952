"""The setup guide's page: what it shows to whom, how it is ticked, and what it costs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client, override_settings
from django.urls import reverse

from bots.admin.explained import REFUSALS
from bots.admin.guide_facts import is_public
from bots.admin.guide_words import REMARKS, STATES, TITLES
from bots.guide import IN_KOMMO, StepCode, StepState
from bots.guide_facts import Remark
from bots.models import Account, Bot, Provider
from bots.refusals import OF_SETTINGS
from bots.states import Outcome, State
from kommobridge.base.environment import PROJECT_DIR
from tests.bots.admin.conftest import queries_of
from tests.bots.door import Door
from tests.bots.test_token_hints import jwt_of
from tests.cast import Cast, a_bot, a_model_choice, a_provider, an_account, an_exchange
from tests.promises.pages import add_page, row_pages, submit

PUBLIC = "https://bridge.example.com"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def public_address(settings: Any) -> None:
    """Let the bridge have an address that Kommo could reach."""
    settings.PUBLIC_URL = PUBLIC


def guide_of(account: Account) -> str:
    return reverse("admin:bots_account_guide", args=[account.pk])


def shown(client: Client, account: Account) -> dict[str, Any]:
    """Give the steps of the page by code."""
    response = client.get(guide_of(account))
    assert response.status_code == 200
    return {step.code: step for step in response.context["steps"]}


def following(client: Client, account: Account) -> list[str]:
    """Give the codes of the steps that are marked as next."""
    return [code for code, step in shown(client, account).items() if step.is_next]


def tick(client: Client, account: Account, code: str, *, ticked: str = "1") -> Any:
    return client.post(guide_of(account), {"step": code, "ticked": ticked})


def complete(account: Account) -> Bot:
    """Give an account a bot that can answer."""
    bot = a_bot(account)
    a_model_choice(bot, a_provider(account))
    return bot


def change(account: Account, **fields: Any) -> None:
    """Write fields, secrets among them."""
    for name, value in fields.items():
        setattr(account, name, value)
    account.save()


# ---- from nothing to the first answer


def test_a_connected_account_without_a_bot_is_led_to_the_bot(owner: Client, people: Cast):
    steps = shown(owner, people.acme)
    assert [code for code, step in steps.items() if step.is_done] == ["account", "integration", "secrets"]
    assert following(owner, people.acme) == ["bot"]
    assert "a bot that is marked as default" in steps["bot"].remark


def test_each_row_that_is_made_ticks_its_step(owner: Client, people: Cast):
    seen = []
    provider = a_provider(people.acme, api_key="")
    a_model_choice(a_bot(people.acme), provider)
    seen += following(owner, people.acme)
    provider.api_key = "sk-a-key"
    provider.save()
    seen += following(owner, people.acme)
    change(people.acme, widget_version="1.0.3", widget_built_at=NOON)
    for code in ("upload", "settings", "salesbot"):
        seen += following(owner, people.acme)
        tick(owner, people.acme, code)
    seen += following(owner, people.acme)
    exchange = an_exchange(people.acme, state=State.ANSWERING, widget_version="1.0.3")
    seen += following(owner, people.acme)
    exchange.state, exchange.outcome = State.DELIVERED, Outcome.HANDOFF
    exchange.save(update_fields=["state", "outcome"])
    seen += following(owner, people.acme)
    assert seen == ["bot", "widget", "upload", "settings", "salesbot", "request", "reply"]
    assert "All steps are done" in owner.get(guide_of(people.acme)).content.decode()


def test_the_page_says_how_each_step_was_ticked(owner: Client, people: Cast):
    complete(people.acme)
    change(
        people.acme,
        time_zone="Europe/Madrid",
        access_token=jwt_of({"exp": 1_900_000_000}),
        widget_version="1.0.3",
        widget_built_at=NOON,
        guide_ticks=["upload"],
    )
    steps = shown(owner, people.acme)
    assert steps["secrets"].proof == "entered; by its own words the token is good until 17 Mar 2030, 18:46 CET"
    assert steps["widget"].proof == "version 1.0.3, built on 24 Nov 2026, 13:00 CET"
    assert steps["upload"].proof == "ticked by hand"
    an_exchange(people.acme, state=State.DELIVERED, received_at=NOON, widget_version="1.0.3")
    assert shown(owner, people.acme)["upload"].proof == "seen on 24 Nov 2026, 13:00 CET, from widget 1.0.3"
    assert "Seen on 24 Nov 2026, 13:00 CET, from widget 1.0.3" in owner.get(guide_of(people.acme)).content.decode()


def test_exactly_one_step_is_unfolded_and_marked(owner: Client, people: Cast):
    html = owner.get(guide_of(people.acme)).content.decode()
    assert len(re.findall(r"<details id=\"next\" open>", html)) == 1
    assert len(re.findall(r'aria-current="step"', html)) == 1
    assert html.index('aria-current="step"') < html.index('<details id="next" open>')


def test_the_first_delivered_answer_counts_not_one_of_another_account(owner: Client, people: Cast):
    complete(people.acme)
    an_exchange(people.rival, state=State.DELIVERED)
    steps = shown(owner, people.acme)
    assert not steps["request"].is_done
    assert not steps["reply"].is_done


# ---- trouble


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": State.DELIVERED, "outcome": Outcome.FAIL}, "Kommo took the fallback text"),
        ({"state": State.DELIVERED, "outcome": Outcome.SILENT, "reply_text": ""}, "an answer without words"),
        ({"state": State.REJECTED, "reason_text": "Set a new long-lived token."}, "Set a new long-lived token."),
        ({"state": State.GONE, "reason_text": "The Salesbot waits no more."}, "The Salesbot waits no more."),
        ({"state": State.UNKNOWN}, "The exchange shows what Kommo said."),
        ({"state": State.SENDING}, "being answered right now"),
    ],
    ids=["fallback", "silent", "refused", "too late", "uncertain", "on its way"],
)
def test_what_became_of_the_newest_request_is_told_with_its_exchange(
    owner: Client, people: Cast, fields: dict[str, Any], told: str
):
    complete(people.acme)
    exchange = an_exchange(people.acme, **fields)
    step = shown(owner, people.acme)["reply"]
    assert not step.is_done
    assert told in step.remark
    assert step.link == row_pages(exchange)["change"]
    assert step.is_trouble is (fields["state"] is not State.SENDING)


def refuse(account: Account, *, at: datetime = NOON, code: str = "signature") -> None:
    Account.objects.filter(pk=account.pk).update(refused_at=at, refused_code=code)


def test_a_wrong_secret_is_told_at_the_request_until_one_is_taken(owner: Client, people: Cast):
    complete(people.acme)
    door = Door(people.acme)
    forged = door.body(token=door.token(secret="a secret that nobody entered, long enough"))
    assert door.knock(forged).status_code == 401
    step = shown(owner, people.acme)["request"]
    assert (step.is_trouble, step.is_done, step.proof) == (True, False, "")
    assert step.remark.startswith("The last request was refused: it is not signed with the secret key")
    assert door.knock().status_code == 200
    step = shown(owner, people.acme)["request"]
    assert (step.remark, step.is_done) == ("", True)


@pytest.mark.parametrize("code", sorted(OF_SETTINGS))
def test_every_refusal_is_told_with_its_time(owner: Client, people: Cast, code: str):
    change(people.acme, time_zone="Europe/Madrid")
    refuse(people.acme, code=code)
    remark = shown(owner, people.acme)["request"].remark
    assert remark.startswith(str(REFUSALS[code]))
    assert "That was on 24 Nov 2026, 13:00 CET" in remark


def test_a_later_refusal_leaves_the_proof_of_the_first_request(owner: Client, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED, received_at=NOON, widget_version="1.0.3")
    refuse(people.acme, at=NOON + timedelta(hours=5))
    step = shown(owner, people.acme)["request"]
    assert step.is_trouble
    assert step.proof == "seen on 24 Nov 2026, 12:00 UTC, from widget 1.0.3"
    assert 'data-guide="waiting"' in owner.get(guide_of(people.acme)).content.decode()


def test_a_token_that_ended_is_told_by_its_day(owner: Client, people: Cast):
    change(people.acme, access_token=jwt_of({"exp": 1_700_000_000}))
    step = shown(owner, people.acme)["secrets"]
    assert "the token ended on 14 Nov 2023, 22:13 UTC" in step.remark
    assert "good until" not in step.proof


def test_a_token_of_another_account_names_both(owner: Client, people: Cast):
    change(people.acme, access_token=jwt_of({"account_id": 99}))
    assert f"Kommo account 99, and {people.acme.kommo_id} is entered" in shown(owner, people.acme)["secrets"].remark


def test_secrets_that_cant_be_decrypted_are_told_and_break_nothing(owner: Client, people: Cast):
    with override_settings(FIELD_KEYS=["pWzqlWYLx6lyRrs0X9JXA2cjjoK4rXd8nTWAWzBq7-Y="]):
        assert "can't be decrypted" in shown(owner, people.acme)["secrets"].remark


def test_an_old_widget_is_told_with_both_versions(owner: Client, people: Cast):
    change(people.acme, widget_version="1.0.10", widget_built_at=NOON)
    an_exchange(people.acme, state=State.DELIVERED, widget_version="1.0.9")
    remark = shown(owner, people.acme)["salesbot"].remark
    assert "1.0.9" in remark
    assert "1.0.10" in remark


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000", "http://localhost", "https://10.1.2.3", "http://pc.local"]
)
def test_an_address_that_kommo_cant_reach_is_told(owner: Client, people: Cast, settings: Any, address: str):
    settings.PUBLIC_URL = address
    assert address in shown(owner, people.acme)["request"].remark
    settings.KOMMO_EXTRA_ORIGINS = [people.acme.origin]  # a Kommo of one's own network may
    assert shown(owner, people.acme)["request"].remark == ""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("https://bridge.example.com", True),
        ("https://8.8.8.8", True),
        ("https://[2606:4700::1111]:8443", True),
        ("http://[::1]:8000", False),
        ("http://192.168.0.7", False),
        ("http://app.internal", False),
        ("", False),
    ],
)
def test_addresses_are_told_apart_by_their_host(address: str, *, public: bool):
    assert is_public(address) is public


# ---- ticks


@pytest.mark.parametrize("who", ["owner", "editor", "operator"])
def test_owners_editors_and_operators_tick_and_take_back(who: str, request: pytest.FixtureRequest, people: Cast):
    client = request.getfixturevalue(who)
    response = tick(client, people.acme, "settings")
    assert response.status_code == 302
    assert response.headers["Location"] == f"{guide_of(people.acme)}#step-settings"
    people.acme.refresh_from_db()
    assert people.acme.guide_ticks == ["settings"]
    assert shown(client, people.acme)["settings"].tick == "0"
    tick(client, people.acme, "settings", ticked="0")
    people.acme.refresh_from_db()
    assert people.acme.guide_ticks == []
    history = LogEntry.objects.filter(object_id=str(people.acme.pk)).order_by("pk")
    assert [entry.get_change_message() for entry in history] == [
        "Setup guide, ticked: The widget's settings were saved once",
        "Setup guide, tick taken back: The widget's settings were saved once",
    ]


def test_an_editor_changes_nothing_but_the_ticks(editor: Client, people: Cast):
    before = Account.objects.filter(pk=people.acme.pk).values().get()
    data = {"step": "upload", "ticked": "1", "name": "taken over", "enabled": "", "new_access_token": "x", "_save": "1"}
    assert editor.post(guide_of(people.acme), data).status_code == 302
    assert Account.objects.filter(pk=people.acme.pk).values().get() == before | {"guide_ticks": ["upload"]}


def test_a_viewer_reads_and_ticks_nothing(viewer: Client, people: Cast):
    steps = shown(viewer, people.acme)
    assert {step.tick for step in steps.values()} == {""}
    assert tick(viewer, people.acme, "settings").status_code == 403
    people.acme.refresh_from_db()
    assert people.acme.guide_ticks == []


def test_only_who_may_change_the_account_sees_its_address_and_downloads(owner: Client, viewer: Client, people: Cast):
    told = {name: client.get(guide_of(people.acme)).content.decode() for name, client in
            (("owner", owner), ("viewer", viewer))}  # fmt: skip
    for part in (people.acme.hook_url, row_pages(people.acme)["widget"], row_pages(people.acme)["salesbot"]):
        assert part in told["owner"]
        assert part not in told["viewer"]


@pytest.mark.parametrize("part", ["", "?part=steps"])
def test_another_account_is_answered_as_if_it_were_not_there(owner: Client, people: Cast, part: str):
    assert owner.get(guide_of(people.rival) + part).status_code == 404
    assert tick(owner, people.rival, "settings").status_code == 404
    people.rival.refresh_from_db()
    assert people.rival.guide_ticks == []


@pytest.mark.parametrize(
    ("step", "ticked"),
    [("reply", "1"), ("account", "1"), ("nonsense", "1"), ("", "1"), ("upload", ""), ("upload", "yes")],
)
def test_nothing_else_can_be_ticked(owner: Client, people: Cast, step: str, ticked: str):
    assert tick(owner, people.acme, step, ticked=ticked).status_code == 400
    people.acme.refresh_from_db()
    assert people.acme.guide_ticks == []


def test_looking_changes_nothing(owner: Client, people: Cast):
    owner.get(guide_of(people.acme), {"step": "upload", "ticked": "1"})
    people.acme.refresh_from_db()
    assert people.acme.guide_ticks == []


def test_a_tick_needs_the_token_against_forged_requests(people: Cast):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(people.owner)
    assert tick(careful, people.acme, "upload").status_code == 403


def test_a_request_outranks_ticks_and_takes_the_buttons_away(owner: Client, people: Cast):
    tick(owner, people.acme, "upload")
    an_exchange(people.acme, state=State.DELIVERED)
    steps = shown(owner, people.acme)
    assert all(steps[code].proof.startswith("seen on") for code in IN_KOMMO)
    assert {steps[code].tick for code in IN_KOMMO} == {""}


# ---- where it stands


def test_the_steps_alone_are_a_part_of_the_page(owner: Client, people: Cast):
    part, page = (owner.get(guide_of(people.acme) + tail).content.decode() for tail in ("?part=steps", ""))
    assert "<html" not in part
    assert part.count("data-stamp") == page.count("data-stamp") == len(StepCode) + 1
    assert 'data-guide="waiting" data-look-every="3000"' in part


def test_once_all_is_done_the_page_asks_no_more(owner: Client, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED)
    assert 'data-guide="settled"' in owner.get(guide_of(people.acme)).content.decode()


def test_the_accounts_page_leads_to_the_guide(viewer: Client, people: Cast):
    assert guide_of(people.acme) in viewer.get(row_pages(people.acme)["change"]).content.decode()


def test_a_new_account_is_led_to_its_guide(operator: Client, people: Cast):
    address = add_page(Account)
    fields = {"name": "New", "subdomain": "newshop", "kommo_id": "4711", "client_id": "an-id", "time_zone": "UTC"}
    response = submit(operator, address, **fields)
    assert response.headers["Location"] == guide_of(Account.objects.get(subdomain="newshop"))
    response = submit(operator, address, **fields | {"kommo_id": "4712", "_addanother": "1"})
    assert response.headers["Location"] == address


def test_the_overview_leads_to_the_guide_until_an_answer_was_delivered(viewer: Client, people: Cast):
    index = reverse("admin:index")
    an_exchange(people.acme, state=State.DELIVERED, outcome=Outcome.FAIL)
    assert guide_of(people.acme) in viewer.get(index).content.decode()
    an_exchange(people.acme, state=State.DELIVERED, received_at=datetime.now(UTC) - timedelta(days=40))
    assert guide_of(people.acme) not in viewer.get(index).content.decode()


@pytest.mark.parametrize("part", ["", "?part=steps"])
def test_it_costs_the_same_however_much_there_is(owner: Client, people: Cast, part: str):
    complete(people.acme)
    an_exchange(people.acme, state=State.DELIVERED)
    before = queries_of(owner, guide_of(people.acme) + part)
    for _ in range(5):
        a_model_choice(Bot.objects.get(account=people.acme, is_default=True), a_provider(people.acme))
        an_exchange(people.acme, state=State.GONE)
    for _ in range(3):
        complete(an_account())
    assert queries_of(owner, guide_of(people.acme) + part) == before
    assert before < 20


# ---- words


def test_every_step_state_and_remark_has_words_and_a_template(owner: Client, people: Cast):
    assert set(TITLES) == set(StepCode)
    assert set(STATES) == set(StepState)
    assert set(REMARKS) == set(Remark)
    assert list(shown(owner, people.acme)) == [code.value for code in StepCode]


def test_an_archived_provider_doesnt_count(owner: Client, people: Cast):
    complete(people.acme)
    Provider.objects.filter(account=people.acme).update(archived_at=NOON)
    assert "Still missing: a model" in shown(owner, people.acme)["bot"].remark


def test_the_docs_have_the_same_steps_in_the_same_order():
    text = (PROJECT_DIR / "docs" / "connect-kommo.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \d+\. (.+)$", text, re.MULTILINE)
    assert headings == [str(title) for title in TITLES.values()]
    assert list(TITLES) == list(StepCode)
