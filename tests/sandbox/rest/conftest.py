"""A sandbox with one customer, and a client of its REST interface."""

import pytest
import requests

from sandbox.server import SandboxServer
from tests.sandbox.bridge import TOKEN, an_account

MEMBER = "token-of-a-member"
SECOND = {
    "id": 61777,
    "name": "Second",
    "flow": [{"question": [{"handler": "wait_answer", "params": {"type": "question", "step": 0}}]}],
}


@pytest.fixture
def sandbox(bridge):
    account = an_account(hook_url=bridge.url, member_token=MEMBER, salesbots=[SECOND], name="Demo Ltd")
    with SandboxServer({"accounts": [account]}, rate=0) as running:
        yield running


@pytest.fixture
def chat(sandbox):
    sandbox.say("anna", "hello there")
    return sandbox.chat("anna")


@pytest.fixture
def rest(sandbox):
    """Call it: rest("GET", "/leads/5"), rest("POST", "/tasks", [...]), with `token=` for another Bearer."""

    def call(method, path, body=None, *, token=TOKEN, base="/api/v4"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, f"{sandbox.url}{base}{path}", json=body, headers=headers, timeout=10)

    return call


@pytest.fixture
def refused():
    """Check a problem answer and give it."""

    def check(answer, status, code=None, path=None):
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        body = answer.json()
        assert (body["status"], body["type"]) == (status, f"https://httpstatus.es/{status}")
        if code:
            (error,) = body["validation-errors"][0]["errors"]
            assert (error["code"], error["path"]) == (code, path)
        return body

    return check
