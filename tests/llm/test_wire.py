"""Where calls may connect, and how much of an answer they read."""

import asyncio
import socket
from collections.abc import Iterator

import httpx
import pytest

from llm import CallError
from llm.wire import ANSWER_MAX_BYTES, CheckedTransport, WireFault, begin_wire
from tests.llm.asking import a_choice, a_config, answer, failure
from tests.stubs.llm import LlmStub
from tests.waiting import wait_until


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "2130706433"],
)
def test_a_private_address_is_never_connected(stub: LlmStub, host: str) -> None:
    choice = a_choice(f"http://{host}:{stub.port}/v1")
    no_reply = failure(a_config(choice), deadline_s=4, allow_private_hosts=False)
    assert {call.error for call in no_reply.calls} <= {CallError.ADDRESS_FORBIDDEN, CallError.UNREACHABLE}
    assert stub.connections == 0


def test_a_forbidden_address_is_told_in_plain_words_and_not_asked_again(stub: LlmStub) -> None:
    no_reply = failure(a_config(a_choice(stub.url)), allow_private_hosts=False)
    assert [call.error for call in no_reply.calls] == [CallError.ADDRESS_FORBIDDEN]
    assert "private network" in no_reply.reason


def test_a_private_address_is_connected_where_the_operator_allows_it(stub: LlmStub) -> None:
    assert answer(a_config(a_choice(f"http://localhost:{stub.port}/v1"))).text == "Hello from the stub."
    assert stub.requests[0].headers["host"] == f"localhost:{stub.port}"


def test_a_redirect_is_not_followed(stub: LlmStub) -> None:
    no_reply = failure(a_config(a_choice(stub.at("redirect"))))
    assert [asked.path for asked in stub.requests] == ["/redirect/v1/chat/completions"]
    assert "redirect" in no_reply.reason


def test_a_cookie_of_one_answer_is_not_sent_with_the_next_question(stub: LlmStub) -> None:
    transport_runs_twice(stub, stub.at("cookie"))
    assert len(stub.requests) == 2
    assert not any("cookie" in asked.headers for asked in stub.requests)


def transport_runs_twice(stub: LlmStub, address: str) -> None:
    async def twice() -> None:
        transport = CheckedTransport(allow_private=True)
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            for _ in range(2):
                begin_wire()
                await client.post(f"{address}/chat/completions", json={})

    asyncio.run(twice())


def test_connections_are_kept_and_used_again(stub: LlmStub) -> None:
    transport_runs_twice(stub, stub.url)
    assert (len(stub.requests), stub.connections) == (2, 1)


def test_only_one_request_leaves_in_one_call(stub: LlmStub) -> None:
    async def twice_in_one_call() -> None:
        async with httpx.AsyncClient(transport=CheckedTransport(allow_private=True), trust_env=False) as client:
            begin_wire()
            await client.post(f"{stub.url}/chat/completions", json={})
            with pytest.raises(WireFault):
                await client.post(f"{stub.url}/chat/completions", json={})

    asyncio.run(twice_in_one_call())
    assert len(stub.requests) == 1


def test_an_environment_proxy_is_not_used(stub: LlmStub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert answer(a_config(a_choice(stub.url))).text == "Hello from the stub."


def test_no_packing_is_asked_for_but_a_packed_answer_is_read(stub: LlmStub) -> None:
    assert answer(a_config(a_choice(stub.at("gzip")))).text == "Hello from the stub."
    assert stub.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("behaviour", ["huge", "huge-chunked"])
def test_fifty_megabytes_are_not_read_to_their_end(stub: LlmStub, behaviour: str) -> None:
    failure(a_config(a_choice(stub.at(behaviour))))
    wait_until(lambda: stub.open_now == 0)
    assert stub.sent_bytes < ANSWER_MAX_BYTES * 3  # ours and what the kernel holds; the rest was never taken


def test_an_answer_just_under_the_limit_is_read(stub: LlmStub) -> None:
    stub.reply = "x" * (ANSWER_MAX_BYTES - 1_000)
    assert len(answer(a_config(a_choice(stub.url)), deadline_s=20).text) == len(stub.reply)


def test_a_packed_answer_in_an_unknown_way_is_unreadable(stub: LlmStub) -> None:
    no_reply = failure(a_config(a_choice(stub.at("brotli"))))
    assert no_reply.calls[0].error is CallError.UNREADABLE


@pytest.fixture
def babbler() -> Iterator[int]:
    """A port that answers anything but HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def babble() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1024)
                    connection.sendall(b"220 mail.example ESMTP\r\n")

        threading.Thread(target=babble, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_a_server_that_does_not_speak_http_is_unreachable(babbler: int) -> None:
    no_reply = failure(a_config(a_choice(f"http://127.0.0.1:{babbler}/v1")))
    assert {call.error for call in no_reply.calls} == {CallError.UNREACHABLE}
