"""What the demo tells the sandbox and the bots, taken by the programs that it is for."""

import re

import pytest

from kommobridge.demo import content, rows
from llm.config import BotConfig, Link
from llm.offline import answer_offline
from llm.prompts import build_prompt
from llm.structured import reply_schema
from sandbox.config import parse_config
from sandbox.widget import main_flow

ALL_OFFERED = re.compile(r"(?m)^(?:Offer buttons|Предложи кнопки) (.+?),? (?:when|когда):")


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
    config = BotConfig(
        prompt=business.prompt,
        knowledge=business.knowledge,
        choices=(),
        offers_buttons=business.offers_buttons,
        links=tuple(Link(**link) for link in business.links),
    )
    prompt = build_prompt(config, (), question, instruction="", shape="schema", tokens=6000)
    return answer_offline(prompt.messages, reply_schema(config))


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


@pytest.mark.parametrize(
    ("slug", "message", "buttons"),
    [
        ("shop", "Hi!", ("Green tea", "Gift boxes", "Delivery", "Talk to a person")),
        ("shop", "How much is the delivery?", ()),
        ("clinic", "Hola", ()),
        ("school", "Здравствуйте!", ("Цены", "Пробный урок", "Расписание")),
        ("school", "Какие языки у вас есть?", ("Английский", "Испанский", "Немецкий", "Китайский")),
    ],
)
def test_a_bot_offers_the_answers_that_its_prompt_names_for_a_message(slug, message, buttons):
    assert reply(slug, message).buttons == buttons


@pytest.mark.parametrize("slug", ["shop", "school"])
def test_every_answer_that_a_bot_offers_leads_to_more_than_that_it_knows_nothing(slug):
    prompt = next(business for business in content.BUSINESSES if business.slug == slug).prompt
    offered = [label for labels in ALL_OFFERED.findall(prompt) for label in labels.split(" | ")]
    assert len(offered) >= 3
    unknown = reply(slug, "зззззз" if slug == "school" else "qqqqqq").text
    assert [label for label in offered if reply(slug, label).text == unknown] == []


@pytest.mark.parametrize(
    ("slug", "message", "links"),
    [
        ("shop", "Is there a catalogue with photos?", ("Catalogue with photos",)),
        ("shop", "How do I brew tea?", ()),
        ("clinic", "¿Cómo pido cita?", ("Reservar hora",)),
    ],
)
def test_a_bot_offers_a_link_to_whoever_asks_for_what_it_describes(slug, message, links):
    assert reply(slug, message).links == links
