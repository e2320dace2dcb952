"""An account's widget: its version follows its content, and everybody who builds it agrees on both."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from bots.account_widgets import Built, has_changed_since_built, salesbot_of, version_to_come, widget_of
from bots.models import Account, Membership
from bots.widget import CannotBuild, check_widget
from tests.bots.widget.zips import files_of
from tests.cast import NOON, a_member, an_account

pytestmark = pytest.mark.django_db


def again(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def manifest_in(built: Built) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(files_of(built.content)["manifest.json"])
    return manifest


def stored(account: Account) -> tuple[str, str, datetime | None]:
    row = again(account)
    return row.widget_version, row.widget_digest, row.widget_built_at


@time_machine.travel(NOON, tick=False)
def test_the_first_one_is_remembered_with_its_time():
    account = an_account()
    built = widget_of(account)
    assert (built.version, built.is_newest) == ("1.0.0", True)
    assert check_widget(built.content) == ()
    assert stored(account) == ("1.0.0", built.digest, NOON)
    assert (account.widget_version, account.widget_digest, account.widget_built_at) == stored(account)


def test_repeating_it_gives_the_same_bytes_and_changes_no_row():
    account = an_account()
    with time_machine.travel(NOON, tick=False):
        first = widget_of(account)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert widget_of(again(account)) == first
    assert stored(account) == ("1.0.0", first.digest, NOON)


def renamed(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(name="Another name")


def with_another_owner(account: Account) -> None:
    a_member(account, email="new-owner@acme.test")


def with_another_address(account: Account) -> None:
    account.set_key("another-hook-key-of-acme", now=NOON)


@pytest.mark.parametrize("change", [renamed, with_another_owner, with_another_address])
def test_each_change_of_what_it_holds_raises_the_version_once(change):
    account = an_account()
    widget_of(account)
    change(account)
    assert has_changed_since_built(again(account))
    assert version_to_come(again(account)) == "1.0.1"
    built = widget_of(again(account))
    assert built.version == manifest_in(built)["widget"]["version"] == "1.0.1"
    assert widget_of(again(account)).version == "1.0.1"
    assert not has_changed_since_built(again(account))


def test_another_address_of_the_bridge_is_a_change(settings):
    account = an_account()
    widget_of(account)
    settings.PUBLIC_URL = "https://moved.example.com"
    assert widget_of(account).version == "1.0.1"


def test_what_it_doesnt_hold_raises_nothing():
    account = an_account()
    widget_of(account)
    account.time_zone, account.access_token, account.enabled = "Europe/Madrid", "another-token", False
    account.save()
    a_member(account, Membership.Role.EDITOR)
    assert not has_changed_since_built(again(account))
    assert widget_of(again(account)).version == "1.0.0"


def test_a_newer_one_without_a_change_has_the_next_version_and_the_same_content():
    account = an_account()
    first, newer = widget_of(account), widget_of(account, newer=True)
    assert (newer.version, newer.digest, newer.is_newest) == ("1.0.1", first.digest, True)
    assert stored(account)[:2] == ("1.0.1", first.digest)
    assert widget_of(account, newer=True).version == "1.0.2"


def test_a_newer_one_of_an_account_that_has_none_is_the_first():
    assert widget_of(an_account(), newer=True).version == "1.0.0"


@pytest.mark.parametrize(
    ("asked", "is_newest", "kept"),
    [
        ("1.0.11", True, "1.0.11"),
        ("1.1.0", True, "1.1.0"),
        ("1.0.10", True, "1.0.10"),
        ("1.0.9", False, "1.0.10"),
        ("0.9.99", False, "1.0.10"),
    ],
)
def test_a_version_that_is_asked_for_is_remembered_when_it_comes_later(asked, is_newest, kept):
    account = an_account()
    widget_of(account, version="1.0.10")
    built = widget_of(account, version=asked)
    assert (built.version, built.is_newest) == (asked, is_newest)
    assert stored(account)[0] == kept


def test_the_last_version_with_other_content_is_no_newest_and_not_remembered():
    account = an_account()
    digest = widget_of(account, version="1.0.10").digest
    renamed(account)
    assert not widget_of(account, version="1.0.10").is_newest
    assert stored(account)[:2] == ("1.0.10", digest)
    assert widget_of(account).version == "1.0.11"


@pytest.mark.parametrize("wrong", [{"version": "1.0"}, {"support_email": "nobody"}, {"support_link": "ftp://x"}])
def test_what_cant_be_built_leaves_the_account_as_it_was(wrong):
    account = an_account()
    widget_of(account)
    before = stored(account)
    with pytest.raises(CannotBuild):
        widget_of(account, **wrong)
    assert stored(account) == before


def test_an_account_that_never_had_one_hasnt_changed_since():
    assert not has_changed_since_built(an_account())
    assert version_to_come(an_account()) == "1.0.0"


def test_the_salesbot_bears_the_accounts_name():
    whole = json.loads(salesbot_of(an_account("Zoë"), greeting="Hola", silence_days=None))
    assert whole["model"]["name"] == "KommoBridge Zoë"
    assert "Hola" in whole["model"]["text"]


@pytest.mark.django_db(transaction=True)
def test_downloads_at_once_agree_on_one_version_per_content():
    account = an_account()
    together, found = threading.Barrier(4), []

    def download() -> None:
        row = again(account)
        together.wait(timeout=30)
        try:
            found.append(widget_of(row))
        finally:
            connection.close()

    threads = [threading.Thread(target=download) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [one.version for one in found] == ["1.0.0"] * 4
    assert len({one.content for one in found}) == 1
    built_at = stored(account)[2]
    assert built_at is not None
    assert built_at <= datetime.now(UTC)


@pytest.mark.django_db(transaction=True)
def test_newer_ones_at_once_each_have_a_version_of_their_own():
    account = an_account()
    widget_of(account)
    together, found = threading.Barrier(3), []

    def download() -> None:
        row = again(account)
        together.wait(timeout=30)
        try:
            found.append(widget_of(row, newer=True).version)
        finally:
            connection.close()

    threads = [threading.Thread(target=download) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(found) == ["1.0.1", "1.0.2", "1.0.3"]
