"""Clients are made once, shared, and bounded; each loop has its own."""

import asyncio

import llm
from llm import connections
from llm.connections import SDK_CLIENTS_MAX, client_for
from tests.llm.asking import a_choice, in_a_loop
from tests.stubs.llm import LlmStub


def test_the_same_key_and_address_share_a_client_and_others_do_not(stub: LlmStub) -> None:
    async def made() -> tuple[object, ...]:
        choices = (
            a_choice(stub.url),
            a_choice(stub.url, model="other"),
            a_choice(stub.url, api_key="sk-2"),
            a_choice(),
        )
        return tuple(client_for(choice, allow_private=True) for choice in choices)

    first, same, other_key, other_address = in_a_loop(made)
    assert first is same
    assert len({id(first), id(other_key), id(other_address)}) == 3


def test_the_number_of_clients_is_bounded_and_the_pool_outlives_them(stub: LlmStub) -> None:
    async def crowd() -> tuple[object, object, str]:
        first = client_for(a_choice(stub.url), allow_private=True)
        for number in range(SDK_CLIENTS_MAX + 1):
            client_for(a_choice(stub.url, api_key=f"sk-{number}"), allow_private=True)
        bot = llm.BotConfig(prompt="", choices=(a_choice(stub.url),))
        reply = await llm.answer(bot, (), "Hi", deadline_s=5, allow_private_hosts=True)
        return first, client_for(a_choice(stub.url), allow_private=True), reply.text

    first, made_again, text = in_a_loop(crowd)
    assert first is not made_again
    assert text == "Hello from the stub."


def test_a_loop_that_closes_its_connections_keeps_none(stub: LlmStub) -> None:
    before = len(connections._kept)

    async def used() -> int:
        client_for(a_choice(stub.url), allow_private=True)
        client_for(a_choice(stub.url), allow_private=False)
        return len(connections._kept)

    assert in_a_loop(used) == before + 1
    assert len(connections._kept) == before


def test_closing_without_any_connection_is_no_mistake() -> None:
    asyncio.run(llm.close_connections())
