"""What a caller hands to `llm.answer`: the bot, its models, and what was said before. Plain data, no database."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

OutputType = Literal["text", "number", "boolean"]
Role = Literal["customer", "bot", "human", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """One model of a bot, together with the account's access to it.

    Args:
        provider: the account's own name for the access, shown in errors.
        vendor: a key of `VENDORS`.
        model: the vendor's name of the model, without the vendor before it.
        api_key: the account's key; empty for a vendor that needs none. Never printed.
        api_base: base address, with `/v1` where the vendor's has it; empty for the vendor's own.
        input_price: US dollars per million tokens that go in; None: the price that is known for the model.
        output_price: US dollars per million tokens that come out; None likewise.
    """

    provider: str
    vendor: str
    model: str
    api_key: str = field(default="", repr=False)
    api_base: str = ""
    input_price: Decimal | None = None
    output_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A named value that a bot wants its model to fill.

    Args:
        name: key under which the Salesbot will find it.
        type: kind of the value.
        description: what to fill in, told to the model.
        choices: the only values allowed, as text; empty for any.
    """

    name: str
    type: OutputType = "text"
    description: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A web address that a bot may offer. Its owner writes it; a model only chooses it, by its text.

    Args:
        text: what the customer sees and the model calls it; differs from the bot's other links.
        url: where it leads; never told to a model.
        description: when to offer it, told to the model.
    """

    text: str
    url: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotConfig:
    """All that a bot's owner decided about its answers.

    Args:
        prompt: the owner's instructions.
        knowledge: free text that the bot may draw on; paragraphs and headings part it.
        choices: models in the order in which they are asked.
        temperature: 0 to 2; None: the vendor's default.
        max_tokens: longest answer in tokens; None: the vendor's default.
        outputs: values for the model to fill.
        offers_buttons: the model may propose answers for the customer to tap.
        links: what the model may offer to open.
    """

    prompt: str
    choices: tuple[ModelChoice, ...]
    knowledge: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    outputs: tuple[Output, ...] = ()
    offers_buttons: bool = False
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation so far, oldest first in a history.

    Args:
        role: who said it; `human` is a colleague of the owner, `system` a note of ours.
        text: what was said.
    """

    role: Role
    text: str
