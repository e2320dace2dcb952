"""Attempts: every try at a step of an exchange that leaves the process."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bots.models.accounts import Account
from bots.models.exchanges import Exchange
from bots.models.providers import Provider
from bots.models.scoped import AccountScoped


class Attempt(AccountScoped):
    """One call of a model or of Kommo: what was sent and what came back. Never a key, never a token."""

    SAME_ACCOUNT = ("exchange", "provider")

    class Kind(models.TextChoices):
        """Who was called."""

        LLM = "llm", _("model")
        CONTINUE = "continue", _("continue")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", editable=False)
    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, related_name="attempts")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    latency_ms = models.PositiveIntegerField(_("ms"), default=0)
    ok = models.BooleanField(_("good"), default=False)
    error = models.CharField(_("error"), max_length=40, blank=True)
    error_text = models.CharField(_("in words"), max_length=1000, blank=True)
    sent = models.JSONField(_("sent"), null=True, blank=True)
    received = models.TextField(_("received"), blank=True)

    # a call of a model
    provider = models.ForeignKey(
        Provider, on_delete=models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("provider")
    )
    model = models.CharField(_("model"), max_length=160, blank=True)
    knowledge = models.TextField(_("knowledge used"), blank=True)
    input_tokens = models.PositiveIntegerField(_("tokens in"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("tokens out"), null=True, blank=True)
    cost = models.DecimalField(_("cost, USD"), max_digits=14, decimal_places=8, null=True, blank=True)

    # a call of Kommo
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["pk"]
        indexes = [models.Index(fields=["exchange", "id"], name="attempt_of_exchange")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.started_at:%H:%M:%S}"
