"""The demo's rows: made, made again, and deleted without touching anything else."""

import pytest

from bots.models import Account, Bot, Conversation, Exchange, Membership, Provider, User
from bots.states import SETTLED
from kommobridge.demo import content, rows

ORIGIN = "http://127.0.0.1:8010"
KNOWN = {"shop": "Delivery costs", "clinic": "Limpieza dental", "school": "Пробный урок"}


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.KOMMO_EXTRA_ORIGINS = frozenset({ORIGIN, "http://127.0.0.1:8011"})


@pytest.fixture
def prepared(transactional_db):
    return rows.prepare(8010, sandbox_origin=ORIGIN)


@pytest.mark.parametrize("slug", KNOWN)
def test_each_business_has_a_bot_that_knows_something_and_a_model(prepared, slug):
    bot = Bot.objects.get(account__is_demo=True, slug=slug)
    assert bot.is_default
    assert KNOWN[slug] in bot.knowledge
    assert bot.outputs
    assert [choice.provider.provider for choice in bot.model_choices.all()] == ["demo"]
    assert prepared == ["demo/offline (no key needed)"]


def test_one_login_owns_all_three(prepared):
    owned = Membership.objects.filter(user__email=rows.LOGIN, role=Membership.Role.OWNER)
    assert owned.count() == len(content.BUSINESSES) == 3


def test_the_sandbox_is_told_the_accounts_that_the_bridge_has(prepared):
    for told in rows.sandbox_accounts(8010, hook_origin="http://127.0.0.1:8000"):
        account = Account.objects.get(kommo_id=told["kommo_id"], client_id=told["client_id"])
        assert account.access_token == told["access_token"]
        assert account.client_secret == told["client_secret"]
        assert told["hook_url"] == f"http://127.0.0.1:8000/kommo/{account.key}/widget-request/"


def test_preparing_twice_makes_nothing_twice(prepared):
    before = {model: model.objects.count() for model in (Account, User, Bot, Conversation, Exchange)}
    rows.prepare(8010, sandbox_origin=ORIGIN)
    assert {model: model.objects.count() for model in before} == before


def test_each_port_has_accounts_of_its_own(prepared):
    rows.prepare(8011, sandbox_origin="http://127.0.0.1:8011")
    assert sorted(Account.objects.values_list("origin", flat=True)) == [ORIGIN] * 3 + ["http://127.0.0.1:8011"] * 3
    assert len({account.key for account in Account.objects.all()}) == 6


def test_a_key_in_the_environment_is_asked_first_and_gone_with_it(transactional_db, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-caller-0123456789")
    assert rows.prepare(8010, sandbox_origin=ORIGIN)[0] == f"openai/{content.MODELS['openai']}"
    assert {provider.api_key for provider in Provider.objects.filter(name="openai")} == {"sk-of-the-caller-0123456789"}
    monkeypatch.delenv("OPENAI_API_KEY")
    rows.prepare(8010, sandbox_origin=ORIGIN)
    for bot in Bot.objects.all():
        assert [choice.provider.name for choice in bot.model_choices.all()] == ["offline"]


def test_removing_deletes_demo_rows_and_nothing_else(prepared):
    kept = Account.objects.create(name="Acme", subdomain="acme", kommo_id=1, client_id="c")
    User.objects.create_user("somebody@acme.test", "a-long-password")
    assert Conversation.objects.exists()
    assert rows.remove() == 3
    assert list(Account.objects.all()) == [kept]
    assert list(User.objects.values_list("email", flat=True)) == ["somebody@acme.test"]
    assert not Conversation.objects.exists()
    assert not Exchange.objects.exists()


def test_the_logins_stay_the_same_from_run_to_run(prepared):
    owner, operator = rows.logins()
    assert User.objects.get(email=owner.email).check_password(owner.password)
    assert User.objects.get(email=operator.email).is_superuser
    assert not User.objects.get(email=owner.email).is_superuser


def test_nothing_prepared_is_left_for_a_worker(prepared):
    assert set(Exchange.objects.values_list("state", flat=True)) <= {state.value for state in SETTLED}
