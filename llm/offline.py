"""The rules by which the offline vendor answers: search in the bot's own texts, no model and no network.

It is honest about what it is: it quotes the passage that fits the question best, in a sentence of the customer's
language, and says so when it finds none. An owner steers it by lines in the prompt (or in the step's instruction):

    Hand off when: human, manager, complaint
    Stay silent when: stop, unsubscribe

The words before the colon may also be Russian or Spanish ("Передай человеку, когда:", "Молчи, когда:", "Pasa a un
humano cuando:", "Calla cuando:"). A phrase counts as said when all its words are in the message, in any form.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm.knowledge import Passage, passages_of, score
from llm.language import Language, language_of, stems_of
from llm.offline_outputs import fill_outputs
from llm.prompts import NO_TEXT, read_system
from llm.replies import Outcome, OutputValue

QUOTED_CHARS = 1_800
QUOTED_PASSAGES = 3
NEAR_BEST = 0.6  # of the best score: passages that are quoted beside it
COVERED = 0.15  # of the question's words must be in a passage, or it is about something else

_RULES: Mapping[str, re.Pattern[str]] = {
    "handoff": re.compile(
        r"(?im)^[\s*\-]*(?:hand ?off|hand over|передай человеку|позови человека|pasa a un humano)"
        r"[,\s]+(?:when|if|когда|если|cuando|si)\s*:(?P<phrases>.+)$"
    ),
    "silent": re.compile(
        r"(?im)^[\s*\-]*(?:stay silent|be silent|молчи|calla)[,\s]+(?:when|if|когда|если|cuando|si)\s*:(?P<phrases>.+)$"
    ),
}
_ORDER = re.compile(
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
    """What the offline vendor says: text, outcome, and the outputs that simple rules could fill."""

    text: str
    outcome: Outcome
    outputs: Mapping[str, OutputValue | None]


def answer_offline(messages: Sequence[Mapping[str, Any]], schema: Mapping[str, Any] | None) -> OfflineAnswer:
    """Answer the last message; the same messages give the same answer.

    Args:
        messages: as `llm.prompts.build_prompt` makes them.
        schema: the JSON schema that was asked for; None for plain text.
    """
    system = read_system("\n\n".join(str(each["content"]) for each in messages if each["role"] == "system"))
    said = [str(each["content"]) for each in messages if each["role"] == "user"] or [NO_TEXT]
    text, outcome = _decide(f"{system.prompt}\n{system.step}", system.knowledge, said)
    return OfflineAnswer(text, outcome, fill_outputs(schema or {}, said))


def _decide(orders: str, knowledge: str, said: Sequence[str]) -> tuple[str, Outcome]:
    message = said[-1]
    language = language_of(" ".join(said[-3:]).replace(NO_TEXT, ""))
    if message.endswith(NO_TEXT):
        return _SAYS["no_text"][language], "success"
    language = language_of(message) if any(char.isalpha() for char in message) else language
    if _names(orders, "silent", message):
        return "", "silent"
    if _names(orders, "handoff", message):
        return _SAYS["handoff"][language], "handoff"
    return _reply(orders, knowledge, said, language), "success"


def _names(orders: str, rule: str, message: str) -> bool:
    """Whether a line of the owner's names something that the message says."""
    words = set(stems_of(message))
    lines = (found["phrases"] for found in _RULES[rule].finditer(orders))
    phrases = [phrase.strip(" .\"'«»") for line in lines for phrase in re.split(r"[,;|]", line)]
    return any(_is_said(phrase, words, message) for phrase in phrases if phrase)


def _is_said(phrase: str, words: set[str], message: str) -> bool:
    stems = set(stems_of(phrase))
    return stems <= words if stems else phrase.casefold() in message.casefold()


def _reply(orders: str, knowledge: str, said: Sequence[str], language: Language) -> str:
    words = set(stems_of(said[-1]))
    if words and words <= GREETINGS:
        return _SAYS["greeting"][language]
    for question in (said[-1], "\n".join(said[-2:])):  # "and how much is it?" needs what was asked before
        for source in (passages_of(knowledge), passages_of(_facts_in(orders))):
            if quote := _quote(source, question):
                return f"{_SAYS['found'][language]}\n{quote}"
    return _SAYS["thanks" if words & THANKS else "unknown"][language]


def _facts_in(orders: str) -> str:
    """The prompt without what only tells the bot how to behave."""
    plain = (line for line in orders.splitlines() if not any(rule.match(line) for rule in _RULES.values()))
    return "\n\n".join(line for line in plain if not _ORDER.match(line))


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
