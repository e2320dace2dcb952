"""The pages of tenants' rows. Importing a file registers its page."""

from bots.admin import accounts, bots, conversations, exchanges, providers, users

__all__ = ["accounts", "bots", "conversations", "exchanges", "providers", "users"]
