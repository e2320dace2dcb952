"""The deployment that most process tests share: two accounts on two Kommos, one LLM server, every fault as a bot.

Everything secret in it is a canary: a text that is nowhere else, so that finding it somewhere means a leak.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.environment import a_free_port
from tests.rig import Rig
from tests.stubs.kommo import AskedOf, KommoStub
from tests.stubs.llm import Asked, LlmStub

FALLBACK = "A colleague will answer you soon."
DEADLINE_S = 7  # of bots whose model fails
LONG_WORDS = "Tell me everything"
LONG_REPLY = " ".join(f"Sentence number {number} of a long answer." for number in range(1, 34))
PASSWORD = "canary-password-9d1f77ab"

# Slug of a bot and its model; what the stub does is the model's name.
LLM_FAULTS = {
    "llm-500": "500",
    "llm-401": "401",
    "llm-429": "429",
    "llm-silent": "silent",
    "llm-drip": "drip",
    "llm-empty": "empty",
    "llm-garbage": "garbage",
    "llm-huge": "huge",
    "llm-huge-chunked": "huge-chunked",
    "llm-bomb": "bomb",
    "llm-reset": "reset",
    "llm-redirect": "redirect",
}


@dataclass(slots=True)
class Tenant:
    """One account: its Kommo, the key of its hook address, and the deployment that it is in."""

    name: str
    kommo: KommoStub
    rig: Rig
    key: str
    api_key: str
    previous_secret: str
    bots: list[dict[str, Any]] = field(default_factory=list)

    @property
    def hook_url(self) -> str:
        """The address that its Widget step calls."""
        return self.rig.hook(self.key)

    def ask(self, text: str, **more: Any) -> AskedOf:
        """Send a customer's message and see that it was taken; see `KommoStub.ask`."""
        asked = self.kommo.ask(self.hook_url, text, **more)
        assert asked.status == 200, asked
        return asked

    def ask_at_once(self, asks: Sequence[dict[str, Any]]) -> list[AskedOf]:
        """Send many at the same moment."""
        return self.kommo.ask_at_once(self.hook_url, asks)

    def secrets(self) -> list[str]:
        """Give everything of this account that must not be found anywhere, its tokens' signatures included."""
        signatures = [token.rpartition(".")[2] for token in self.kommo.tokens]
        own = [self.kommo.client_secret, self.kommo.access_token, self.previous_secret, self.api_key]
        return [*own, *signatures]

    def document(self, llm_url: str) -> dict[str, Any]:
        """Give the account as `provision` takes it."""
        return {
            "key": self.key,
            "name": self.name,
            "subdomain": self.name.lower(),
            "kommo_id": self.kommo.kommo_id,
            "origin": self.kommo.origin,
            "integration": {
                "client_id": self.kommo.client_id,
                "client_secret": self.kommo.client_secret,
                "previous_client_secret": self.previous_secret,
            },
            "access_token": self.kommo.access_token,
            "members": [{"email": f"owner@{self.name.lower()}.test", "password": PASSWORD, "role": "owner"}],
            "providers": [
                {"name": "main", "provider": "openai", "api_key": self.api_key, "api_base": llm_url},
                {
                    "name": "nobody",
                    "provider": "openai",
                    "api_key": self.api_key,
                    "api_base": f"http://127.0.0.1:{a_free_port()}/v1",
                },
                {"name": "keyless", "provider": "openai"},
            ],
            "bots": self.bots,
        }


def a_tenant(name: str, kommo: KommoStub, rig: Rig) -> Tenant:
    """Make an account with a bot that answers, and one for every fault of a model."""
    tenant = Tenant(name, kommo, rig, a_canary(f"hook-{name}"), a_canary(f"sk-{name}"), a_canary(f"previous-{name}"))
    tenant.bots = [
        tenant_bot(tenant, "default", "stub", deadline_s=30),
        tenant_bot(tenant, "slow", "slow-2", deadline_s=30),
        tenant_bot(tenant, "slower", "slow-5", deadline_s=30),
        tenant_bot(tenant, "held", "held", deadline_s=30),
        tenant_bot(tenant, "everything", "everything", deadline_s=30),
        tenant_bot(tenant, "keyless", "gpt-4o-mini", provider="keyless"),
        tenant_bot(
            tenant, "second-chance", "", models=[{"provider": "main", "model": name} for name in ("401", "stub")]
        ),
        tenant_bot(tenant, "llm-refused", "stub", provider="nobody"),
        *(tenant_bot(tenant, slug, model) for slug, model in LLM_FAULTS.items()),
    ]
    return tenant


def tenant_bot(tenant: Tenant, slug: str, model: str, *, provider: str = "main", **fields: Any) -> dict[str, Any]:
    """Give a bot as `provision` takes it, whose prompt names its account."""
    return {
        "slug": slug,
        "name": slug,
        "prompt": prompt_of(tenant.name),
        "models": [{"provider": provider, "model": model}],
        "fallback_text": FALLBACK,
        "deadline_s": DEADLINE_S,
    } | fields


def prompt_of(name: str) -> str:
    """Give the words that only this account's prompts hold."""
    return f"You sell the secret tea of {name}."


def a_canary(name: str) -> str:
    """Make a text that is nowhere else."""
    return f"canary-{name}-{secrets.token_hex(12)}"


def a_kommo(name: str, number: int, **more: Any) -> KommoStub:
    """Make a Kommo account whose secrets are canaries."""
    return KommoStub(
        kommo_id=31_000 + number,
        client_id=f"0d5c0e5e-1111-4222-8333-{number:012d}",
        client_secret=a_canary(f"client-secret-{name}"),
        access_token=a_canary(f"access-token-{name}"),
        **more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Everything that is running.

    Args:
        acme: the account that most tests use.
        rival: the stranger's; the same entities, everything else its own.
        nowhere: an account whose Kommo refuses connections.
        elsewhere: the server to which redirects lead; nobody may call it.
        honeypot: the model server that the environment of the workers names; nobody may ask it.
    """

    rig: Rig
    llm: LlmStub
    acme: Tenant
    rival: Tenant
    nowhere: Tenant
    elsewhere: KommoStub
    honeypot: LlmStub


def reply_to(asked: Asked) -> str:
    """Answer as the LLM does here: with the customer's last words, or at length when asked for everything."""
    last = asked.last_text.rsplit("\n", 1)[-1]
    return LONG_REPLY if LONG_WORDS in last else f"You said: {last}"
