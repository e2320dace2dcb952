"""The setup guide in words, for owners: names of steps, how each was ticked, and what each remark asks for."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bots.guide import StepCode, StepState
from bots.guide_facts import Remark

Words = str | Promise

TITLES: Mapping[StepCode, Words] = {
    StepCode.ACCOUNT: _("Your Kommo account is entered here"),
    StepCode.INTEGRATION: _("A private integration exists in Kommo"),
    StepCode.SECRETS: _("Secret key and long-lived token are set"),
    StepCode.BOT: _("A bot with a model is ready"),
    StepCode.WIDGET: _("The widget is built and downloaded"),
    StepCode.UPLOAD: _("The widget is uploaded in Kommo"),
    StepCode.SETTINGS: _("The widget's settings were saved once"),
    StepCode.SALESBOT: _("A Salesbot has the Widget step, and something starts it"),
    StepCode.REQUEST: _("The first request arrives"),
    StepCode.REPLY: _("The first answer is delivered"),
}

STATES: Mapping[StepState, tuple[Words, str]] = {
    StepState.DONE: (_("done"), "good"),
    StepState.NEXT: (_("next"), "waiting"),
    StepState.OPEN: (_("open"), "quiet"),
    StepState.TROUBLE: (_("trouble"), "bad"),
}

REMARKS: Mapping[Remark, Words] = {
    Remark.ACCOUNT_OFF: _(
        "The account is switched off: its Salesbots go on at once, without a message. Switch it on on its page."
    ),
    Remark.NO_SECRET: _("Still missing: the secret key. Without it every request from Kommo is refused."),
    Remark.NO_TOKEN: _("Still missing: the long-lived token. Without it no answer can be sent to Kommo."),
    Remark.UNREADABLE: _(
        "What was entered can't be decrypted any more. Enter both again, and tell your operator to check FIELD_KEYS."
    ),
    Remark.TOKEN_ENDED: _(
        "By its own words the token ended on %(end)s. Generate a new one in Kommo and enter it on the account's page."
    ),
    Remark.TOKEN_OF_ANOTHER: _(
        "By its own words the token belongs to the Kommo account %(named)s, and %(entered)s is entered here. Correct "
        "the Kommo account id, or enter the token of the right account."
    ),
    Remark.NO_BOT: _("Still missing: a bot that is marked as default."),
    Remark.NO_MODEL: _("Still missing: a model for the bot %(bot)s, from a provider that is in use."),
    Remark.NO_KEY: _("Still missing: the API key of the provider that the bot %(bot)s asks."),
    Remark.BOT_OFF: _("The bot %(bot)s is switched off: its Salesbots go on without a message. Switch it on."),
    Remark.OLD_WIDGET: _(
        "The newest request came from version %(old)s of the widget, and %(new)s was built since. A Salesbot keeps the "
        "version with which it was saved: upload the new one, open each Salesbot, change something in its Widget step, "
        "and save."
    ),
    Remark.LOCAL_ADDRESS: _(
        "Kommo can't reach %(address)s from outside. Ask your operator for a public address (PUBLIC_URL), then build "
        "and upload the widget anew."
    ),
    Remark.REFUSED: _("%(refusal)s That was on %(refused_at)s; the next request that is taken ends this notice."),
    Remark.ANSWERING: _("A message is being answered right now. This takes some seconds."),
    Remark.FALLBACK: _(
        "Kommo took the fallback text, because no model answered in time. The exchange shows which one failed and why."
    ),
    Remark.NO_WORDS: _(
        "Kommo took an answer without words: the bot or the account is switched off, or the bot chose to be silent."
    ),
    Remark.NOT_DELIVERED: _("An answer was ready, and Kommo did not take it. %(reason)s"),
}

NO_REASON = _("The exchange shows what Kommo said.")
