"""The return_url of a widget_request: taken apart, and only ever put together again on the account's own origin.

Our access token is sent to this address, so nothing of it is trusted but two words and two numbers.
"""

import re
from dataclasses import dataclass

from bots.kommo.errors import ForeignReturnUrl
from kommobridge.base.faults import Fault

# One pattern for the path; [0-9] and not \d, which takes digits of every script.
CONTINUE_PATH = re.compile(r"/api/v4/(salesbot|marketingbot)/([0-9]{1,19})/continue/([0-9]{1,19})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnUrl:
    """The checked parts of a return_url.

    Attributes:
        bot_type: "salesbot" or "marketingbot".
        salesbot_id: 1 to 19 ASCII digits, as text, so that leading zeros survive.
        continue_id: likewise.
    """

    bot_type: str
    salesbot_id: str
    continue_id: str

    def on(self, origin: str) -> str:
        """Build the address on an origin that has been checked."""
        return f"{origin}/api/v4/{self.bot_type}/{self.salesbot_id}/continue/{self.continue_id}"


def parse_return_url(url: object, *, origin: str) -> ReturnUrl:
    """Take a return_url apart.

    Args:
        url: what the request claims, raw: not trimmed, not decoded, not cleaned.
        origin: the account's checked origin.

    Raises:
        ForeignReturnUrl: it isn't, character for character, a continue address of this origin.

    Source: protocol §1.5.
    """
    match = CONTINUE_PATH.fullmatch(url.removeprefix(origin)) if isinstance(url, str) else None
    if match is not None:
        parts = ReturnUrl(bot_type=match[1], salesbot_id=match[2], continue_id=match[3])
        if parts.on(origin) == url:
            return parts
    rule = f"must be a continue address of {origin}"
    raise ForeignReturnUrl(Fault("return_url", rule, "Check the account's origin in the admin."))
