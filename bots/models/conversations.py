"""Conversations with customers, and their lines."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bots.models.accounts import Account
from bots.models.scoped import AccountScoped


class Conversation(AccountScoped):
    """All exchanges with one customer thread: one lead or customer of one account."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="conversations", verbose_name=_("account")
    )
    entity_type = models.PositiveSmallIntegerField(
        _("entity type"), choices=[(2, _("lead")), (12, _("customer")), (0, _("unknown"))]
    )
    entity_id = models.CharField(_("entity id"), max_length=64)
    contact_id = models.CharField(_("contact id"), max_length=64, blank=True)
    talk_id = models.CharField(_("talk id"), max_length=64, blank=True)
    origin = models.CharField(_("channel"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("first message"), default=timezone.now)
    last_message_at = models.DateTimeField(_("last message"), default=timezone.now)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-last_message_at"]
        indexes = [models.Index(fields=["account", "-last_message_at"], name="conversation_newest")]
        constraints = [
            models.UniqueConstraint(fields=["account", "entity_type", "entity_id"], name="one_conversation_per_entity"),
            models.UniqueConstraint(fields=["id", "account"], name="conversation_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.get_entity_type_display()} {self.entity_id}" if self.entity_type else str(_("unknown entity"))


class Message(AccountScoped):
    """One line of a conversation."""

    ACCOUNT_PATH = "conversation__account"
    SAME_ACCOUNT = ("exchange",)

    class Role(models.TextChoices):
        """Who wrote it."""

        CUSTOMER = "customer", _("customer")
        BOT = "bot", _("bot")
        HUMAN = "human", _("human")
        SYSTEM = "system", _("system")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    exchange = models.ForeignKey(
        "bots.Exchange", on_delete=models.CASCADE, related_name="messages", null=True, blank=True
    )
    role = models.CharField(_("role"), max_length=10, choices=Role)
    text = models.TextField(_("text"), blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["pk"]
        indexes = [models.Index(fields=["conversation", "id"], name="message_in_conversation")]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.created_at:%Y-%m-%d %H:%M}"
