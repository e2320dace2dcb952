"""Everything about language models, in plain data: no database, no settings, and no litellm until the first call.

`answer` makes one reply out of a bot's configuration, the conversation so far and the customer's message. What comes
back tells every call that was tried, so that the caller can keep it. The worker calls `preload` before it forks and
`close_connections` before its loop ends.

The three functions come late, on first use: who only wants the names of vendors, as the web process does, is spared
an HTTP client's 10 MB.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llm.config import BotConfig, Line, Link, ModelChoice, Output, OutputType, Role
from llm.replies import Call, CallError, NoReply, Outcome, OutputValue, Reply
from llm.vendors import DEMO_VENDOR, VENDORS, UnknownVendor, Vendor, check_vendor, is_allowed_vendor

if TYPE_CHECKING:
    from llm.client import preload
    from llm.connections import close_connections
    from llm.fallback import answer

__all__ = [
    "DEMO_VENDOR",
    "VENDORS",
    "BotConfig",
    "Call",
    "CallError",
    "Line",
    "Link",
    "ModelChoice",
    "NoReply",
    "Outcome",
    "Output",
    "OutputType",
    "OutputValue",
    "Reply",
    "Role",
    "UnknownVendor",
    "Vendor",
    "answer",
    "check_vendor",
    "close_connections",
    "is_allowed_vendor",
    "preload",
]

_LATE = {"answer": "llm.fallback", "close_connections": "llm.connections", "preload": "llm.client"}


def __getattr__(name: str) -> Any:
    """Import a function of the front when it is first asked for."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
