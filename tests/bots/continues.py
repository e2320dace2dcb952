"""What can come back from a continue call, where each of it leads, and an exchange that is ready to be sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bots.deliveries import Result
from bots.kommo import BadAccessToken, BadOrigin, KommoAnswer, NoAnswer, NotConnected
from bots.models import Exchange
from bots.states import State
from kommobridge.base.faults import Fault
from tests.cast import a_bot, an_account, an_exchange

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNREACHABLE = NotConnected("refused", "No connection to Kommo.")
ANSWER_LOST = NoAnswer("No answer came back.")
FOREIGN = BadOrigin(Fault("origin", "must be an address of Kommo's"))


def answered(status: int, **fields: Any) -> KommoAnswer:
    return KommoAnswer(status=status, **fields)


D, G, R, U, S = State.DELIVERED, State.GONE, State.REJECTED, State.UNKNOWN, State.SENDING
# what came back -> where it leads the first time, what is special of that, where it leads as the probe
TABLE: dict[str, tuple[Result, State, set[str], State]] = {
    "200": (answered(200), D, set(), D),
    "202": (answered(202), D, set(), D),
    "204": (answered(204), D, set(), D),
    "299": (answered(299), D, set(), D),
    "301": (answered(301), R, {"trouble"}, U),
    "307": (answered(307), R, {"trouble"}, U),
    "400": (answered(400, detail="Bad"), S, {"shorten"}, U),
    "400 for its length": (answered(400, codes=("TooLong",)), S, {"shorten"}, U),
    "401": (answered(401), R, {"trouble"}, U),
    "402": (answered(402), R, {"trouble"}, U),
    "403 of the API": (answered(403, content_type="application/problem+json"), R, {"trouble"}, U),
    "403 as a web page": (answered(403, is_html=True), S, set(), U),
    "404": (answered(404), G, set(), U),
    "405": (answered(405), R, {"trouble"}, U),
    "422": (answered(422), S, {"shorten"}, U),
    "429": (answered(429), S, set(), U),
    "500": (answered(500), S, {"probe"}, U),
    "502": (answered(502), S, {"probe"}, U),
    "503": (answered(503), S, {"probe"}, U),
    "504": (answered(504), S, {"probe"}, U),
    "no answer": (ANSWER_LOST, S, {"probe"}, U),
    "no connection": (UNREACHABLE, S, set(), S),
    "a name that does not resolve": (NotConnected("dns", "No such host."), S, set(), S),
    "a token that can not be sent": (BadAccessToken(), R, {"trouble"}, U),
    "an origin that is not Kommo's": (FOREIGN, R, {"trouble"}, U),
}


def answered_exchange(**fields: Any) -> Exchange:
    """Give an exchange with a stored reply, as a worker claimed it."""
    account = fields.pop("account", None) or an_account()
    bot = fields.pop("bot", None) or a_bot(account)
    state = fields.pop("state", State.ANSWERED)
    defaults: dict[str, Any] = {
        "received_at": NOON,
        "claim": 1,
        "lease_until": NOON + timedelta(seconds=12),
        "bot": bot,
    }
    return an_exchange(account, state=state, **defaults | fields)
