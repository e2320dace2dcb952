"""The designer's Message block and its relatives, read (protocol §3.2, §3.3)."""

import re

import pytest

from sandbox.salesbot.flows import FlowError, parse_flow
from sandbox.salesbot.handlers import Button, Show


def sent(**changes):
    params = {"type": "external", "text": "Hi", "recipient": {"type": "main_contact"}, "tag": "", "on_error": None}
    return [{"question": [{"handler": "send_message", "params": params | changes}]}]


@pytest.mark.statement("S3.3.send_message")
def test_a_message_block_is_read_with_buttons_and_attachments():
    picture = {"type": "picture", "value": "00000000-0000-4000-8000-000000000004", "is_external": True}
    buttons = [{"text": "Yes", "type": "inline"}, {"text": "Site", "type": "url", "url": "https://a.example"}]

    flow = parse_flow(
        sent(buttons=buttons, attachments=[picture], chat_sources=[{"id": 1}], send_to_all_chat_sources=True)
    )

    both = (Button("Yes"), Button("Site", "https://a.example"))
    assert flow.steps[0].question == (Show("Hi", both, ("picture 00000000-0000-4000-8000-000000000004",)),)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"type": "internal"}, "send_message.type: must be one of external"),
        ({"recipient": {"type": "everybody"}}, "recipient.type: must be one of all_contacts"),
        ({"on_error": {"type": "question", "step": 0}}, "on_error: must be null"),
        ({"chat_sources": [1]}, "chat_sources: must be a list of objects with id"),
        ({"buttons": [{"text": "x", "type": "phone"}]}, "buttons[0].type: must be one of inline, url"),
        ({"buttons": ["x"]}, "buttons[0]: must be an object"),
        ({"attachments": [{"type": "picture", "value": "x", "name": "y"}]}, "attachments[0].name: is not known here"),
        ({"delay": 5}, "send_message.delay: is not known here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_message_block_with_more_or_other_is_refused(changes, line):
    with pytest.raises(FlowError, match=re.escape(line)):
        parse_flow(sent(**changes))


def test_quick_replies_are_two_and_no_others():
    wrong = {"type": "text", "value": "?", "quick_replies": ["user_name"]}

    with pytest.raises(FlowError, match="quick_replies: must be a list of user_phone_number, user_email"):
        parse_flow([{"question": [{"handler": "show", "params": wrong}]}])
