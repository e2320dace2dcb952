"""Key rotation: every stored secret ends up sealed by the first key, whatever happens meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from bots import rotation
from bots.models import Account, Provider
from kommobridge.base.fields import Sealed, key_ring
from kommobridge.base.keyring import KeyRing, SecretUnreadable

pytestmark = pytest.mark.django_db

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
SECRETS = ("client_secret", "previous_client_secret", "access_token")


def silence(line: str) -> None:
    """Take a line of progress and do nothing."""


@pytest.fixture
def keys(settings: Any) -> Callable[..., None]:
    """Give a function that sets FIELD_KEYS."""

    def set_keys(*names: str) -> None:
        settings.FIELD_KEYS = list(names)

    set_keys(OLD)
    return set_keys


@pytest.fixture
def account(keys: Callable[..., None]) -> Account:
    """Give an account with three secrets and a provider with one, all sealed by the old key."""
    account = Account.objects.create(
        name="Acme",
        subdomain="acme",
        kommo_id=31337,
        client_id="c",
        client_secret="secret of Acme",
        previous_client_secret="older secret",
        access_token="token of Acme",
    )
    Provider.objects.create(account=account, name="main", provider="openai", api_key="sk-main")
    return account


def stored(model: type[Any], name: str) -> str:
    """Give what the database holds in a column of the only row."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {model._meta.db_table}")  # noqa: S608
        return str(cursor.fetchone()[0])


def test_every_secret_is_sealed_by_the_first_key_and_reads_as_before(account: Account, keys: Callable[..., None]):
    keys(NEW, OLD)

    tally = rotation.reseal_all(silence)

    assert (tally.secrets, tally.resealed, tally.due, tally.unreadable) == (4, 4, 0, [])
    keys(NEW)
    found = Account.objects.get()
    assert [getattr(found, name) for name in SECRETS] == ["secret of Acme", "older secret", "token of Acme"]
    assert Provider.objects.get().api_key == "sk-main"


def test_the_old_key_opens_nothing_any_more(account: Account, keys: Callable[..., None]):
    keys(NEW, OLD)
    rotation.reseal_all(silence)

    keys(OLD)
    with pytest.raises(SecretUnreadable):
        _ = Account.objects.get().client_secret


def test_a_second_run_writes_nothing(account: Account, keys: Callable[..., None], django_assert_num_queries: Any):
    keys(NEW, OLD)
    rotation.reseal_all(silence)
    before = stored(Account, "client_secret")

    with django_assert_num_queries(6):  # for two models a count, a batch and the empty one after it
        tally = rotation.reseal_all(silence)

    assert (tally.secrets, tally.resealed, tally.due) == (4, 0, 0)
    assert stored(Account, "client_secret") == before


def test_looking_counts_what_is_due_and_writes_nothing(account: Account, keys: Callable[..., None]):
    before = stored(Account, "client_secret")
    keys(NEW, OLD)

    tally = rotation.survey(silence)

    assert (tally.secrets, tally.resealed, tally.due) == (4, 0, 4)
    assert stored(Account, "client_secret") == before


def test_a_run_that_was_cut_off_is_finished_by_the_next(account: Account, keys: Callable[..., None]):
    keys(NEW, OLD)

    def cut_off(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.reseal_all(cut_off)  # after the first batch, which is the accounts
    assert rotation.survey(silence).due == 1

    assert rotation.reseal_all(silence).resealed == 1
    assert rotation.survey(silence).due == 0


def test_rows_of_several_batches_are_all_sealed_anew(
    account: Account, keys: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    for number in range(7):
        Provider.objects.create(account=account, name=f"p{number}", provider="openai", api_key=f"sk-{number}")
    monkeypatch.setattr(rotation, "BATCH_ROWS", 3)
    keys(NEW, OLD)
    told: list[str] = []

    assert rotation.reseal_all(told.append).resealed == 3 + 8

    assert told == ["accounts: 1 of 1", "providers: 3 of 8", "providers: 6 of 8", "providers: 8 of 8"]


def test_what_no_key_opens_is_named_and_left_and_the_rest_is_done(account: Account, keys: Callable[..., None]):
    keys(LOST)
    account.access_token = "sealed by a key that is lost"
    account.save(update_fields=["access_token"])
    before = stored(Account, "access_token")
    keys(NEW, OLD)

    tally = rotation.reseal_all(silence)

    assert tally.unreadable == [f"account {account.pk}, access_token"]
    assert (tally.resealed, tally.due) == (3, 0)
    assert stored(Account, "access_token") == before


def test_a_ciphertext_that_was_moved_is_told_even_when_the_first_key_sealed_it(account: Account):
    provider = Provider.objects.get()
    Provider.objects.update(api_key=Sealed(stored(Account, "client_secret")))

    assert rotation.survey(silence).unreadable == [f"provider {provider.pk}, api_key"]


# what changes while it runs


def racing(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Make a change at the moment at which a secret has been read and not yet written."""
    seal, changes = KeyRing.seal, iter([change])

    def seal_after_the_change(ring: KeyRing, plain: str, *, binding: str) -> str:
        for pending in changes:
            pending()
        return seal(ring, plain, binding=binding)

    monkeypatch.setattr(KeyRing, "seal", seal_after_the_change)


def test_a_secret_that_is_entered_meanwhile_is_not_overwritten(
    account: Account, keys: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    keys(NEW, OLD)
    binding = account.secret_binding("client_secret")
    entered = Sealed(key_ring().seal("entered meanwhile", binding=binding))
    racing(monkeypatch, lambda: Account.objects.filter(pk=account.pk).update(client_secret=entered))

    tally = rotation.reseal_all(silence)

    assert Account.objects.get().client_secret == "entered meanwhile"
    assert (tally.resealed, tally.due) == (3, 0)


def test_a_secret_that_an_old_process_enters_meanwhile_is_sealed_anew_too(
    account: Account, keys: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    keys(NEW, OLD)
    entered = Sealed(KeyRing([OLD]).seal("by the old key", binding=account.secret_binding("client_secret")))
    racing(monkeypatch, lambda: Account.objects.filter(pk=account.pk).update(client_secret=entered))

    assert rotation.reseal_all(silence).resealed == 4

    keys(NEW)
    assert Account.objects.get().client_secret == "by the old key"


def test_a_row_that_is_deleted_meanwhile_is_no_fault(
    account: Account, keys: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    keys(NEW, OLD)
    racing(monkeypatch, lambda: Account.objects.filter(pk=account.pk).delete())

    tally = rotation.reseal_all(silence)

    assert (tally.due, tally.unreadable) == (0, [])
    assert not Account.objects.exists()


# the command


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command and give exit code, stdout and stderr."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            call_command("rotate_secrets", *arguments)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


def test_the_command_shows_its_progress_and_the_end(account: Account, keys: Callable[..., None], told: Any):
    keys(NEW, OLD)
    assert told("--check")[1].endswith("4 secrets, 4 still need it, 0 unreadable\n")

    code, out, err = told()

    assert (code, err) == (0, "")
    assert out == "accounts: 1 of 1\nproviders: 1 of 1\n4 secrets, 4 sealed anew, 0 still need it, 0 unreadable\n"


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["sealing", "checking"])
def test_the_command_ends_badly_with_one_line_that_names_what_it_can_not_open(
    account: Account, keys: Callable[..., None], told: Any, arguments: tuple[str, ...]
):
    keys(LOST)
    account.access_token = "planted-value"
    account.save(update_fields=["access_token"])
    keys(NEW, OLD)

    code, out, err = told(*arguments)

    assert code == 1
    assert err.startswith(f"Can't be opened by any key of FIELD_KEYS: account {account.pk}, access_token.")
    assert err.count("\n") == 1
    assert "planted-value" not in out + err
    assert Sealed(stored(Account, "access_token")).text not in err
