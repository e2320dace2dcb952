"""Plain sentences on what a Salesbot did, for the panel beside the chat."""

from typing import Final

from sandbox.chats import Turn, TurnState, in_words
from sandbox.salesbot.effects import Acted, Chosen, Effect, Ended, Jumped, Left, Listening, Shown, Weighed
from sandbox.widget_requests import Acknowledgement

SHORT_CHARS: Final = 120
OUTCOMES: Final = {
    "handoff": "The bridge asked for a person (handoff). In Kommo this exit leads on to your team.",
    "silent": "The bridge chose to say nothing (silent).",
    "fail": "The bridge could not answer (fail). The customer sees at most its fallback text, not the reason.",
}
OURS: Final = frozenset({"status", "message", "show"})


def tell_effect(turn: Turn, effect: Effect) -> None:
    """Add the line for one effect of the interpreter."""
    match effect:
        case Shown():
            _tell_message(turn, effect)
        case Weighed(terms=terms, holds=holds):
            asked = " and ".join(f"{left} {operation} {right}" for left, operation, right in terms)
            turn.tell(f"Condition {asked}: {'yes' if holds else 'no'}")
        case Chosen(by=by):
            turn.tell("No button fits the reply" if by is None else f"The reply fits the button “{by}”")
        case Jumped(jump=jump):
            turn.tell(f"Went to {jump.type} {jump.step}")
        case Acted(told=told, worked=worked):
            turn.tell(told, tone="good" if worked else "bad")
        case _:
            _tell_stand(turn, effect)


def _tell_message(turn: Turn, shown: Shown) -> None:
    if shown.failed:
        turn.tell("A message was not delivered: the customer does not see it", tone="bad", detail=shown.failed)
    elif shown.leaked:
        turn.tell("Showed unfilled placeholders to the customer", tone="bad", detail=", ".join(shown.leaked))
    else:
        told = f"Showed a message of {len(shown.text):,} characters to the customer"
        turn.tell(told, tone="good", detail=short(shown.text))


def _tell_stand(turn: Turn, effect: Effect) -> None:
    """Add the line for where the bot stands now."""
    match effect:
        case Left(code=code):
            turn.tell(f"Left the Widget step by the exit “{code}”", tone="good" if code == "success" else "wait")
        case Listening(to_customer=True, seconds=None):
            turn.tell("Waits for the customer's next message")
        case Listening(to_customer=True, seconds=float(seconds)):
            turn.tell(f"Waits for the customer's next message, {in_words(seconds)} at most")
        case Listening(seconds=float(seconds)):
            turn.tell(f"Pauses for {in_words(seconds)}")
        case Ended(reason=reason, wanted=wanted):
            turn.tell("The Salesbot ended", tone="plain" if wanted else "bad", detail=reason)


def tell_acknowledgement(turn: Turn, ack: Acknowledgement) -> None:
    """Add the line for the bridge's answer to a widget_request. Source: protocol §1.4."""
    if ack.is_good:
        turn.tell(f"The bridge acknowledged with 200 in {ack.ack_ms:,} ms", tone="good")
    elif ack.status is None:
        turn.tell(
            f"The bridge did not acknowledge: {ack.error}", tone="bad", detail=f"Given up after {ack.ack_ms:,} ms."
        )
    else:
        rule = "Kommo wants 200 within 2 s and tries only once."
        turn.tell(
            f"The bridge answered {ack.status} in {ack.ack_ms:,} ms", tone="bad", detail=f"{rule} {short(ack.body)}"
        )


def finish(turn: Turn, state: TurnState) -> None:
    """Close a turn: how long it took, and what the customer was not shown."""
    turn.state, turn.took_ms, turn.unseen = state, turn.ms(), unseen_by_customer(turn)


def unseen_by_customer(turn: Turn) -> list[str]:
    """List what the finished turn held that the customer was not shown."""
    data = (turn.continued or {}).get("body", {}).get("data") or {}
    message = str(data.get("message") or "")
    sentences = [OUTCOMES[turn.outcome]] if turn.outcome in OUTCOMES else []
    sentences += [f"A message was not delivered: {reason}" for reason in turn.failed]
    if message and message not in turn.shown:
        sentences.append(f"A message came but was not shown ({len(message):,} characters): {short(message)}")
    if not turn.shown:
        sentences.append("Nothing was shown in this turn.")
    return [*sentences, *(f"For the Salesbot only: {key} = {short(str(data[key]))}" for key in data if key not in OURS)]


def short(text: str) -> str:
    """Cut a text to one line of the panel."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT_CHARS else f"{line[: SHORT_CHARS - 1]}…"
