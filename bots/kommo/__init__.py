"""Kommo's Salesbot protocol as a small library: no models, no settings, no Django. Import from here only."""

from bots.kommo.answers import KommoAnswer
from bots.kommo.client import post_continue
from bots.kommo.cutting import cut
from bots.kommo.errors import (
    BadAccessToken,
    BadOrigin,
    BodyUnreadable,
    DataRefused,
    ForeignReturnUrl,
    KommoError,
    NoAnswer,
    NotConnected,
    TokenRefused,
)
from bots.kommo.offers import LinkButton, may_be_choice, meaning_of
from bots.kommo.origins import check_origin, is_extra_origin
from bots.kommo.payloads import WidgetBody, WidgetData, parse_data, read_body
from bots.kommo.plans import Plan, plan_delivery
from bots.kommo.replies import ContinueBody, Handler, channel_limit, continue_body, neutralise
from bots.kommo.return_url import ReturnUrl, parse_return_url
from bots.kommo.shortening import shorten_for, still_offered
from bots.kommo.tokens import TokenFacts, verify_token

__all__ = [
    "BadAccessToken",
    "BadOrigin",
    "BodyUnreadable",
    "ContinueBody",
    "DataRefused",
    "ForeignReturnUrl",
    "Handler",
    "KommoAnswer",
    "KommoError",
    "LinkButton",
    "NoAnswer",
    "NotConnected",
    "Plan",
    "ReturnUrl",
    "TokenFacts",
    "TokenRefused",
    "WidgetBody",
    "WidgetData",
    "channel_limit",
    "check_origin",
    "continue_body",
    "cut",
    "is_extra_origin",
    "may_be_choice",
    "meaning_of",
    "neutralise",
    "parse_data",
    "parse_return_url",
    "plan_delivery",
    "post_continue",
    "read_body",
    "shorten_for",
    "still_offered",
    "verify_token",
]
