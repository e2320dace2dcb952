"""The rules by which the offline vendor answers: search in the bot's own texts, no model and no network.

It is honest about what it is: it quotes the passage that fits the question best, in a sentence of the customer's
language, and says so when it finds none. An owner steers it by lines in the prompt (or in the step's instruction):

    Hand off when: human, manager, complaint
    Stay silent when: stop, unsubscribe
    Offer buttons Sofa | Bed | Something else when: choose, what do you have

The words may also be Russian or Spanish ("Передай человеку, когда:", "Молчи, когда:", "Предложи кнопки A | B, когда:",
"Pasa a un humano cuando:", "Calla cuando:", "Ofrece botones A | B cuando:"). A phrase counts as said when all its words
are in the message, in any form. Of several lines with buttons the first that is met counts. Links are chosen when their
text or description shares a word with the message. A bot that offers no buttons or links gets none, and neither does
an answer that hands off, is silent or asks for text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llm.knowledge import Passage, passages_of, score
from llm.language import Language, language_of, stems_of
from llm.offline_offers import choose_buttons, choose_links
from llm.offline_orders import is_order, is_ordered
from llm.offline_outputs import fill_outputs
from llm.prompts import NO_TEXT, read_system
from llm.replies import Outcome, OutputValue

QUOTED_CHARS = 1_800
QUOTED_PASSAGES = 3
NEAR_BEST = 0.6  # of the best score: passages that are quoted beside it
COVERED = 0.15  # of the question's words must be in a passage, or it is about something else

_BEHAVIOUR = re.compile(
    r"(?i)\s*(?:[*\-]\s*)?(?:you|be|answer|always|never|do not|don't|ты|вы|отвечай|не |eres|responde|nunca)\b"
)
_ANSWER_PART = re.compile(  # of a question with its answer: what stands before the answer itself
    r"(?is)^\s*(?:q|question|в|вопрос|p|pregunta)\s*[:.]\s*.*?\n\s*(?:a|answer|о|ответ|r|respuesta)\s*[:.]\s*"
)
_GREETINGS = """
hello hi hey good morning afternoon evening привет здравствуйте здравствуй добрый день утро вечер доброе hola buenos
buenas dias tardes noches
"""
_THANKS = "thanks thank thx bye спасибо благодарю пока gracias adios"
GREETINGS = frozenset(stems_of(_GREETINGS))
THANKS = frozenset(stems_of(_THANKS))

_SAYS: Mapping[str, Mapping[Language, str]] = {
    "greeting": {
        "en": "Hello! How can I help you?",
        "es": "¡Hola! ¿En qué puedo ayudarle?",
        "ru": "Здравствуйте! Чем могу помочь?",
    },
    "thanks": {"en": "You are welcome!", "es": "¡De nada!", "ru": "Пожалуйста!"},
    "found": {"en": "Here is what I know:", "es": "Esto es lo que sé:", "ru": "Вот что я знаю:"},
    "unknown": {
        "en": "I do not know that. Ask me in other words, or ask for a colleague.",
        "es": "Eso no lo sé. Pregúntemelo con otras palabras o pida hablar con un compañero.",
        "ru": "Этого я не знаю. Спросите, пожалуйста, иначе или попросите позвать сотрудника.",
    },
    "choose": {"en": "Please choose:", "es": "Elija, por favor:", "ru": "Выберите, пожалуйста:"},
    "link": {"en": "This may help you:", "es": "Esto puede ayudarle:", "ru": "Это может вам помочь:"},
    "handoff": {
        "en": "I am calling a colleague, who will answer you here.",
        "es": "Aviso a un compañero, que le responderá aquí.",
        "ru": "Зову сотрудника, он ответит вам здесь.",
    },
    "no_text": {
        "en": "I can read only text. Please write what you need.",
        "es": "Solo puedo leer texto. Escríbame, por favor, qué necesita.",
        "ru": "Я понимаю только текст. Напишите, пожалуйста, что вам нужно.",
    },
}


@dataclass(frozen=True, slots=True)
class OfflineAnswer:
    """What the offline vendor says.

    Args:
        text: for the customer; empty when silent.
        outcome: as the prompt's lines decide.
        outputs: those that simple rules could fill; None for the others.
        buttons: answers to tap.
        links: texts of the links that fit.
    """

    text: str
    outcome: Outcome
    outputs: Mapping[str, OutputValue | None]
    buttons: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def answer_offline(messages: Sequence[Mapping[str, Any]], schema: Mapping[str, Any] | None) -> OfflineAnswer:
    """Answer the last message; the same messages give the same answer.

    Args:
        messages: as `llm.prompts.build_prompt` makes them.
        schema: the JSON schema that was asked for; None for plain text.
    """
    system = read_system("\n\n".join(str(each["content"]) for each in messages if each["role"] == "system"))
    said = [str(each["content"]) for each in messages if each["role"] == "user"] or [NO_TEXT]
    orders, schema = f"{system.prompt}\n{system.step}", schema or {}
    buttons, links = choose_buttons(schema, orders, said[-1]), choose_links(schema, system.rules, said[-1])
    unknown = "choose" if buttons else "link" if links else "unknown"
    text, outcome = _decide(orders, system.knowledge, said, unknown=unknown)
    answer = OfflineAnswer(text, outcome, fill_outputs(schema, said))
    if outcome != "success" or said[-1].endswith(NO_TEXT):
        return answer
    return replace(answer, buttons=buttons, links=links)


def _decide(orders: str, knowledge: str, said: Sequence[str], *, unknown: str) -> tuple[str, Outcome]:
    message = said[-1]
    language = language_of(" ".join(said[-3:]).replace(NO_TEXT, ""))
    if message.endswith(NO_TEXT):
        return _SAYS["no_text"][language], "success"
    language = language_of(message) if any(char.isalpha() for char in message) else language
    if is_ordered("silent", orders, message):
        return "", "silent"
    if is_ordered("handoff", orders, message):
        return _SAYS["handoff"][language], "handoff"
    return _reply(orders, knowledge, said, language) or _SAYS[unknown][language], "success"


def _reply(orders: str, knowledge: str, said: Sequence[str], language: Language) -> str:
    """What there is to say; empty when nothing is known."""
    words = set(stems_of(said[-1]))
    if words and words <= GREETINGS:
        return _SAYS["greeting"][language]
    for question in (said[-1], "\n".join(said[-2:])):  # "and how much is it?" needs what was asked before
        for source in (passages_of(knowledge), passages_of(_facts_in(orders))):
            if quote := _quote(source, question):
                return f"{_SAYS['found'][language]}\n{quote}"
    return _SAYS["thanks"][language] if words & THANKS else ""


def _facts_in(orders: str) -> str:
    """The prompt without what only tells the bot how to behave."""
    plain = (line for line in orders.splitlines() if not is_order(line))
    return "\n\n".join(line for line in plain if not _BEHAVIOUR.match(line))


def _quote(passages: Sequence[Passage], question: str) -> str:
    """The passages that fit best, in the text's own order, whole; empty when none is about the question."""
    asked = set(stems_of(question))
    scores = score(passages, question)
    fitting = [number for number in range(len(passages)) if scores[number] > 0 and _covers(passages[number], asked)]
    best = max((scores[number] for number in fitting), default=0.0)
    near = sorted((n for n in fitting if scores[n] >= best * NEAR_BEST), key=lambda n: -scores[n])[:QUOTED_PASSAGES]
    while len(near) > 1 and sum(len(passages[number].text) for number in near) > QUOTED_CHARS:
        near.pop()
    return "\n\n".join(_ANSWER_PART.sub("", passages[number].text) for number in sorted(near))


def _covers(passage: Passage, asked: set[str]) -> bool:
    shared = asked & set(stems_of(str(passage)))
    return len(shared) >= len(asked) * COVERED
