"""What a bot's settings in JSON may hold: outputs, links, and where each outcome leaves."""

import re
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bots.states import Outcome

OUTPUT_TYPES = ("text", "number", "boolean")
OUTPUT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
RESERVED_OUTPUTS = frozenset({"status", "message", "show", "exit"})  # what the continue itself says
OUTPUTS_MAX = 20


def check_outputs(outputs: object) -> None:
    """Refuse declared outputs that the Salesbot could not branch on.

    Args:
        outputs: a list of `{"name", "type", "description", "choices"}`; the last two may be absent.

    Raises:
        ValidationError: naming the entry, the rule and the remedy.
    """
    if not isinstance(outputs, list) or len(outputs) > OUTPUTS_MAX:
        raise ValidationError(_("must be a list of at most %d outputs.") % OUTPUTS_MAX)
    for position, output in enumerate(outputs, start=1):
        fault = _output_fault(output)
        if fault:
            raise ValidationError(_("output %(position)d: %(fault)s") % {"position": position, "fault": fault})
    names = [output["name"] for output in outputs]
    if len(set(names)) != len(names):
        raise ValidationError(_("every output needs a name of its own."))


def _output_fault(output: object) -> str:
    if not isinstance(output, dict) or set(output) - {"name", "type", "description", "choices"}:
        return gettext("must be an object with name, type, description and, if you like, choices.")
    name = output.get("name")
    if not isinstance(name, str) or not OUTPUT_NAME.fullmatch(name) or name in RESERVED_OUTPUTS:
        return gettext("name must be letters, digits and _, and not status, message, show or exit.")
    if output.get("type", "text") not in OUTPUT_TYPES:
        return gettext("type must be one of %s.") % ", ".join(OUTPUT_TYPES)
    choices = output.get("choices", [])
    texts_only = isinstance(choices, list) and all(isinstance(choice, str) for choice in choices)
    if not texts_only or not isinstance(output.get("description", ""), str):
        return gettext("description must be text and choices a list of texts.")
    return ""


LINKS_MAX = 20
LINK_TEXT_MAX = 80
LINK_URL_MAX = 500
GOTO_TYPES = ("question", "answer", "finish")
GOTO_STEP_MAX = 999
OUTCOMES = tuple(outcome.value for outcome in Outcome)

_check_url = URLValidator(schemes=["http", "https"])


def check_links(links: object) -> None:
    """Refuse links that a model could not choose, or that a chat could not open.

    Args:
        links: a list of `{"text", "url", "description"}`; the last may be absent. The owner alone writes addresses;
            a model chooses a link by its text.

    Raises:
        ValidationError: naming the entry, the rule and the remedy.
    """
    if not isinstance(links, list) or len(links) > LINKS_MAX:
        raise ValidationError(_("must be a list of at most %d links.") % LINKS_MAX)
    for position, link in enumerate(links, start=1):
        fault = _link_fault(link)
        if fault:
            raise ValidationError(_("link %(position)d: %(fault)s") % {"position": position, "fault": fault})
    texts = [link["text"].strip().casefold() for link in links]
    if len(set(texts)) != len(texts):
        raise ValidationError(_("every link needs a text of its own."))


def _link_fault(link: object) -> str:
    if not isinstance(link, dict) or set(link) - {"text", "url", "description"}:
        return gettext("must be an object with text, url and, if you like, description.")
    text, url = link.get("text"), link.get("url")
    if not isinstance(text, str) or not text.strip() or len(text) > LINK_TEXT_MAX:
        return gettext("text must be 1 to %d characters.") % LINK_TEXT_MAX
    if not isinstance(link.get("description", ""), str):
        return gettext("description must be text: when the model is to offer the link.")
    if not isinstance(url, str) or len(url) > LINK_URL_MAX or not _is_web_address(url):
        return gettext("url must be a web address with http:// or https://, at most %d characters.") % LINK_URL_MAX
    return ""


def _is_web_address(url: str) -> bool:
    try:
        _check_url(url)
    except ValidationError:
        return False
    return "{{" not in url and "}}" not in url


def check_routes(routes: object) -> None:
    """Refuse ways out that no Salesbot could take.

    Args:
        routes: by outcome either `{"exit": an outcome}`, the exit of our widget that is taken in its place, or
            `{"goto": {"type": "question", "step": 4}}`, a step of the widget's own flow. Source: protocol §2.1.

    Raises:
        ValidationError: naming the outcome, the rule and the remedy.
    """
    if not isinstance(routes, dict):
        raise ValidationError(_("must be an object that names outcomes."))
    for outcome, route in routes.items():
        fault = _route_fault(outcome, route)
        if fault:
            raise ValidationError(f"{str(outcome)[:40]}: {fault}")


def _route_fault(outcome: object, route: object) -> str:
    known = ", ".join(OUTCOMES)
    if outcome not in OUTCOMES:
        return gettext("is no outcome. Name one of %s.") % known
    if not isinstance(route, dict) or set(route) not in ({"exit"}, {"goto"}):
        return gettext('must be {"exit": "…"} or {"goto": {"type": "question", "step": 4}}.')
    if "exit" in route:
        return "" if route["exit"] in OUTCOMES else gettext("exit must be one of %s.") % known
    return (
        ""
        if _is_goto(route["goto"])
        else gettext("goto needs a type (%(types)s) and a step, a number from 0 to %(last)d.")
        % {"types": ", ".join(GOTO_TYPES), "last": GOTO_STEP_MAX}
    )


def _is_goto(goto: object) -> bool:
    if not isinstance(goto, Mapping) or set(goto) != {"type", "step"}:
        return False
    step = goto["step"]
    return goto["type"] in GOTO_TYPES and type(step) is int and 0 <= step <= GOTO_STEP_MAX
