"""The door that Kommo's Widget step knocks at."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseError
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bots import intake, refusals
from bots.kommo import (
    BodyUnreadable,
    DataRefused,
    ForeignReturnUrl,
    KommoError,
    TokenRefused,
    WidgetBody,
    parse_data,
    parse_return_url,
    verify_token,
)
from bots.models import Account, HookKey
from bots.parsers import BODY_MAX_BYTES, WidgetRequestParser
from kommobridge.base.faults import Fault
from kommobridge.base.keyring import SecretUnreadable

log = logging.getLogger(__name__)


class TooLarge(Exception):
    """The body is over the limit."""


class UnknownKey(Exception):
    """No account has this hook key."""


class OneForAll(BaseContentNegotiation):
    """One parser and one renderer, whatever a request's headers say: nonsense in them is no reason to refuse it."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Give the parser, which looks for itself."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Give JSON, also to a caller that asks for something else."""
        return renderers[0], renderers[0].media_type


class WidgetRequestView(APIView):
    """Take a widget_request: verify it, store it, answer at once. No network, no model, nothing slow."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = OneForAll
    parser_classes = (WidgetRequestParser,)

    def post(self, request: Request, key: str) -> Response:
        """Answer 200 `{}` when the request is stored, now or before."""
        refuse_too_large(request)
        account = account_of(key)
        body = body_of(request)
        now = timezone.now()
        try:
            facts = verify_token(
                body.token,
                secrets=account.token_secrets(now),
                kommo_id=account.kommo_id,
                client_id=account.client_id,
                origin=account.origin,
                now=now,
            )
            return_url = parse_return_url(body.return_url, origin=account.origin)
        except (TokenRefused, ForeignReturnUrl) as error:
            refusals.remember(account, error, now=now)
            raise
        data = parse_data(body.data)
        intake.take(account, facts=facts, data=data, return_url=return_url, encoding=body.encoding, now=now)
        refusals.forget(account)
        return Response({})

    def handle_exception(self, exc: Exception) -> Response:
        """Turn what went wrong into a status and a sentence."""
        for kind, answer in ANSWERS.items():
            if isinstance(exc, kind):
                return answer(exc)
        return super().handle_exception(exc)


def refuse_too_large(request: Request) -> None:
    """Refuse a body over the limit before it is read.

    Raises:
        TooLarge: by its length; `kommobridge.wsgi` gives a chunked body one, and lets the sender see the 413.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_MAX_BYTES:
        raise TooLarge


def account_of(key: str) -> Account:
    """Find the account of a hook key, current or previous while honoured.

    Raises:
        UnknownKey: nobody has it.
    """
    found = HookKey.objects.select_related("account").filter(value=key).first()
    if found is None or not found.is_honoured(timezone.now()):
        raise UnknownKey
    return found.account


def body_of(request: Request) -> WidgetBody:
    """Read the body through the parser.

    Raises:
        BodyUnreadable: it can't be read, or there is none.
    """
    body: object = request.data
    if not isinstance(body, WidgetBody):  # DRF gives an empty dict without asking the parser when there is no body
        raise BodyUnreadable(Fault("body", "must not be empty", "Send token, data and return_url."))
    return body


def _refusal(status: int, code: str, detail: str) -> Response:
    log.info("request refused", extra={"status": status, "code": code})
    return Response({"error": code, "detail": detail}, status=status)


def _bad_request(error: KommoError) -> Response:
    return _refusal(400, error.fault.field, str(error))


def _unauthorised(error: TokenRefused) -> Response:
    return _refusal(401, f"token_{error.code}".replace("-", "_"), str(error))


def _unavailable(error: Exception) -> Response:
    log.error("request could not be stored", extra={"error_type": type(error).__name__})
    return Response({"error": "unavailable", "detail": "The request can't be stored at the moment."}, status=503)


ANSWERS: dict[type[Exception], Callable[[Any], Response]] = {
    TooLarge: lambda _: _refusal(413, "body", f"body: must be at most {BODY_MAX_BYTES} bytes."),
    UnknownKey: lambda _: _refusal(404, "key", "No account has this address."),
    TokenRefused: _unauthorised,
    BodyUnreadable: _bad_request,
    ForeignReturnUrl: _bad_request,
    DataRefused: _bad_request,
    SecretUnreadable: _unavailable,
    DatabaseError: _unavailable,
}
