"""The only way out to Kommo."""

import http.client
import json
import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from bots.kommo.answers import KommoAnswer, read_answer
from bots.kommo.errors import BadAccessToken, NoAnswer, NotConnected
from bots.kommo.origins import check_origin
from bots.kommo.wire import LEAST_S, Call, OneCallAdapter

CONNECT_TIMEOUT_S = 3.0
TOTAL_TIMEOUT_S = 10.0
ANSWER_MAX_BYTES = 64 * 1024
CHUNK_BYTES = 16 * 1024
DEFAULT_PORTS = {"https": 443, "http": 80}

ACCESS_TOKEN = re.compile(r"[\x21-\x7e]+")


def post_continue(
    url: str,
    *,
    access_token: str,
    body: Mapping[str, object],
    exempt: bool,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    total_timeout_s: float = TOTAL_TIMEOUT_S,
) -> KommoAnswer:
    """Post a continue, once.

    Nothing comes from the environment (no proxy, no netrc, no certificates), no redirect is followed, no cookie kept,
    nothing decompressed, and no connection used twice: a kept one that the other side has closed can't be told from
    a call that was lost. The status decides; of the body at most ANSWER_MAX_BYTES are read, and a body that doesn't
    end in time is taken as far as it came.

    Args:
        url: `ReturnUrl.on` of the account's checked origin.
        access_token: the account's.
        body: what `continue_body` made.
        exempt: the origin is one that the deployment named itself: any host, http too, addresses unchecked.
        connect_timeout_s: for name lookup, connection and TLS together.
        total_timeout_s: for everything; the call never takes longer.

    Raises:
        BadAccessToken: the token can't be sent.
        BadOrigin: the url isn't on Kommo's domains, and not exempt.
        NotConnected: nothing reached Kommo.
        NoAnswer: it may have arrived, and no status came back.

    Source: protocol §2.1, §2.5.
    """
    if not ACCESS_TOKEN.fullmatch(access_token):
        raise BadAccessToken
    call = _call(url, exempt=exempt, connect_timeout_s=connect_timeout_s, total_timeout_s=total_timeout_s)
    request = requests.Request("POST", url, headers=_headers(access_token), data=json.dumps(body, allow_nan=False))
    adapter = OneCallAdapter(call)
    try:
        response = _sent(adapter, request)
        return read_answer(response.status_code, response.headers, _read(response), access_token=access_token)
    finally:
        adapter.close()


def _call(url: str, *, exempt: bool, connect_timeout_s: float, total_timeout_s: float) -> Call:
    parts = urlsplit(url)
    if not exempt:
        check_origin(f"{parts.scheme}://{parts.netloc}", extra=())
    now = time.monotonic()
    return Call(
        host=parts.hostname or "",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        is_secure=parts.scheme == "https",
        exempt=exempt,
        connect_by=now + min(connect_timeout_s, total_timeout_s),
        deadline=now + total_timeout_s,
    )


def _headers(access_token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {access_token}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "KommoBridge",
    }


def _sent(adapter: OneCallAdapter, request: requests.Request) -> requests.Response:
    """Send straight through the adapter: a session would add the environment, cookies and redirects."""
    call = adapter.call
    try:
        return adapter.send(request.prepare(), stream=True, timeout=max(call.deadline - time.monotonic(), LEAST_S))
    except (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError) as failed:
        if call.has_begun:
            raise NoAnswer(f"No answer came back from Kommo ({type(failed).__name__}).") from None
        raise NotConnected("refused", f"No connection to Kommo ({type(failed).__name__}).") from None


def _read(response: requests.Response) -> bytes:
    """Read the body as far as it comes in time and within ANSWER_MAX_BYTES."""
    body = b""
    try:
        while len(body) < ANSWER_MAX_BYTES:
            chunk = response.raw.read1(min(CHUNK_BYTES, ANSWER_MAX_BYTES - len(body)), decode_content=False)
            if not chunk:
                break
            body += chunk
    except (HTTPError, http.client.HTTPException, OSError, ValueError):
        return body
    finally:
        response.close()
    return body
