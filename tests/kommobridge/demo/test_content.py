"""What the demo tells the sandbox and the bots, taken by the programs that it is for."""

import pytest

from kommobridge.demo import content, rows
from llm.config import BotConfig
from llm.offline import answer_offline
from llm.prompts import build_prompt
from sandbox.config import parse_config
from sandbox.widget import main_flow


def told():
    return parse_config({"accounts": rows.sandbox_accounts(8010, hook_origin="http://127.0.0.1:8000")})


def test_the_sandbox_takes_the_accounts_and_their_salesbots():
    for account in told().accounts:
        assert main_flow(account).steps


def test_the_accounts_show_three_ways_in_which_a_request_is_seen():
    ways = [(account.encoding, account.algorithm) for account in told().accounts]
    assert ways == [("form", "HS256"), ("form", "HS512"), ("json", "HS256")]


def test_no_account_shares_a_number_with_another_ports():
    accounts = [account for port in (8010, 8011, 65535) for account in rows.sandbox_accounts(port, hook_origin="")]
    for name in ("kommo_id", "client_id", "client_secret", "access_token", "hook_url"):
        assert len({account[name] for account in accounts}) == len(accounts), name


def reply(slug, question):
    business = next(business for business in content.BUSINESSES if business.slug == slug)
    config = BotConfig(prompt=business.prompt, knowledge=business.knowledge, choices=())
    prompt = build_prompt(config, (), question, instruction="", shape="plain", tokens=6000)
    return answer_offline(prompt.messages, None)


@pytest.mark.parametrize(
    ("slug", "question", "fact"),
    [
        ("shop", "How do I brew tea?", "cold brew takes eight hours"),
        ("shop", "Do you deliver abroad?", "five to eight working days abroad"),
        ("clinic", "¿Qué precios hay?", "Limpieza dental: 55 €"),
        ("clinic", "¿Cuándo abren?", "de 9:00 a 20:00"),
        ("clinic", "¿Cómo pido cita?", "La cita se pide"),
        ("school", "Сколько стоят занятия?", "6 400 ₽"),
        ("school", "Вы учите немецкому?", "немецкому"),
    ],
)
def test_the_offline_model_finds_what_a_newcomer_asks(slug, question, fact):
    assert fact in reply(slug, question).text


@pytest.mark.parametrize(
    ("slug", "message", "outcome"),
    [
        ("shop", "I want to speak to a human", "handoff"),
        ("shop", "unsubscribe", "silent"),
        ("clinic", "Quiero hablar con una persona", "handoff"),
        ("clinic", "No me escriban más", "silent"),
        ("school", "Позовите оператора", "handoff"),
        ("school", "Не пишите мне", "silent"),
    ],
)
def test_each_bot_hands_over_and_keeps_silent_when_it_is_told_to(slug, message, outcome):
    assert reply(slug, message).outcome == outcome
