"""Which LLM vendors an account may use, and where they live by default.

The list holds only vendors that take a key, have a public address, and whose calls go through our own checked HTTP
client; tests/llm/test_vendors.py proves that for each of them on a real socket. A foreign server that speaks OpenAI's
protocol is asked as `openai` with its own base address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kommobridge.base.faults import Fault, Faulty

DEMO_VENDOR = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One kind of provider.

    Args:
        label: name for people.
        api_base: the vendor's own base address, without a slash at the end; empty when it is answered in our process.
        needs_key: no call is made without a key.
    """

    label: str
    api_base: str
    needs_key: bool = True


VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "openai": Vendor(label="OpenAI, or any server with its protocol", api_base="https://api.openai.com/v1"),
        "anthropic": Vendor(label="Anthropic", api_base="https://api.anthropic.com"),
        "gemini": Vendor(label="Google Gemini", api_base="https://generativelanguage.googleapis.com/v1beta"),
        "mistral": Vendor(label="Mistral", api_base="https://api.mistral.ai/v1"),
        "deepseek": Vendor(label="DeepSeek", api_base="https://api.deepseek.com/beta"),
        "groq": Vendor(label="Groq", api_base="https://api.groq.com/openai/v1"),
        "xai": Vendor(label="xAI", api_base="https://api.x.ai/v1"),
        "openrouter": Vendor(label="OpenRouter", api_base="https://openrouter.ai/api/v1"),
        "together_ai": Vendor(label="Together AI", api_base="https://api.together.xyz/v1"),
        "fireworks_ai": Vendor(label="Fireworks AI", api_base="https://api.fireworks.ai/inference/v1"),
        "perplexity": Vendor(label="Perplexity", api_base="https://api.perplexity.ai"),
        DEMO_VENDOR: Vendor(label="Demo: answers offline from prompt and knowledge", api_base="", needs_key=False),
    }
)


class UnknownVendor(Faulty):
    """The vendor is not on the list."""


def is_allowed_vendor(vendor: str) -> bool:
    """Say whether accounts may use this vendor."""
    return vendor in VENDORS


def check_vendor(vendor: str) -> Vendor:
    """Give what is known of a vendor.

    Raises:
        UnknownVendor: it is not on the list; the fault names those that are.
    """
    if vendor not in VENDORS:
        raise UnknownVendor(Fault("provider", f"must be one of {', '.join(VENDORS)}", "Choose one of them."))
    return VENDORS[vendor]
