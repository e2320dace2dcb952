"""Who may call Kommo's addresses: administrators, not too fast, and not once they are shut out (protocol §2.1, §9)."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from sandbox.server import SandboxServer
from tests.sandbox.bridge import TOKEN, an_account, resume, success

MEMBER = "token-of-a-member"


@pytest.fixture
def limited(bridge):
    """A sandbox that takes two calls a second and blocks an address after three refusals."""
    account = an_account(hook_url=bridge.url, member_token=MEMBER)
    with SandboxServer({"accounts": [account], "rate": 2, "block_after": 3, "block_s": 1}) as running:
        yield running


def called(url, *, source="127.0.0.1", method="GET", token=TOKEN, body=None):
    """Call from an address of this machine; gives status, content type and text."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10, source_address=(source, 0))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, parts.path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    told = answer.status, answer.headers["Content-Type"], answer.read().decode()
    connection.close()
    return told


@pytest.mark.statement("S2.1.administrator", "S2.5.403")
def test_a_token_of_who_is_no_administrator_cannot_continue(bridge):
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url, member_token=MEMBER)]}, rate=0) as sandbox:
        url = sandbox.say("anna", "hi").return_url

        answer = resume(url, success(), token=MEMBER)

        assert (answer.status_code, answer.json()["status"]) == (403, 403)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert "administrator" in answer.json()["detail"]
        assert resume(url, success()).status_code == 202


@pytest.mark.statement("S9.429")
def test_the_429_says_when_to_come_back(limited):
    for _ in range(2):
        called(f"{limited.url}/api/v4/account")

    status, content_type, text = called(f"{limited.url}/api/v4/account")

    assert (status, content_type.partition(";")[0]) == (429, "application/problem+json")
    assert json.loads(text).keys() == {"title", "type", "status", "detail", "retry_after"}
    assert json.loads(text)["title"] == "Too Many Requests"


@pytest.mark.statement("S9.block", "S2.5.403-page")
def test_who_presses_on_gets_the_plain_page_for_every_call_and_is_let_in_again_later(limited):
    url = limited.say("anna", "hi").return_url
    account = f"{limited.url}/api/v4/account"
    statuses = [called(account)[0] for _ in range(7)]

    assert statuses == [200, 200, 429, 429, 429, 429, 403]
    for path, method in ((account, "GET"), (url, "POST"), (f"{limited.url}/api/v4/nothing-here", "GET")):
        status, content_type, text = called(path, method=method, body=success())
        assert (status, content_type) == (403, "text/html; charset=utf-8")
        assert "<center>nginx</center>" in text
    limited.wait_until(lambda: called(account)[0] == 200)


@pytest.mark.statement("S9.block-address")
def test_a_block_shuts_out_one_address_and_no_other(limited):
    url = limited.say("anna", "hi").return_url
    account = f"{limited.url}/api/v4/account"
    while called(account, source="127.0.0.9")[0] != 403:
        pass

    assert called(url, source="127.0.0.9", method="POST", body=success())[0] == 403
    limited.wait_until(lambda: called(url, source="127.0.0.8", method="POST", body=success())[0] == 202)


@pytest.mark.statement("S9.account")
def test_an_account_has_its_limit_whatever_the_address(limited):
    account = f"{limited.url}/api/v4/account"

    assert [called(account, source=f"127.0.0.{10 + n}")[0] for n in range(4)] == [200, 200, 429, 429]


@pytest.mark.statement("S9.shared")
def test_rest_calls_and_continues_share_one_limit(limited):
    url = limited.say("anna", "hi").return_url
    assert [called(f"{limited.url}/api/v4/account")[0] for _ in range(2)] == [200, 200]

    assert resume(url, success()).status_code == 429


def test_the_block_is_told_in_the_chat(limited):
    url = limited.say("anna", "hi").return_url
    while resume(url, success(), token="wrong").status_code != 403:
        pass

    assert (
        limited.chat("anna")["turns"][0]["refused"][-1]["detail"] == "The address is blocked: it pressed on after 429"
    )
