"""Every vendor on the list takes our key and our address and goes through our HTTP client: seen on a socket."""

import json
import subprocess
import sys
from typing import Any

import pytest

from llm import DEMO_VENDOR, VENDORS, CallError, UnknownVendor, check_vendor, is_allowed_vendor
from llm.connections import base_address
from llm.names import is_safely_routed
from tests.llm.asking import KEY, a_choice, a_config, answer, failure
from tests.stubs.llm import LlmStub

MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "mistral": "mistral-small-latest",
    "deepseek": "deepseek-chat",
    "groq": "llama-3.3-70b-versatile",
    "xai": "grok-4",
    "openrouter": "openai/gpt-4o-mini",
    "together_ai": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "fireworks_ai": "accounts/fireworks/models/llama-v3p1-70b-instruct",
    "perplexity": "sonar",
}
PATHS = {"anthropic": "/v1/messages", "gemini": f"/v1/models/{MODELS['gemini']}:generateContent"}
CHAT_PATH = "/v1/chat/completions"

# Runs each vendor once against a stub, with keys of vendors and proxies in the environment, and tells every address
# that the process looked up or connected to.
WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event == "socket.connect":
        seen.append(str(args[1]))
    if event == "socket.getaddrinfo":
        seen.append(str(args[:2]))
sys.addaudithook(watch)
from tests.llm.asking import a_choice, a_config, answer
from tests.stubs.llm import LlmStub
with LlmStub() as stub:
    for vendor, model in json.loads(sys.argv[1]).items():
        assert answer(a_config(a_choice(stub.url, vendor=vendor, model=model)), deadline_s=20).text
    home = ("127.0.0.1", stub.port)
    asked = [[each.key, dict(each.headers)] for each in stub.requests]
print(json.dumps({"strangers": sorted(set(seen) - {str(home)}), "asked": asked}))
"""


@pytest.mark.parametrize("vendor", MODELS)
def test_a_vendor_is_asked_with_our_key_at_our_address(stub: LlmStub, vendor: str) -> None:
    reply = answer(a_config(a_choice(stub.url, vendor=vendor, model=MODELS[vendor])))
    (asked,) = stub.requests
    assert reply.text == "Hello from the stub."
    assert (asked.method, asked.path, asked.key) == ("POST", PATHS.get(vendor, CHAT_PATH), KEY)
    assert asked.model == MODELS[vendor]
    assert (reply.calls[0].input_tokens, reply.calls[0].output_tokens) == (11, 7)


@pytest.mark.parametrize("vendor", MODELS)
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [("401", CallError.REFUSED_KEY), ("500", CallError.SERVER_ERROR), ("garbage", CallError.UNREADABLE),
     ("huge", CallError.TOO_LARGE), ("reset", CallError.UNREACHABLE)],
)  # fmt: skip
def test_every_vendors_faults_have_the_same_codes(stub: LlmStub, vendor: str, behaviour: str, error: CallError) -> None:
    no_reply = failure(a_config(a_choice(stub.at(behaviour), vendor=vendor, model=MODELS[vendor])), deadline_s=4)
    assert {call.error for call in no_reply.calls} == {error}
    assert len(stub.requests) == len(no_reply.calls)  # nobody asks a second time behind our back


@pytest.mark.parametrize("vendor", MODELS)
def test_every_vendors_calls_are_checked(stub: LlmStub, vendor: str) -> None:
    choice = a_choice(stub.url, vendor=vendor, model=MODELS[vendor])
    no_reply = failure(a_config(choice), allow_private_hosts=False)
    assert [call.error for call in no_reply.calls] == [CallError.ADDRESS_FORBIDDEN]
    assert stub.connections == 0


def test_the_list_names_the_vendors_that_are_proved_here() -> None:
    assert VENDORS.keys() == {*MODELS, DEMO_VENDOR}
    assert all(vendor.needs_key and vendor.api_base.startswith("https://") for name, vendor in VENDORS.items() if name != DEMO_VENDOR)  # fmt: skip  # noqa: E501


def test_nothing_in_the_environment_and_no_other_address_takes_part_in_a_call() -> None:
    planted = dict.fromkeys(
        ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY"), "sk-ambient-000000"
    )
    planted |= dict.fromkeys(
        ("OPENAI_BASE_URL", "OPENAI_API_BASE", "GROQ_API_BASE", "HTTP_PROXY"), "http://127.0.0.1:9/ambient"
    )
    planted |= {"OPENAI_ORG_ID": "org-ambient", "OPENAI_ORGANIZATION": "org-ambient", "OPENAI_PROJECT_ID": "ambient"}
    planted |= {"USE_LITELLM_PROXY": "True", "LITELLM_PROXY_API_BASE": "http://127.0.0.1:9/ambient"}
    told = in_a_process(WATCHED, json.dumps(MODELS), **planted)
    assert told["strangers"] == []
    assert [key for key, _ in told["asked"]] == [KEY] * len(MODELS)
    assert "ambient" not in json.dumps(told["asked"])


WITHOUT_KEY = """
import json, os, sys
from tests.llm.asking import a_choice, a_config, failure
from tests.stubs.llm import LlmStub
with LlmStub() as stub:
    os.environ["OPENAI_BASE_URL"] = stub.url
    choices = [a_choice(base, vendor=vendor, model=model, api_key=key) for base in ("", stub.url)
               for vendor, model in json.loads(sys.argv[1]).items() for key in ("", "  ")]
    no_reply = failure(a_config(*choices), deadline_s=30)
    print(json.dumps({"connections": stub.connections, "errors": sorted({call.error for call in no_reply.calls}),
                      "calls": len(no_reply.calls), "reason": no_reply.reason}))
"""


def test_a_provider_without_a_key_makes_no_call_whatever_the_environment_holds() -> None:
    told = in_a_process(
        WITHOUT_KEY, json.dumps(MODELS), OPENAI_API_KEY="sk-ambient-000000", GROQ_API_KEY="gsk_ambient0"
    )
    assert told["connections"] == 0
    assert told["errors"] == ["no_key"]
    assert told["calls"] == 4 * len(MODELS)
    assert "main (openai/gpt-4o-mini): the provider has no key" in told["reason"]


def in_a_process(program: str, argument: str, **environment: str) -> Any:
    """Run a program in a fresh interpreter with only these variables, and read the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-c", program, argument],
        capture_output=True, text=True, timeout=120, check=False, env={"PATH": "/usr/bin:/bin"} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("key", ["ключ-123456", "sk-1\nHost: evil", "sk-\x00"])
def test_a_key_that_no_header_can_hold_is_told_without_a_call(stub: LlmStub, key: str) -> None:
    no_reply = failure(a_config(a_choice(stub.url, api_key=key)))
    assert [call.error for call in no_reply.calls] == [CallError.BAD_REQUEST]
    assert "characters that no key has" in no_reply.reason
    assert key not in no_reply.reason
    assert stub.connections == 0


@pytest.mark.parametrize("vendor", ["ollama", "bedrock", "vertex_ai", "", "OPENAI", "azure"])
def test_a_vendor_that_is_not_on_the_list_is_refused_everywhere(stub: LlmStub, vendor: str) -> None:
    assert not is_allowed_vendor(vendor)
    with pytest.raises(UnknownVendor) as refused:
        check_vendor(vendor)
    assert "openai" in refused.value.fault.rule
    no_reply = failure(a_config(a_choice(stub.url, vendor=vendor)))
    assert [call.error for call in no_reply.calls] == [CallError.UNKNOWN_VENDOR]
    assert stub.connections == 0


@pytest.mark.parametrize("vendor", sorted(MODELS))
@pytest.mark.parametrize(
    "model",
    [
        "responses/gpt-4o",
        "azure/gpt-4o",
        "ft:babbage-002:acme",
        "ft:davinci-002",
        "",
        "a\nb",
        "../x",
        "litellm_proxy/x",
    ],
)
def test_a_models_name_cannot_lead_elsewhere(stub: LlmStub, vendor: str, model: str) -> None:
    no_reply = failure(a_config(a_choice(stub.url, vendor=vendor, model=model)))
    assert [call.error for call in no_reply.calls] == [CallError.UNKNOWN_MODEL]
    assert stub.connections == 0


@pytest.mark.parametrize("model", ["replicate/llama", "clarifai-x", "ft:gpt-3.5-turbo:acme", "meta/llama-2-70b-chat:02e509c789964a7ea8736978a43525956ef40397be9033abf9fd2badfe68c9e3"])  # fmt: skip  # noqa: E501
def test_a_name_that_is_safe_at_openai_is_asked_there(stub: LlmStub, model: str) -> None:
    answer(a_config(a_choice(stub.url, model=model)))
    assert [(asked.model, asked.key) for asked in stub.requests] == [(model, KEY)]
    assert "replicate" not in model or not is_safely_routed("mistral", model)


@pytest.mark.parametrize(
    "model", ["o3-pro", "gpt-5", "gpt-5-pro", "gpt-5.5", "codex-mini-latest", "claude-2.1", "dall-e-3"]
)
@pytest.mark.parametrize("vendor", ["openai", "anthropic", "openrouter"])
def test_a_model_of_another_kind_is_still_asked_at_our_address_or_not_at_all(
    stub: LlmStub, vendor: str, model: str
) -> None:
    stub.behaviour = "404"
    no_reply = failure(a_config(a_choice(stub.url, vendor=vendor, model=model)))
    assert [call.error for call in no_reply.calls] == [CallError.UNKNOWN_MODEL]
    assert len(stub.requests) == 1
    assert stub.requests[0].path in (CHAT_PATH, PATHS["anthropic"])


@pytest.mark.parametrize(
    ("vendor", "given", "asked"),
    [
        ("openai", "", "https://api.openai.com/v1"),
        ("openai", " http://x:1/v1/ ", "http://x:1/v1"),
        ("anthropic", "http://x:1/v1", "http://x:1"),
        ("anthropic", "", "https://api.anthropic.com"),
        ("mistral", "", "https://api.mistral.ai/v1"),
    ],
)
def test_a_base_address_is_the_providers_own_or_the_vendors(vendor: str, given: str, asked: str) -> None:
    assert base_address(a_choice(given, vendor=vendor)) == asked
