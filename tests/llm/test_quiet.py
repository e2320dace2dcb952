"""Nothing of a call is logged or printed, at no level: neither keys nor what people and models say."""

import subprocess
import sys

from tests.llm.asking import KEY, a_choice, a_config

PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
import llm
from llm import Line
from tests.llm.asking import a_choice, a_config, answer, failure
from tests.stubs.llm import LlmStub
llm.preload()
logging.getLogger().setLevel(logging.DEBUG)
with LlmStub(reply="planted-answer") as stub:
    models = {"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5"}
    for vendor, model in models.items():
        for base in (stub.url, stub.at("401"), stub.at("garbage"), stub.at("everything"), "http://127.0.0.1:9/v1"):
            choice = a_choice(base, vendor=vendor, model=model, api_key="planted-key-1234")
            config = a_config(choice, prompt="planted-prompt", knowledge="planted-knowledge")
            try:
                answer(config, "planted-message", history=[Line("customer", "planted-history")])
            except llm.NoReply:
                pass
print("done", file=sys.stderr)
"""


def test_no_log_line_and_no_print_holds_key_or_text() -> None:
    switches = {"LITELLM_LOG": "DEBUG", "OPENAI_LOG": "debug"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin"} | switches,
    )
    assert done.returncode == 0, done.stderr
    assert "done" in done.stderr
    assert "planted" not in done.stdout + done.stderr
    assert done.stdout == ""


def test_a_choice_does_not_show_its_key() -> None:
    assert KEY not in repr(a_choice()) + str(a_config(a_choice()))
