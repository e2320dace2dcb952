"""The form of an answer: what a model is asked to fill, and how what came back is read.

Read leniently: a model that wraps its JSON in a fence, leaves parts out or answers in plain words still answers. What
looks like our form and cannot be read is a failure, because a customer must never see the raw form.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from llm.config import BotConfig, Link, Output
from llm.offers import offers_schema, read_buttons, read_links
from llm.replies import CallError, Outcome, OutputValue

OUTPUT_CHARS_MAX = 1_000
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
FORM_KEYS = frozenset({"text", "outcome", "outputs", "buttons", "links"})
COMMON_KEYS = frozenset({"text", "links"})  # of ours, but other JSON that a bot may quote has them too

_LOOKS_LIKE_FORM = re.compile(rf"\{{\s*\"(?:{'|'.join(sorted(FORM_KEYS))})\"\s*:")
_THOUGHTS = re.compile(r"^\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)  # some open models think aloud
_JSON_TYPES = {"text": "string", "number": "number", "boolean": "boolean"}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Unusable(Exception):
    """An answer that must not go out.

    Attributes:
        error: why.
    """

    def __init__(self, error: CallError) -> None:
        """Keep the code."""
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, read.

    Args:
        text: for the customer; blank only with `handoff` or `silent`.
        outcome: as the model said, `success` when it did not.
        outputs: checked values by name.
        buttons: for the customer to tap; none without text.
        links: the bot's own that the model chose; none without text.
        remark: what was put right, for the owner; empty when nothing was.
    """

    text: str
    outcome: Outcome
    outputs: Mapping[str, OutputValue]
    buttons: tuple[str, ...]
    links: tuple[Link, ...]
    remark: str


def reply_schema(config: BotConfig) -> dict[str, Any]:
    """JSON schema of an answer of this bot; every key required and none more, as strict modes demand."""
    properties: dict[str, Any] = {
        "text": {"type": "string", "description": "The message for the customer."},
        "outcome": {"type": "string", "enum": list(OUTCOMES)},
    }
    if config.outputs:
        properties["outputs"] = _object({output.name: _output_schema(output) for output in config.outputs})
    return _object(properties | offers_schema(config))


def read_answer(text: str, *, config: BotConfig, was_cut: bool = False) -> Reading:
    """Read what a model said.

    Args:
        text: as it came.
        config: the bot, with what it declares and may offer.
        was_cut: the token limit ended it.

    Raises:
        Unusable: blank, or a form that cannot be read.
    """
    text = _THOUGHTS.sub("", text, count=1)
    form = _form_in(text)
    if form is None:
        if _LOOKS_LIKE_FORM.search(text):
            raise Unusable(CallError.CUT if was_cut else CallError.UNREADABLE)
        form = {"text": text}
    reading = _read_form(form, config)
    if not reading.text and reading.outcome == "success":
        raise Unusable(CallError.CUT if was_cut else CallError.EMPTY)
    return reading


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _output_schema(output: Output) -> dict[str, Any]:
    value: dict[str, Any] = {"type": _JSON_TYPES[output.type]}
    choices = [choice for choice in (_checked(each, output) for each in output.choices) if choice is not None]
    if choices:
        value["enum"] = choices
    described = {"anyOf": [value, {"type": "null"}]}
    return described | ({"description": output.description} if output.description.strip() else {})


def _form_in(text: str) -> dict[str, Any] | None:
    """Our form, bare, in a fence or after some words; None when the text is something else."""
    begin = _LOOKS_LIKE_FORM.search(text)
    for start in dict.fromkeys((text.find("{"), begin.start() if begin else -1)):
        try:
            data, _ = json.JSONDecoder().raw_decode(text, max(start, 0))
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and _is_form(data):
            return data
    return None


def _is_form(data: Mapping[str, Any]) -> bool:
    ours = data.keys() & FORM_KEYS
    return bool(ours - COMMON_KEYS) or len(ours) > 1 or data.keys() == {"text"}


def _read_form(form: Mapping[str, Any], config: BotConfig) -> Reading:
    remarks: list[str] = []
    outcome = _outcome(form.get("outcome"), remarks)
    text = form.get("text")
    said = text.strip() if isinstance(text, str) else ""
    if outcome == "silent" and said:
        remarks.append("The model chose to stay silent, so its text was dropped.")
        said = ""
    offered = form if said else {}  # nothing to tap without the words that it belongs to
    return Reading(
        text=said,
        outcome=outcome,
        outputs=_outputs(form.get("outputs"), config.outputs, remarks),
        buttons=read_buttons(offered.get("buttons"), config, remarks),
        links=read_links(offered.get("links"), config, remarks),
        remark=" ".join(remarks),
    )


def _outcome(value: Any, remarks: list[str]) -> Outcome:
    for outcome in OUTCOMES:
        if value == outcome:
            return outcome
    if value is not None:
        remarks.append("The model named an unknown outcome, taken as success.")
    return "success"


def _outputs(given: Any, declared: Sequence[Output], remarks: list[str]) -> dict[str, OutputValue]:
    """The values that pass; names of the others go into the remarks, never their content."""
    by_name = {output.name: output for output in declared}
    kept: dict[str, OutputValue] = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        checked = _checked(value, by_name[name]) if name in by_name else None
        if checked is not None:
            kept[name] = checked
        elif name in by_name and value is not None:
            remarks.append(f"Output {name} was dropped: it must be {_wanted(by_name[name])}.")
        elif name not in by_name:
            remarks.append("An output that the bot does not declare was dropped.")
    return kept


def _wanted(output: Output) -> str:
    return f"one of {', '.join(output.choices)}"[:200] if output.choices else f"a {output.type}"


def _checked(value: Any, output: Output) -> OutputValue | None:
    """The value in the declared type and among the choices; None when it is not."""
    typed = _TYPED[output.type](value)
    if typed is None or not output.choices:
        return typed
    for choice in output.choices:
        wanted = _TYPED[output.type](choice)
        if wanted == typed or str(wanted).casefold() == str(typed).casefold():
            return wanted
    return None


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:OUTPUT_CHARS_MAX] or None


def _number(value: Any) -> float | None:
    """A finite number; a whole one without a point, so that a Salesbot shows 5 and not 5.0."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(str(value).strip().replace(",", "."))
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _BOOLEANS.get(str(value).strip().casefold())


_TYPED = {"text": _text, "number": _number, "boolean": _boolean}
