"""Our LLM persona in an account, and the models that it asks in order."""

from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bots.models.accounts import Account
from bots.models.bot_settings import check_links, check_outputs, check_routes
from bots.models.providers import Provider
from bots.models.scoped import AccountScoped

DEADLINE_DEFAULT_S = 30
DEADLINE_LIMITS_S = (5, 55)


class Bot(AccountScoped):
    """What answers: prompt, knowledge, models, limits. An account may have several; one is its default."""

    class Delivery(models.TextChoices):
        """How a reply travels to Kommo. Source: protocol §2.3."""

        DATA = "data", _("whole, as {{json.message}}")
        CHUNKS = "chunks", _("in pieces of 80 characters, 800 at most")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="bots", verbose_name=_("account"))
    slug = models.SlugField(_("slug"), max_length=60, help_text=_("What the Widget step in the Salesbot names."))
    name = models.CharField(_("name"), max_length=120)
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Answers when a Widget step names no bot, or one that isn't there.")
    )
    enabled = models.BooleanField(
        _("switched on"), default=True, help_text=_("Switched off, its Salesbots go on as silent, without a message.")
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    prompt = models.TextField(_("prompt"), help_text=_("Who the bot is, what it may promise, when it hands off."))
    knowledge = models.TextField(
        _("knowledge"), blank=True, help_text=_("What the bot knows: prices, hours, rules. Paragraphs with headings.")
    )
    temperature = models.FloatField(
        _("temperature"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text=_("0 is strict, 1 is lively. Empty: the model's own."),
    )
    max_tokens = models.PositiveIntegerField(
        _("longest answer in tokens"), null=True, blank=True, validators=[MinValueValidator(16)]
    )
    history_messages = models.PositiveSmallIntegerField(
        _("messages remembered"), default=20, validators=[MaxValueValidator(200)]
    )
    deadline_s = models.PositiveSmallIntegerField(
        _("answer deadline in seconds"),
        default=DEADLINE_DEFAULT_S,
        validators=[MinValueValidator(DEADLINE_LIMITS_S[0]), MaxValueValidator(DEADLINE_LIMITS_S[1])],
        help_text=_("After this the fallback text goes out."),
    )
    fallback_text = models.TextField(
        _("fallback text"),
        blank=True,
        max_length=1000,
        help_text=_("Sent when no model answers. Empty: our own sentence."),
    )
    empty_text = models.TextField(
        _("text for a message without words"),
        blank=True,
        max_length=1000,
        help_text=_("Sent when the customer sent only a picture or a voice message. Empty: our own sentence."),
    )
    outputs = models.JSONField(
        _("outputs"),
        default=list,
        blank=True,
        validators=[check_outputs],
        help_text=_('Values for the Salesbot to branch on: [{"name": "city", "type": "text", "description": "…"}]'),
    )
    delivery = models.CharField(
        _("delivery"),
        max_length=8,
        choices=Delivery,
        default=Delivery.DATA,
        help_text=_("Whole, unless the Salesbot's flow isn't our widget's and can't show {{json.message}}."),
    )
    offers_buttons = models.BooleanField(
        _("offers buttons"),
        default=False,
        help_text=_("The model may offer answers to tap on; channels without buttons get a numbered list."),
    )
    links = models.JSONField(
        _("links"),
        default=list,
        blank=True,
        validators=[check_links],
        help_text=_('Links that the model may offer: [{"text": "Price list", "url": "https://…", "description": "…"}]'),
    )
    routes = models.JSONField(
        _("ways out"),
        default=dict,
        blank=True,
        validators=[check_routes],
        help_text=_(
            "Where an outcome leaves, when not by its own exit. Our widget has exits: "
            '{"handoff": {"exit": "success"}}. A flow of your own has steps: '
            '{"fail": {"goto": {"type": "question", "step": 4}}}'
        ),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ["account", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "slug"],
                name="bot_slug_per_account",
                violation_error_message=_("This account already has a bot of this slug."),
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(is_default=True),
                name="one_default_bot_per_account",
                violation_error_message=_("This account already has a default bot."),
            ),
            models.UniqueConstraint(fields=["id", "account"], name="bot_of_account"),
            models.CheckConstraint(
                condition=Q(deadline_s__gte=DEADLINE_LIMITS_S[0], deadline_s__lte=DEADLINE_LIMITS_S[1]),
                name="bot_deadline_5_to_55_s",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def route_for(self, outcome: str) -> dict[str, Any] | None:
        """Give the way out of an outcome, `{"exit": …}` or `{"goto": …}`; None for the outcome's own exit.

        A bot that sends some outcome to another exit names the exit of every outcome: should a Salesbot keep the values
        of an earlier continue, none of them decides.
        """
        route: dict[str, Any] | None = self.routes.get(outcome)
        if route is None and any("exit" in other for other in self.routes.values()):
            return {"exit": outcome}
        return route

    def archive(self, now: datetime) -> None:
        """Take it out of use; its conversations stay readable."""
        self.archived_at = now
        self.is_default = False
        self.save(update_fields=["archived_at", "is_default"])


class ModelChoice(AccountScoped):
    """One entry of a bot's ordered list of models."""

    SAME_ACCOUNT = ("bot", "provider")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, editable=False)
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="model_choices", verbose_name=_("bot"))
    provider = models.ForeignKey(Provider, on_delete=models.RESTRICT, related_name="+", verbose_name=_("provider"))
    model = models.CharField(_("model"), max_length=120, help_text=_("The vendor's name for it, such as gpt-4o-mini."))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    input_price = models.DecimalField(
        _("price per million input tokens"), max_digits=12, decimal_places=6, null=True, blank=True
    )
    output_price = models.DecimalField(
        _("price per million output tokens"), max_digits=12, decimal_places=6, null=True, blank=True
    )

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.provider} / {self.model}"

    def check_same_account(self) -> None:
        """Take the bot's account, then compare the provider's."""
        if self.bot_id:
            self.account_id = self.bot.account_id
        super().check_same_account()

    def validate_constraints(self, exclude: Any = None) -> None:
        """Know the account before constraints are looked at."""
        self.check_same_account()
        super().validate_constraints(exclude)
