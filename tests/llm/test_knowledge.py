"""Parting a knowledge text and finding the passage that a question is about, in three languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.knowledge import PASSAGE_CHARS, Passage, passages_of, pick_knowledge, rank
from llm.language import language_of, stem, stems_of

SHOP = """# Delivery
We deliver within 3 working days. Delivery to islands takes a week.

Lifting to your floor costs 20 euro.

# Payment
Cards and cash are accepted.

Возврат:

Вы можете вернуть товар в течение 14 дней.

Доставка по городу бесплатна, за город стоит 500 рублей.

Los pedidos se envían en tres días. El envío es gratis desde 50 euros.

Гарантия на диваны составляет два года."""


def test_a_heading_stays_with_each_passage_under_it() -> None:
    passages = passages_of(SHOP)
    assert passages[0].heading == "Delivery"
    assert passages[1] == Passage("Delivery", "Lifting to your floor costs 20 euro.")
    assert passages[2] == Passage("Payment", "Cards and cash are accepted.")
    assert passages[3] == Passage("Возврат:", "Вы можете вернуть товар в течение 14 дней.")


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("When will you deliver?", "within 3 working days"),
        ("what is the delivery time", "within 3 working days"),
        ("Can I pay by card?", "Cards and cash"),
        ("Сколько стоит доставка за город?", "500 рублей"),
        ("доставляете бесплатно?", "бесплатна"),
        ("хочу вернуть товары", "14 дней"),
        ("какая гарантия у дивана", "два года"),
        ("¿Cuánto cuesta el envio?", "envío es gratis"),
        ("¿Envían los pedidos?", "envío es gratis"),
        ("lift to the floor?", "20 euro"),
    ],
)
def test_a_question_finds_its_passage_in_other_words_forms(question: str, fact: str) -> None:
    passages = passages_of(SHOP)
    assert fact in passages[rank(passages, question)[0]].text


def test_a_question_about_nothing_in_the_text_finds_nothing() -> None:
    assert rank(passages_of(SHOP), "quantum physics") == []


def test_a_short_text_goes_whole() -> None:
    assert pick_knowledge(f" {SHOP}\n", "delivery") == SHOP


def a_long_text(about: str) -> str:
    filler = [f"Article {n}. " + f"This is about subject{n} and nothing else. " * 10 for n in range(60)]
    return "\n\n".join([*filler[:30], about, *filler[30:]])


def test_of_a_long_text_only_what_fits_the_question_goes_along() -> None:
    picked = pick_knowledge(a_long_text("The warranty of sofas is two years."), "What warranty has the sofa?")
    assert picked == "The warranty of sofas is two years."


def test_passages_stand_in_the_texts_own_order() -> None:
    text = a_long_text("One about warranty.\n\nTwo about warranty and warranty again.")
    picked = pick_knowledge(text, "warranty")
    assert picked.index("One") < picked.index("Two")


def test_a_question_in_another_language_still_gets_the_beginning_of_a_long_text() -> None:
    assert pick_knowledge(a_long_text("Warranty."), "Какая гарантия?").startswith("Article 0.")


def test_a_long_paragraph_is_parted_between_sentences() -> None:
    sentences = [f"Sentence number {n} says something of some length about sofas." for n in range(100)]
    passages = passages_of(" ".join(sentences))
    assert len(passages) > 2
    assert all(len(passage.text) <= PASSAGE_CHARS for passage in passages)
    assert " ".join(passage.text for passage in passages) == " ".join(sentences)
    assert all(passage.text.endswith(".") for passage in passages)


def test_a_paragraph_of_1500_characters_stays_whole() -> None:
    paragraph = "About sofas we know this. " * 58
    assert [passage.text for passage in passages_of(paragraph)] == [paragraph.strip()]


@given(text=st.text(max_size=500), question=st.text(max_size=60))
def test_any_text_can_be_searched(text: str, question: str) -> None:
    passages = passages_of(text)
    assert all(passage.text for passage in passages)
    assert set(rank(passages, question)) <= set(range(len(passages)))


@given(st.text(alphabet="abc .\n#:é", max_size=3_000))
def test_no_word_is_lost_by_parting(text: str) -> None:
    kept = "\n".join(str(passage) for passage in passages_of(text))
    assert set(stems_of(kept)) == set(stems_of(text))


def test_a_heading_without_text_is_a_passage_of_its_own() -> None:
    assert passages_of("# We are closed\n\n# Prices\n\nLow.") == (
        Passage("", "We are closed"),
        Passage("Prices", "Low."),
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Здравствуйте, сколько стоит?", "ru"),
        ("price IKEA Москва сегодня", "ru"),
        ("Hola, ¿cuánto cuesta?", "es"),
        ("hola necesito precio para el envio", "es"),
        ("Hello, how much is it?", "en"),
        ("pizza", "en"),
        ("12345", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_message_is_guessed(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "family",
    [
        ("delivery", "deliver", "delivering", "deliveries"),
        ("price", "prices", "pricing"),
        ("доставка", "доставки", "доставку", "доставляете"),
        ("цена", "цены", "ценах", "цену"),
        ("envio", "envios", "enviar"),
        ("precio", "precios"),
    ],
)
def test_words_of_one_family_have_one_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


def test_accents_and_case_do_not_part_words() -> None:
    assert stems_of("ЁЛКА Envío") == stems_of("елка envio")
