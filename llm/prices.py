"""What a call cost, in US dollars."""

from decimal import Decimal

from llm.client import known_model
from llm.config import ModelChoice

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.00000001")


def cost_of(choice: ModelChoice, *, input_tokens: int | None, output_tokens: int | None) -> Decimal | None:
    """Price a call by the account's own prices, else by those that are known for the model.

    Returns:
        US dollars with eight places; None when a price or a number of tokens is unknown.
    """
    known = known_model(choice.vendor, choice.model)
    input_price = known.input_price if choice.input_price is None else choice.input_price
    output_price = known.output_price if choice.output_price is None else choice.output_price
    if input_price is None or output_price is None or input_tokens is None or output_tokens is None:
        return None
    return ((input_price * input_tokens + output_price * output_tokens) / MILLION).quantize(SMALLEST)
