"""What states, outcomes and codes mean, for owners. The program's own words end here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bots.states import Outcome, State

Tone = Literal["good", "waiting", "bad", "quiet"]


@dataclass(frozen=True, slots=True)
class Words:
    """How a value is shown: its name, a sentence for its reader, and a tone for the eye."""

    name: str | Promise
    sentence: str | Promise
    tone: Tone


STATES: Mapping[State, Words] = {
    State.RECEIVED: Words(
        _("received"), _("The message is stored and waits for a free worker, or for its next try."), "waiting"
    ),
    State.ANSWERING: Words(_("answering"), _("A worker is asking the model right now."), "waiting"),
    State.ANSWERED: Words(_("answered"), _("The reply is ready and will be sent to Kommo next."), "waiting"),
    State.SENDING: Words(
        _("sending"), _("The reply is on its way to Kommo, or waits for another try because Kommo could not take it."),
        "waiting",
    ),
    State.DELIVERED: Words(_("delivered"), _("Kommo took the reply, and the Salesbot went on with it."), "good"),
    State.GONE: Words(
        _("too late"),
        _("The Salesbot waits no more: it was stopped, went on by itself, or another bot took over. The customer did "
          "not get this reply."),
        "bad",
    ),
    State.REJECTED: Words(
        _("refused"),
        _("Kommo refused the reply for good, so the customer did not get it. The reason below says what to change."),
        "bad",
    ),
    State.UNKNOWN: Words(
        _("uncertain"),
        _("Kommo's answer got lost, and a second try was not taken. The customer may have got the reply: look there."),
        "bad",
    ),
    State.FAILED: Words(
        _("not sent"),
        _("Kommo could not be told before the time for this message was over. The customer did not get a reply."),
        "bad",
    ),
}  # fmt: skip

OUTCOMES: Mapping[Outcome, Words] = {
    Outcome.SUCCESS: Words(
        _("answered"),
        _("The bot answered; the Salesbot leaves by its success exit, or by the way out that the bot names."),
        "good",
    ),
    Outcome.HANDOFF: Words(
        _("handed over"),
        _("The bot asked for a person; the Salesbot leaves by its handoff exit, or by the way out that the bot names."),
        "waiting",
    ),
    Outcome.SILENT: Words(
        _("silent"), _("The bot said nothing on purpose; the Salesbot goes on without a message."), "quiet"
    ),
    Outcome.FAIL: Words(
        _("fallback"), _("No answer of the bot's own could be given, so the fallback text was used."), "bad"
    ),
}

REASONS: Mapping[str, str | Promise] = {
    "account_off": _("the account is switched off"),
    "bot_off": _("the bot is switched off"),
    "switched_off": _("switched off before it was sent"),
    "no_bot": _("the account has no default bot"),
    "no_text": _("the message held no words"),
    "no_reply": _("no model answered"),
    "interrupted": _("workers stopped repeatedly over it"),
    "too_late": _("the answer deadline had passed"),
    "secret": _("a stored key could not be decrypted"),
    "unreachable": _("Kommo could not be reached"),
    "no_answer": _("Kommo gave no usable answer"),
    "unknown": _("nobody can tell whether it arrived"),
    "gone": _("the Salesbot waits no more"),
    "too_long": _("Kommo found it too long"),
    "token": _("the account's token can't be sent"),
    "settings": _("the account's settings keep the call from being made"),
    "pace": _("too many replies waited for their turn at Kommo"),
    "http_401": _("Kommo does not accept the token"),
    "http_403": _("Kommo does not permit it"),
    "http_429": _("Kommo asked to slow down"),
    "stop": _("the worker was stopped; another takes over"),
    "probe": _("once more, because the first answer got lost"),
    "lease": _("its worker fell silent; another takes over"),
    "defect": _("an error of our own"),
}


def state_words(state: str) -> Words:
    """Give the words for a stored state."""
    return STATES[State(state)]


def outcome_words(outcome: str) -> Words | None:
    """Give the words for a stored outcome; None while there is no reply."""
    return OUTCOMES[Outcome(outcome)] if outcome else None


def reason_words(code: str) -> str:
    """Give the words for a code of why; a code without words is shown as it is."""
    return str(REASONS.get(code, code))


REFUSALS: Mapping[str, str | Promise] = {
    "signature": _(
        "The last request was refused: it is not signed with the secret key that is entered here. Copy the secret key "
        "from the integration's Keys and scopes tab once more."
    ),
    "no-secret": _("The last request was refused: no secret key is entered here. Enter it."),
    "account": _(
        "The last request was refused: it came from another Kommo account than the id that is entered here. Correct "
        "the Kommo account id."
    ),
    "client": _(
        "The last request was refused: it came from another integration than the one that is entered here. Correct "
        "the integration id, or upload the widget to the right integration."
    ),
    "issuer": _(
        "The last request was refused: it came from another address than the one that is entered here. Correct the "
        "subdomain or the origin."
    ),
    "expired": _(
        "The last request was refused: by this server's clock its token had ended. Ask your operator to set the clock."
    ),
    "not-yet": _(
        "The last request was refused: by this server's clock its token is of the future. Ask your operator to set the "
        "clock."
    ),
    "return_url": _(
        "The last request was refused: its answer would go to another address than this account's. Correct the "
        "subdomain or the origin."
    ),
}
"""Why an account's address refused a request, by the codes of `bots.refusals`, each with its remedy."""
