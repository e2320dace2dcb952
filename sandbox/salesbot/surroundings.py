"""What a Salesbot needs of the world: a channel that takes its messages, and a CRM that it can change."""

from typing import Protocol

from sandbox.salesbot.effects import Acted, Shown
from sandbox.salesbot.handlers import Act


class Surroundings(Protocol):
    """The world a bot acts on."""

    def deliver(self, shown: Shown) -> Shown:
        """Give the message as the customer's channel takes it: cut, or with the reason why it failed."""

    def act(self, action: Act) -> Acted:
        """Change the CRM and tell what was done."""


class Nowhere:
    """Surroundings that deliver everything and change nothing."""

    def deliver(self, shown: Shown) -> Shown:
        """Give it back."""
        return shown

    def act(self, action: Act) -> Acted:
        """Do nothing."""
        return Acted(f"{action.name} was asked for")
