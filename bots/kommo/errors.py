"""What can go wrong between Kommo and us.

    Faulty (ValueError)                what a person can read: field, rule, remedy
      KommoError                       a request or a setting that breaks the protocol
        BodyUnreadable                 the request's body can't be read: 400
        TokenRefused                   no token, or one that fails a check: 401; `code` says which
        ForeignReturnUrl               return_url isn't a continue address of the account: 400
        DataRefused                    data isn't an object: 400
        BadOrigin                      an account's origin isn't an address of Kommo's
    Exception
      NotConnected                     nothing of the call reached Kommo; `code` says why
        BadAccessToken                 the access token can't be sent at all
      NoAnswer                         the call went out and no usable answer came back

None of these texts holds a token, a secret, an address that a stranger sent, or a customer's words.
"""

from typing import Literal

from kommobridge.base.faults import Fault, Faulty

TokenCode = Literal[
    "missing", "malformed", "algorithm", "signature", "expired", "not-yet", "account", "client", "issuer", "no-secret"
]
NotConnectedCode = Literal["dns", "address", "refused", "timeout", "tls", "token"]


class KommoError(Faulty):
    """A request or a setting breaks the protocol; the fault says what must hold."""


class BodyUnreadable(KommoError):
    """The body of a widget_request can't be read."""


class TokenRefused(KommoError):
    """The token of a widget_request is missing or fails a check.

    Attributes:
        code: which check, one word for logs and counters.
    """

    def __init__(self, code: TokenCode, rule: str, remedy: str = "") -> None:
        super().__init__(Fault("token", rule, remedy))
        self.code: TokenCode = code


class ForeignReturnUrl(KommoError):
    """A return_url that isn't, character for character, a continue address of the account."""


class DataRefused(KommoError):
    """The data of a widget_request isn't an object."""


class BadOrigin(KommoError):
    """An origin that isn't an account's address at Kommo."""


class NotConnected(Exception):
    """Nothing of the call reached Kommo, so that it may be made again as it is.

    Attributes:
        code: "dns", "address" (the guard refused it), "refused", "timeout", "tls" or "token".
    """

    def __init__(self, code: NotConnectedCode, text: str) -> None:
        super().__init__(text)
        self.code: NotConnectedCode = code


class BadAccessToken(NotConnected):
    """The access token holds characters that no header can carry."""

    def __init__(self) -> None:
        super().__init__(
            "token", "The access token is empty or holds spaces or characters outside ASCII. Enter it again."
        )


class NoAnswer(Exception):
    """The call, or a part of it, went out, and no status came back: it may have arrived."""
