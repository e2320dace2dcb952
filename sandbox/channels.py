"""What a customer's channel does to a message: takes it, cuts it, or refuses it.

The numbers are the platforms' own; Kommo publishes no table. Source: protocol §10, §3.3 (WhatsApp's buttons), §2.2
(Messenger cuts a text that comes with buttons).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sandbox.salesbot.effects import Shown

DAY_SECONDS: Final = 24 * 3600
CUT_WITH_BUTTONS_CHARS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A channel's limits; None where none is known.

    Args:
        name: as people call the channel.
        text_max: characters in a message.
        buttons_max: buttons below a message; 0 for none at all.
        button_chars: characters on a button.
        window_s: how long after the customer's last message a bot may write.
        attachments_max: files in a message.
        cuts_with_buttons: whether a text above buttons is cut to 80 characters.
    """

    name: str
    text_max: int | None = None
    buttons_max: int | None = None
    button_chars: int | None = None
    window_s: int | None = None
    attachments_max: int | None = None
    cuts_with_buttons: bool = False


NO_LIMITS: Final = Limits(name="this channel")
INSTAGRAM: Final = Limits(name="Instagram", text_max=1000, buttons_max=13, button_chars=20, window_s=DAY_SECONDS)
LIMITS: Final[Mapping[str, Limits]] = {
    "waba": Limits(
        name="WhatsApp", text_max=4096, buttons_max=3, button_chars=20, window_s=DAY_SECONDS, attachments_max=1
    ),
    "whatsapp": Limits(name="WhatsApp Lite", text_max=4096, buttons_max=0),
    "telegram": Limits(name="Telegram", text_max=4096),
    "facebook": Limits(
        name="Facebook Messenger",
        text_max=2000,
        buttons_max=13,
        button_chars=20,
        window_s=DAY_SECONDS,
        cuts_with_buttons=True,
    ),
    "instagram": INSTAGRAM,
    "instagram_business": INSTAGRAM,
}


def delivered(shown: Shown, *, channel: str, silent_s: float) -> Shown:
    """Give the message as the channel takes it.

    Args:
        shown: what the bot wants to say.
        channel: the chat's origin.
        silent_s: seconds since the customer's last message; 0 when there was none yet.
    """
    limits = LIMITS.get(channel, NO_LIMITS)
    failed = _refusal(shown, limits, silent_s)
    if failed:
        return replace(shown, failed=failed)
    if limits.cuts_with_buttons and shown.buttons:
        return replace(shown, text=shown.text[:CUT_WITH_BUTTONS_CHARS])
    return shown


def _refusal(shown: Shown, limits: Limits, silent_s: float) -> str:
    if limits.text_max is not None and len(shown.text) > limits.text_max:
        return f"{limits.name} takes at most {limits.text_max:,} characters; this message has {len(shown.text):,}."
    if limits.attachments_max is not None and len(shown.attachments) > limits.attachments_max:
        return f"{limits.name} takes {limits.attachments_max} file in a message; this one has {len(shown.attachments)}."
    if limits.window_s is not None and silent_s > limits.window_s:
        return f"{limits.name} takes a free text only within 24 hours after the customer's last message."
    return _buttons_refusal(shown, limits)


def _buttons_refusal(shown: Shown, limits: Limits) -> str:
    if limits.buttons_max == 0 and shown.buttons:
        return f"{limits.name} has no buttons."
    if limits.buttons_max is not None and len(shown.buttons) > limits.buttons_max:
        return f"{limits.name} takes at most {limits.buttons_max} buttons; this message has {len(shown.buttons)}."
    longest = max((len(button.text) for button in shown.buttons if not button.url), default=0)
    if limits.button_chars is not None and longest > limits.button_chars:
        return f"{limits.name} takes at most {limits.button_chars} characters on a button; one has {longest}."
    return ""
