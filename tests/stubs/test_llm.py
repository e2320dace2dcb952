"""The stub keeps its word: what tests lean on is tested."""

import asyncio
import errno
import json
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.environment import a_free_port
from tests.stubs.kommo import KommoStub
from tests.stubs.llm import LlmStub
from tests.waiting import wait_until


def post(address: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310
        f"{address}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        told: dict[str, Any] = json.load(answer)
    return told


def test_four_hundred_connections_are_held_at_once() -> None:
    async def crowd(stub: LlmStub) -> list[bytes]:
        async def one() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", stub.port)
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            first = await reader.readline()
            writer.close()
            return first

        return await asyncio.gather(*(one() for _ in range(400)))

    with LlmStub(delay_s=1.5) as stub:
        assert set(asyncio.run(crowd(stub))) == {b"HTTP/1.1 200 Stub\r\n"}
        assert stub.most_open > 300


def test_a_script_comes_first_then_the_address_then_the_model() -> None:
    with LlmStub(reply="plain") as stub:
        stub.script(["echo"])
        asked = {"model": "echo", "messages": [{"role": "user", "content": "said"}]}
        texts = [post(base, asked)["choices"] for base in (stub.url, stub.at("empty"), stub.url)]
    assert texts[0][0]["message"]["content"] == "said"
    assert texts[1] == []
    assert texts[2][0]["message"]["content"] == "said"


def test_what_is_held_is_answered_when_it_is_released() -> None:
    with LlmStub(reply="at last") as stub, ThreadPoolExecutor(1) as thread:
        answer = thread.submit(post, stub.at("held"), {"messages": []})
        wait_until(lambda: stub.open_now == 1)
        assert not answer.done()
        stub.release()
        assert answer.result(10)["choices"][0]["message"]["content"] == "at last"


def test_a_kommo_that_refuses_connections_keeps_its_port() -> None:
    with KommoStub(refuses_connections=True) as kommo, socket.socket() as client, socket.socket() as other:
        address = ("127.0.0.1", urlsplit(kommo.origin).port)
        assert client.connect_ex(address) == errno.ECONNREFUSED
        with pytest.raises(OSError, match="Address already in use"):
            other.bind(address)


def test_as_a_program_it_shows_what_it_was_asked() -> None:
    port = a_free_port()
    program = subprocess.Popen([sys.executable, "-m", "tests.stubs.llm", "--port", str(port), "--reply", "Yes"])
    try:
        wait_until(lambda: _listens(port))
        post(f"http://127.0.0.1:{port}/v1", {"model": "m", "messages": []})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_journal", timeout=5) as journal:
            told = json.load(journal)
        assert [each["body"]["model"] for each in told["requests"]] == ["m"]
    finally:
        program.terminate()
        program.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
