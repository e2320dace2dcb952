"""What a call cost."""

from decimal import Decimal

import pytest

from llm.prices import cost_of
from tests.llm.asking import a_choice, a_config, a_demo_choice, answer
from tests.stubs.llm import LlmStub


def test_a_known_model_has_the_price_of_the_table() -> None:
    assert cost_of(a_choice(), input_tokens=1_000_000, output_tokens=0) == Decimal("0.15")
    assert cost_of(a_choice(), input_tokens=0, output_tokens=1_000_000) == Decimal("0.6")


def test_the_accounts_own_prices_win() -> None:
    choice = a_choice(input_price=Decimal(2), output_price=Decimal(8))
    assert cost_of(choice, input_tokens=1_000, output_tokens=500) == Decimal("0.006")


def test_one_price_of_ones_own_leaves_the_other_to_the_table() -> None:
    choice = a_choice(input_price=Decimal(0))
    assert cost_of(choice, input_tokens=1_000, output_tokens=1_000_000) == Decimal("0.6")


@pytest.mark.parametrize(
    ("model", "input_tokens", "output_tokens"),
    [("our-own-llama", 10, 10), ("gpt-4o-mini", None, 10), ("gpt-4o-mini", 10, None)],
    ids=["unknown model", "no input count", "no output count"],
)
def test_an_unknown_price_is_unknown_and_not_nothing(
    model: str, input_tokens: int | None, output_tokens: int | None
) -> None:
    assert cost_of(a_choice(model=model), input_tokens=input_tokens, output_tokens=output_tokens) is None


def test_prices_of_an_unknown_model_can_be_given() -> None:
    choice = a_choice(model="our-own-llama", input_price=Decimal(1), output_price=Decimal(1))
    assert cost_of(choice, input_tokens=1_000_000, output_tokens=1_000_000) == Decimal(2)


def test_the_offline_model_costs_nothing() -> None:
    assert cost_of(a_demo_choice(), input_tokens=1_000, output_tokens=1_000) == 0


def test_a_call_carries_tokens_and_cost(stub: LlmStub) -> None:
    (call,) = answer(a_config(a_choice(stub.url))).calls
    assert (call.input_tokens, call.output_tokens) == (11, 7)
    assert call.cost == Decimal("0.00000585")
