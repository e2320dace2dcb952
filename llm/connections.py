"""Clients for litellm, made once and kept: all share one checked connection pool per loop.

litellm wants an openai SDK client for some vendors and its own handler round httpx for the others; both sit on the
transport of `llm.wire`. One loop per process is the rule; another loop gets clients of its own.
"""

import asyncio
from collections import OrderedDict
from hashlib import sha256
from importlib import import_module
from typing import Any

import httpx

from llm.config import ModelChoice
from llm.vendors import VENDORS
from llm.wire import CheckedTransport

SDK_VENDORS = frozenset({"openai", "perplexity"})
SDK_CLIENTS_MAX = 256  # one for each key in use; they hold no connection of their own


def base_address(choice: ModelChoice) -> str:
    """Where a model is asked: the provider's own base address, else the vendor's."""
    base = (choice.api_base.strip() or VENDORS[choice.vendor].api_base).rstrip("/")
    return base.removesuffix("/v1") if choice.vendor == "anthropic" else base  # litellm adds /v1/messages itself


def client_for(choice: ModelChoice, *, allow_private: bool) -> Any:
    """The client that litellm's way to this vendor accepts; to be called inside the running loop."""
    clients = _clients_of_this_loop(allow_private=allow_private)
    if choice.vendor in SDK_VENDORS:
        return clients.sdk(choice.api_key.strip(), base_address(choice))
    return clients.handler


async def close_connections() -> None:
    """Close every connection that this loop keeps; for the loop's end, when no call runs any more."""
    for clients in _kept.pop(asyncio.get_running_loop(), {}).values():
        await clients.close()


class _Clients:
    """The clients of one loop."""

    def __init__(self, *, allow_private: bool) -> None:
        transport = CheckedTransport(allow_private=allow_private)
        self._http = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        self._sdk: OrderedDict[bytes, Any] = OrderedDict()
        handlers = import_module("litellm.llms.custom_httpx.http_handler")
        self.handler = handlers.AsyncHTTPHandler(transport=transport, follow_redirects=False)

    def sdk(self, api_key: str, base: str) -> Any:
        """An SDK client for this key and address; the least recently used one makes room, the pool stays."""
        name = sha256(f"{base}\n{api_key}".encode()).digest()
        if name not in self._sdk:
            self._sdk[name] = self._make_sdk(api_key, base)
        self._sdk.move_to_end(name)
        if len(self._sdk) > SDK_CLIENTS_MAX:
            self._sdk.popitem(last=False)
        return self._sdk[name]

    async def close(self) -> None:
        """Close the pool that all of them share."""
        await self._http.aclose()

    def _make_sdk(self, api_key: str, base: str) -> Any:
        return import_module("openai").AsyncOpenAI(
            api_key=api_key, base_url=base, http_client=self._http, max_retries=0, organization="", project=""
        )


# By loop, then by allow_private; each loop touches its own. A loop that ends without `close_connections` stays here.
_kept: dict[asyncio.AbstractEventLoop, dict[bool, _Clients]] = {}


def _clients_of_this_loop(*, allow_private: bool) -> _Clients:
    kept = _kept.setdefault(asyncio.get_running_loop(), {})
    if allow_private not in kept:
        kept[allow_private] = _Clients(allow_private=allow_private)
    return kept[allow_private]
