"""The downloads on the account's page: the widget's zip, and a Salesbot around its step."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client

from bots.account_widgets import widget_of
from bots.models import Account
from bots.widget import check_widget
from tests.bots.widget.zips import files_of
from tests.cast import NOON, Cast, an_exchange
from tests.promises.pages import form_of, row_pages


@pytest.fixture
def pages(people: Cast) -> dict[str, str]:
    return row_pages(people.acme)


def again(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def text_of(client: Client, address: str, **query: Any) -> str:
    return client.get(address, query).content.decode()


def version_in(response: Any) -> str:
    return str(json.loads(files_of(response.content)["manifest.json"])["widget"]["version"])


@pytest.mark.parametrize("who", ["owner", "operator"])
def test_whoever_may_change_the_account_gets_its_zip(
    request: pytest.FixtureRequest, people: Cast, pages: dict[str, str], who: str
):
    client: Client = request.getfixturevalue(who)
    assert "This will be version 1.0.0." in text_of(client, pages["widget"])
    response = client.post(pages["widget"])
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/zip"
    name = f"kommobridge-{people.acme.subdomain}-1.0.0.zip"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in response.headers["Cache-Control"]
    assert check_widget(response.content) == ()
    assert people.acme.hook_url in files_of(response.content)["script.js"].decode()
    assert again(people.acme).widget_version == version_in(response) == "1.0.0"


@pytest.mark.parametrize("who", ["editor", "viewer"])
@pytest.mark.parametrize("page", ["widget", "salesbot"])
def test_readers_get_neither_file_nor_a_link_to_it(
    request: pytest.FixtureRequest, people: Cast, pages: dict[str, str], who: str, page: str
):
    client: Client = request.getfixturevalue(who)
    assert client.get(pages[page]).status_code == 403
    response = client.post(pages[page])
    assert response.status_code == 403
    assert people.acme.key not in response.content.decode("utf-8", "replace")
    assert pages[page] not in text_of(client, pages["change"])
    assert again(people.acme).widget_version == ""


@pytest.mark.parametrize("page", ["widget", "salesbot"])
def test_the_files_of_another_account_are_not_there(owner: Client, people: Cast, page: str):
    address = row_pages(people.rival)[page]
    assert owner.get(address).status_code == 404
    assert owner.post(address).status_code == 404
    assert again(people.rival).widget_version == ""


def test_looking_at_the_question_builds_nothing(owner: Client, people: Cast, pages: dict[str, str]):
    owner.get(pages["widget"])
    assert again(people.acme).widget_version == ""
    assert not LogEntry.objects.exists()


def test_pressing_again_gives_the_same_file(owner: Client, people: Cast, pages: dict[str, str]):
    first = owner.post(pages["widget"])
    assert "Version 1.0.0, unchanged since" in text_of(owner, pages["widget"])
    second = owner.post(pages["widget"])
    assert second.content == first.content
    assert again(people.acme).widget_version == "1.0.0"


def test_a_newer_version_is_offered_for_content_that_stayed_and_made_when_asked_for(
    owner: Client, people: Cast, pages: dict[str, str]
):
    assert "newer" not in form_of(text_of(owner, pages["widget"]))
    owner.post(pages["widget"])
    assert "As a newer version" in text_of(owner, pages["widget"])
    assert version_in(owner.post(pages["widget"], {"newer": "on"})) == "1.0.1"
    assert again(people.acme).widget_version == "1.0.1"


def test_what_was_downloaded_is_told_on_the_next_page_and_kept_in_the_history(owner: Client, pages: dict[str, str]):
    owner.post(pages["widget"])
    assert "Downloaded: widget 1.0.0." in text_of(owner, pages["change"])
    assert LogEntry.objects.get().get_change_message() == "Download widget"


def test_a_widget_that_cant_be_built_is_refused_with_the_remedy(
    owner: Client, people: Cast, pages: dict[str, str], settings: Any
):
    settings.PUBLIC_URL = "bridge.example.com"
    told = text_of(owner, pages["widget"])
    assert "The file can&#x27;t be built. hook_url: must be an absolute http or https address" in told
    assert "Check PUBLIC_URL." in told
    response = owner.post(pages["widget"])
    assert "Check PUBLIC_URL." in response.content.decode()
    assert again(people.acme).widget_version == ""


# ---- the Salesbot


def test_the_salesbot_comes_as_a_file_with_what_was_asked_for(owner: Client, people: Cast, pages: dict[str, str]):
    response = owner.post(pages["salesbot"], {"greeting": "Good day!", "silence_days": "7"})
    name = f"kommobridge-salesbot-{people.acme.subdomain}.json"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.headers["Content-Type"] == "application/json"
    assert "no-store" in response.headers["Cache-Control"]
    model = json.loads(response.content)["model"]
    assert model["name"] == "KommoBridge Acme"
    assert "Good day!" in model["text"]
    assert str(7 * 24 * 3600) in model["text"]
    assert again(people.acme).widget_version == ""


def test_the_salesbot_that_the_page_proposes_waits_for_30_days(owner: Client, pages: dict[str, str]):
    proposed = form_of(text_of(owner, pages["salesbot"]))
    assert {name: proposed[name] for name in ("greeting", "silence_days")} == {"greeting": "", "silence_days": "30"}
    text = json.loads(owner.post(pages["salesbot"], proposed).content)["model"]["text"]
    assert str(30 * 24 * 3600) in text


def test_a_salesbot_without_a_timer_is_built_for_an_empty_field(owner: Client, pages: dict[str, str]):
    text = json.loads(owner.post(pages["salesbot"], {"greeting": "", "silence_days": ""}).content)["model"]["text"]
    assert "timer" not in text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"silence_days": "0"}, "greater than or equal to 1"),
        ({"silence_days": "366"}, "less than or equal to 365"),
        ({"silence_days": "x"}, "whole number"),
        ({"greeting": "x" * 1001}, "at most 1000 characters"),
    ],
    ids=["no day", "over a year", "no number", "long greeting"],
)
def test_a_wrong_field_comes_back_with_its_rule(
    owner: Client, pages: dict[str, str], values: dict[str, str], sentence: str
):
    response = owner.post(pages["salesbot"], values)
    assert response.headers["Content-Type"].startswith("text/html")
    assert sentence in response.content.decode()


# ---- what the account's page says of the widget


def test_the_page_says_that_no_widget_was_built(viewer: Client, pages: dict[str, str]):
    assert "None was built yet." in text_of(viewer, pages["change"])


def test_the_page_tells_version_time_and_what_is_in_use(viewer: Client, people: Cast, pages: dict[str, str]):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Europe/Madrid")
    with time_machine.travel(NOON, tick=False):
        widget_of(people.acme, version="1.0.2")
    an_exchange(people.acme, widget_version="1.0.1", salesbot_id="70", received_at=NOON)
    an_exchange(people.acme, widget_version="1.0.2", salesbot_id="71", received_at=NOON + timedelta(seconds=1))
    an_exchange(people.rival, widget_version="9.9.9", received_at=NOON + timedelta(seconds=2))
    told = text_of(viewer, pages["change"])
    assert "Version 1.0.2, built 24 Nov 2026, 13:00 CET." in told
    assert "The last request came with version 1.0.2, from Salesbot 71." in told


def test_a_request_without_a_version_is_told_as_such(owner: Client, people: Cast, pages: dict[str, str]):
    an_exchange(people.acme, widget_version="", salesbot_id="71")
    told = text_of(owner, pages["change"])
    assert "None was built yet. The last request came without a version, from Salesbot 71." in told
