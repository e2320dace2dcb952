"""The Salesbot that every stand-in account runs, as plain Salesbot JSON: greet, listen, ask the widget, again.

The Widget step is the three-step flow of protocol §4.7: ask and wait; weigh `show`, then `exit` and `status`; show and
leave.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.config import AccountConfig
from sandbox.salesbot.flows import exit_codes, parse_flow
from sandbox.salesbot.handlers import Flow

STATUSES: Final = ("success", "handoff", "silent", "fail")
WIDGET_VERSION: Final = "sandbox"
JSON = dict[str, Any]

# `{{talk.id}}` stayed literal on a live account, so the stand-in leaves it literal too (protocol §1.2)
USUAL_DATA: Final = {
    "message": "{{message_text}}",
    "lead_id": "{{lead.id}}",
    "contact_id": "{{contact.id}}",
    "name": "{{contact.name}}",
    "talk_id": "{{talk.id}}",
    "origin": "{{origin}}",
    "widget": WIDGET_VERSION,
}


def widget_flow_json(hook_url: str, data: Mapping[str, str]) -> list[JSON]:
    """Give the Widget step's own flow. Source: protocol §4.7, §2.3."""
    goto_show = _conditions("show", "1", _handler("goto", type="question", step=2))
    return [
        _step(_handler("widget_request", url=hook_url, data=dict(data)), _handler("goto", type="question", step=1)),
        _step(goto_show, *_leave_by_status()),
        _step(_handler("show", type="text", value="{{json.message}}"), *_leave_by_status()),
    ]


def salesbot_flow_json(*, greeting: str, widget_source: list[JSON], codes: Iterable[str]) -> list[JSON]:
    """Give the account's Salesbot: every exit of its Widget step leads back to listening."""
    hello = [_handler("show", type="text", value=greeting)] if greeting else []
    exits = {code: {"type": "question", "step": 1} for code in codes}
    return [
        _step(*hello, _handler("goto", type="question", step=1)),
        _step(_handler("wait_answer", type="question", step=2)),
        _step(_handler("widget", widget_source=widget_source, exits=exits)),
    ]


def installed_widget(account: AccountConfig) -> Flow:
    """Read the flow of the account's widget: its own when the config gives one."""
    return parse_flow(_widget_source(account), place="widget_flow")


def main_flow(account: AccountConfig) -> Flow:
    """Read the flow that the account's Salesbot runs.

    Raises:
        FlowError: the config's flow does not go together with its widget.
    """
    widget = installed_widget(account)
    if account.salesbot_flow is not None:
        return parse_flow(account.salesbot_flow, place="salesbot_flow", widget=widget)
    source = _widget_source(account)
    return parse_flow(
        salesbot_flow_json(greeting=account.greeting, widget_source=source, codes=exit_codes(widget)), place="salesbot"
    )


def _widget_source(account: AccountConfig) -> list[Any]:
    return account.widget_flow or widget_flow_json(account.hook_url, _data_of(account))


def _data_of(account: AccountConfig) -> dict[str, str]:
    bot = {"bot": account.bot} if account.bot else {}
    return {**USUAL_DATA, **bot, **account.data}


def _handler(name: str, **params: object) -> JSON:
    return {"handler": name, "params": params}


def _step(*handlers: JSON) -> JSON:
    return {"question": list(handlers), "require": []}


def _conditions(key: str, value: str, *result: JSON) -> JSON:
    test = {"term1": f"{{{{json.{key}}}}}", "term2": value, "operation": "="}
    return _handler("conditions", logic="and", conditions=[test], result=list(result))


def _leave_by_status() -> list[JSON]:
    """Leave by the exit that the bridge names, which it does only where it shall differ from the outcome."""
    leaving = {code: _handler("exits", value=code) for code in STATUSES}
    named = [_conditions(key, code, leave) for key in ("exit", "status") for code, leave in leaving.items()]
    return [*named, leaving["fail"]]
