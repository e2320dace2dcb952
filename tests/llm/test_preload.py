"""The front is light, and loading litellm before a fork is an import and nothing else."""

import json
import subprocess
import sys
from typing import Any

import pytest

import llm

TOKENIZER = "litellm.litellm_core_utils.default_encoding"  # 45 MB that only some vendors need
ABROAD = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
HEAVY = ("litellm", "openai", "httpx", "httpcore", "asyncio")

FRONT = f"""
import json, sys
import llm
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""

PRELOAD = """
import json, sys, threading
events = []
sys.addaudithook(lambda event, args: events.append(event) if event.startswith("socket.") else None)
import llm
llm.preload()
threads, network = threading.active_count(), sorted(set(events))
from tests.llm.asking import a_choice, a_config, a_demo_choice, answer
from tests.llm.test_vendors import MODELS
from tests.stubs.llm import LlmStub
import pytest, encodings.idna
before = set(sys.modules)
with LlmStub() as stub:
    for vendor, model in MODELS.items():
        answer(a_config(a_choice(stub.url, vendor=vendor, model=model)), deadline_s=20)
    answer(a_config(a_demo_choice()))
print(json.dumps({"threads": threads, "network": network, "late": sorted(set(sys.modules) - before)}))
"""


def told_by(program: str) -> Any:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def preloaded() -> Any:
    """What a process saw that preloaded and then asked every vendor once."""
    return told_by(PRELOAD)


def test_importing_the_front_loads_neither_litellm_nor_an_http_client() -> None:
    assert told_by(FRONT) == []


def test_preloading_starts_no_thread_and_touches_no_network(preloaded: Any) -> None:
    assert preloaded["threads"] == 1
    # socket.gethostname and the like are questions to this machine; a look-up or a connection is not among them
    assert not {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"} & set(
        preloaded["network"]
    )


def test_after_preloading_a_first_call_imports_next_to_nothing(preloaded: Any) -> None:
    late = preloaded["late"]
    assert [name for name in late if name.startswith(("litellm", "openai"))] == [TOKENIZER]
    assert len(late) < 20


def test_the_front_offers_what_it_says_and_nothing_else() -> None:
    assert all(getattr(llm, name) is not None for name in llm.__all__)
    assert set(llm.__all__) == {
        "DEMO_VENDOR", "VENDORS", "BotConfig", "Call", "CallError", "Line", "Link", "ModelChoice", "NoReply",
        "Outcome", "Output", "OutputType", "OutputValue", "Reply", "Role", "UnknownVendor", "Vendor", "answer",
        "check_vendor", "close_connections", "is_allowed_vendor", "preload",
    }  # fmt: skip
