"""A Salesbot that asks the widget, and then pauses: a message asks again, an hour of silence is asked after."""

from typing import Any


def _step(*handlers: dict[str, Any]) -> dict[str, Any]:
    return {"question": list(handlers), "require": []}


def _to(step: int) -> dict[str, Any]:
    return {"type": "question", "step": step}


PAUSING = [
    _step(
        {
            "handler": "widget",
            "params": {
                "widget_source_code": "llmbot",
                "exits": {code: _to(1) for code in ("success", "handoff", "silent", "fail")},
            },
        }
    ),
    _step(
        {
            "handler": "waits",
            "params": {
                "logic": "or",
                "conditions": [
                    {"event": {"source": "message", "action": "received"}, "action": _to(0)},
                    {"event": {"source": "timer", "value": 3600}, "action": _to(2)},
                ],
            },
        }
    ),
    _step(
        {"handler": "show", "params": {"type": "text", "value": "Are you still there?"}},
        {"handler": "goto", "params": _to(1)},
    ),
]
