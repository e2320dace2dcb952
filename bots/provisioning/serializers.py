"""The shape of a provisioning document: which fields there are, and of what kind their values must be.

What the fields mean, and the rules that need the database, are the models' affair. Nothing is required here but
what names a row, because a field that is left out keeps its value.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from bots.models import Account, Bot, Membership, ModelChoice, Provider
from bots.models.accounts import KEY_PATTERN
from bots.provisioning.document import RULES, WHOLE, WrongDocument, faults_of
from kommobridge.base.faults import Fault

PLAIN = ("name", "is_default", "enabled", "max_tokens", "history_messages", "deadline_s", "offers_buttons")
TEXTS = ("prompt", "knowledge", "fallback_text", "empty_text")


class OpaqueField(serializers.Field[str, str, str, Any]):
    """A secret: any text at all, kept character for character and never repeated in an error."""

    default_error_messages = {"invalid": "must be text", "blank": RULES["blank"]}

    def __init__(self, *, allow_blank: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allow_blank = allow_blank

    def to_internal_value(self, data: object) -> str:
        """Take a text as it is."""
        if not isinstance(data, str):
            self.fail("invalid")
        if not data and not self.allow_blank:
            self.fail("blank")
        return data

    def to_representation(self, value: str) -> str:
        """Show nothing of it."""
        return "set" if value else "not set"


class NumberField(serializers.FloatField):
    """A JSON number; no text, no true and false, nothing that isn't finite."""

    default_error_messages = {"invalid": "must be a number"}

    def to_internal_value(self, data: Any) -> float:
        """Take a finite number."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not math.isfinite(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class StorableJSONField(serializers.JSONField):
    """JSON of one kind whose texts every database can hold.

    Args:
        kind: list or dict. The models' rules are not asked about an empty value, of whatever kind.
    """

    default_error_messages = {
        "characters": "must hold no NUL characters and no lone surrogates",
        "list": RULES["not_a_list"],
        "dict": "must be an object",
    }

    def __init__(self, *, kind: type[list[Any]] | type[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def to_internal_value(self, data: Any) -> Any:
        """Take the value when it is of the kind and each text in it can be stored."""
        value = super().to_internal_value(data)
        if not isinstance(value, self.kind):
            self.fail(self.kind.__name__)
        if any("\0" in text or any("\ud800" <= char <= "\udfff" for char in text) for text in _texts(value)):
            self.fail("characters")
        return value


class Strict(serializers.Serializer[Any]):
    """Refuses fields that it doesn't know: a misspelt one would otherwise change nothing, in silence."""

    default_error_messages = {"invalid": "must be an object"}

    def to_internal_value(self, data: Any) -> Any:
        """Read the fields after a look at their names."""
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError(dict.fromkeys(unknown, f"unknown field. Known: {', '.join(self.fields)}"))
        return super().to_internal_value(data)


def optional(*names: str, **options: Any) -> dict[str, dict[str, Any]]:
    """Give the extra options of fields that may be left out."""
    return {name: {"required": False, **options} for name in names}


class ModelChoiceSerializer(Strict, serializers.ModelSerializer[ModelChoice]):
    """One entry of a bot's ordered list of models; `provider` is a provider's name."""

    provider = serializers.CharField()

    class Meta:
        model = ModelChoice
        fields = ("provider", "model", "input_price", "output_price")
        extra_kwargs = optional("input_price", "output_price")


class BotSerializer(Strict, serializers.ModelSerializer[Bot]):
    """A bot, named by its slug."""

    temperature = NumberField(required=False, allow_null=True)
    outputs = StorableJSONField(kind=list, required=False)
    links = StorableJSONField(kind=list, required=False)
    routes = StorableJSONField(kind=dict, required=False)
    delivery = serializers.ChoiceField(
        required=False,
        choices=Bot.Delivery.choices,
        error_messages={"invalid_choice": f"must be one of {', '.join(Bot.Delivery.values)}"},
    )
    models = ModelChoiceSerializer(many=True, required=False)

    class Meta:
        model = Bot
        fields = (
            "slug", "name", "is_default", "enabled", "prompt", "knowledge", "temperature", "max_tokens",
            "history_messages", "deadline_s", "fallback_text", "empty_text", "outputs", "delivery", "offers_buttons",
            "links", "routes", "models",
        )  # fmt: skip
        extra_kwargs = optional(*PLAIN) | optional(*TEXTS, trim_whitespace=False)
        validators: Sequence[Any] = ()


class ProviderSerializer(Strict, serializers.ModelSerializer[Provider]):
    """A provider, named by its name; `provider` is the vendor."""

    api_key = OpaqueField(required=False)

    class Meta:
        model = Provider
        fields = ("name", "provider", "api_key", "api_base")
        extra_kwargs = optional("provider", "api_base")
        validators: Sequence[Any] = ()


class MemberSerializer(Strict):
    """A user and their role, named by the e-mail address."""

    email = serializers.EmailField(max_length=254)
    password = OpaqueField(required=False, allow_blank=False)
    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    role = serializers.ChoiceField(
        required=False,
        choices=Membership.Role.choices,
        error_messages={"invalid_choice": f"must be one of {', '.join(Membership.Role.values)}"},
    )

    def validate_email(self, value: str) -> str:
        """Fold the address, as logging in does."""
        return value.lower()


class IntegrationSerializer(Strict):
    """What Kommo's page of the integration shows, and what it showed before."""

    client_id = serializers.CharField(required=False, max_length=64)
    client_secret = OpaqueField(required=False, allow_blank=False)
    previous_client_secret = OpaqueField(required=False)
    previous_client_secret_until = serializers.DateTimeField(required=False)


def key_field(*, allow_blank: bool) -> serializers.RegexField:
    """Give a field for a hook key."""
    return serializers.RegexField(
        rf"\A(?:{KEY_PATTERN.pattern})\Z",
        required=False,
        allow_blank=allow_blank,
        trim_whitespace=False,
        error_messages={"invalid": "must be 8 to 64 letters, digits, _ or -"},
    )


class AccountSerializer(Strict, serializers.ModelSerializer[Account]):
    """An account with what belongs to it; the fields of `integration` may stand beside the others too."""

    key = key_field(allow_blank=False)
    previous_key = key_field(allow_blank=True)
    previous_key_until = serializers.DateTimeField(required=False)
    integration = IntegrationSerializer(required=False)
    client_secret = OpaqueField(required=False, allow_blank=False)
    previous_client_secret = OpaqueField(required=False)
    previous_client_secret_until = serializers.DateTimeField(required=False)
    access_token = OpaqueField(required=False)
    members = MemberSerializer(many=True, required=False)
    providers = ProviderSerializer(many=True, required=False)
    bots = BotSerializer(many=True, required=False)

    class Meta:
        model = Account
        fields = (
            "key", "previous_key", "previous_key_until", "name", "enabled", "subdomain", "kommo_id", "origin",
            "time_zone", "integration", "client_id", "client_secret", "previous_client_secret",
            "previous_client_secret_until", "access_token", "members", "providers", "bots",
        )  # fmt: skip
        extra_kwargs = optional("name", "enabled", "subdomain", "kommo_id", "origin", "time_zone", "client_id")
        validators: Sequence[Any] = ()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is named twice, and bring the integration's fields to the account's own."""
        twice = {
            "members": _named_twice(attrs.get("members", ()), "email"),
            "providers": _named_twice(attrs.get("providers", ()), "name"),
            "bots": _named_twice(attrs.get("bots", ()), "slug") or _second_default(attrs.get("bots", ())),
        }
        inner: dict[str, Any] = attrs.pop("integration", {})
        faults: dict[str, Any] = {name: errors for name, errors in twice.items() if errors}
        faults |= dict.fromkeys(inner.keys() & attrs.keys(), "is given under integration too. Keep one of the two")
        if faults:
            raise serializers.ValidationError(faults)
        return attrs | inner


class DocumentSerializer(Strict):
    """The whole document."""

    accounts = AccountSerializer(many=True)


def parse_document(document: object) -> list[dict[str, Any]]:
    """Check the shape of a document.

    Returns:
        Its accounts, as plain values under the names of the models' fields.

    Raises:
        WrongDocument: with every fault of the shape.
    """
    root = DocumentSerializer(data=document)
    try:
        is_good = root.is_valid()
    except RecursionError:
        raise WrongDocument([Fault(WHOLE, "must not be nested that deeply")]) from None
    if not is_good:
        raise WrongDocument(faults_of(root.errors))
    accounts: list[dict[str, Any]] = root.validated_data["accounts"]
    return accounts


def _texts(value: object) -> Iterator[str]:
    """Give every text within a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _named_twice(rows: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, str]]:
    """Give an error for each row whose name another one has already; nothing when there is none."""
    count = Counter(row[name] for row in rows)
    if not rows or max(count.values()) == 1:
        return []
    first = {row[name]: position for position, row in reversed(list(enumerate(rows)))}
    return [
        {} if first[row[name]] == position else {name: f"is the same as in entry {first[row[name]]}"}
        for position, row in enumerate(rows)
    ]


def _second_default(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Give an error for each default bot after the first; nothing when there is none."""
    defaults = [position for position, row in enumerate(rows) if row.get("is_default")]
    if len(defaults) < 2:
        return []
    fault = {"is_default": "must be true for one bot only"}
    return [fault if position in defaults[1:] else {} for position in range(len(rows))]
