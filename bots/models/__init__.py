"""Everything of a tenant, a file per concept."""

from bots.models.accounts import Account, HookKey, Membership
from bots.models.attempts import Attempt
from bots.models.bots import Bot, ModelChoice
from bots.models.conversations import Conversation, Message
from bots.models.exchanges import Exchange
from bots.models.providers import Provider
from bots.models.scoped import AccountScoped
from bots.models.users import User
from bots.models.workers import Heartbeat, Pace

__all__ = [
    "Account",
    "AccountScoped",
    "Attempt",
    "Bot",
    "Conversation",
    "Exchange",
    "Heartbeat",
    "HookKey",
    "Membership",
    "Message",
    "ModelChoice",
    "Pace",
    "Provider",
    "User",
]
