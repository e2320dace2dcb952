"""The demo's rows: made, made again, and deleted without touching anything else."""

import pytest

from bots.models import Account, Bot, Provider, User
from kommobridge.demo import content, rows

ORIGIN = "http://127.0.0.1:8010"


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.KOMMO_EXTRA_ORIGINS = frozenset({ORIGIN, "http://127.0.0.1:8011"})


@pytest.fixture
def prepared(transactional_db):
    return rows.prepare(8010, sandbox_origin=ORIGIN)


def test_the_demo_account_has_a_bot_that_knows_something_and_a_model(prepared):
    bot = Bot.objects.get(account__is_demo=True)
    assert bot.is_default
    assert "Delivery costs" in bot.knowledge
    assert [choice.provider.provider for choice in bot.model_choices.all()] == ["demo"]
    assert prepared == ["demo/offline (no key needed)"]


def test_preparing_twice_makes_nothing_twice(prepared):
    rows.prepare(8010, sandbox_origin=ORIGIN)
    assert Account.objects.count() == 1
    assert User.objects.count() == 2


def test_each_port_has_an_account_of_its_own(prepared):
    rows.prepare(8011, sandbox_origin="http://127.0.0.1:8011")
    assert sorted(Account.objects.values_list("origin", flat=True)) == [ORIGIN, "http://127.0.0.1:8011"]


def test_a_key_in_the_environment_is_asked_first_and_gone_with_it(transactional_db, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-caller-0123456789")
    assert rows.prepare(8010, sandbox_origin=ORIGIN)[0] == f"openai/{content.MODELS['openai']}"
    assert Provider.objects.get(name="openai").api_key == "sk-of-the-caller-0123456789"
    monkeypatch.delenv("OPENAI_API_KEY")
    rows.prepare(8010, sandbox_origin=ORIGIN)
    assert [choice.provider.name for choice in Bot.objects.get().model_choices.all()] == ["offline"]


def test_removing_deletes_demo_rows_and_nothing_else(prepared):
    kept = Account.objects.create(name="Acme", subdomain="acme", kommo_id=1, client_id="c")
    User.objects.create_user("somebody@acme.test", "a-long-password")
    assert rows.remove() == 1
    assert list(Account.objects.all()) == [kept]
    assert list(User.objects.values_list("email", flat=True)) == ["somebody@acme.test"]


def test_the_logins_stay_the_same_from_run_to_run(prepared):
    owner, operator = rows.logins()
    assert User.objects.get(email=owner.email).check_password(owner.password)
    assert User.objects.get(email=operator.email).is_superuser
    assert not User.objects.get(email=owner.email).is_superuser
