"""From what the wire saw to a code and a sentence."""

import json

import pytest

from llm import CallError
from llm.errors import ERROR_TEXT_MAX, RETRYABLE, SENTENCES, judge_failure, scrub
from llm.wire import Wire


def a_body(message: str = "no", code: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, a_body("max", "context_length_exceeded"), CallError.CONTEXT_TOO_LONG),
        (400, a_body("prompt is too long: 9 tokens"), CallError.CONTEXT_TOO_LONG),
        (413, b"", CallError.CONTEXT_TOO_LONG),
        (400, a_body("API key not valid."), CallError.REFUSED_KEY),
        (400, a_body("x", "content_filter"), CallError.FILTERED),
        (400, a_body("x", "model_not_found"), CallError.UNKNOWN_MODEL),
        (400, a_body("Your credit balance is too low"), CallError.NO_CREDIT),
        (429, a_body("x", "insufficient_quota"), CallError.NO_CREDIT),
        (429, a_body("too many tokens per minute"), CallError.RATE_LIMITED),
        (408, b"", CallError.TIMEOUT),
        (409, b"", CallError.BAD_REQUEST),
        (529, a_body("context window"), CallError.SERVER_ERROR),
        (200, b"{", CallError.UNREADABLE),
        (None, b"", CallError.BAD_REQUEST),
    ],
    ids=[
        "OpenAI's context",
        "Anthropic's context",
        "body too large",
        "Gemini's key",
        "a content filter",
        "a model in a 400",
        "Anthropic's credit",
        "OpenAI's quota",
        "token rate",
        "408",
        "a status without a meaning",
        "overloaded",
        "200 and rubbish",
        "never sent",
    ],
)
def test_each_sign_leads_to_its_code(status: int | None, body: bytes, error: CallError) -> None:
    assert judge_failure(Wire(status=status, body=body), api_key="k").error is error


def test_what_the_wire_saw_counts_more_than_the_status() -> None:
    assert judge_failure(Wire(status=200, fault=CallError.TOO_LARGE), api_key="k").error is CallError.TOO_LARGE


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "Bad  thing\\n happened"}}', "Bad thing happened"),
        (b'{"message": "Unauthorized"}', "Unauthorized"),
        (b'{"detail": "No"}', "No"),
        (b'{"error": "plain"}', "plain"),
        (b'[{"error": {"message": "as a list"}}]', "as a list"),
    ],
    ids=["OpenAI", "message", "detail", "error as text", "Gemini"],
)
def test_the_vendors_own_words_are_quoted(body: bytes, words: str) -> None:
    assert judge_failure(Wire(status=500, body=body), api_key="k").text.endswith(f"(HTTP 500) It said: {words}")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[" * 50_000, b"\xff\xfe", b'{"error": {"message": 5}}', b"null", b"[]"]
)
def test_an_odd_error_body_is_no_trouble(body: bytes) -> None:
    failed = judge_failure(Wire(status=502, body=body), api_key="k")
    assert failed.text == "the vendor's server failed. (HTTP 502)"


def test_every_code_has_a_sentence_that_says_what_to_do_or_what_was() -> None:
    assert SENTENCES.keys() == set(CallError) - {CallError.NONE}
    assert all(sentence.endswith(".") and len(sentence) < 160 for sentence in SENTENCES.values())


def test_what_will_not_pass_is_not_asked_again() -> None:
    assert not RETRYABLE & {CallError.REFUSED_KEY, CallError.BAD_REQUEST, CallError.UNKNOWN_MODEL, CallError.NO_KEY}


def test_an_error_text_stays_short() -> None:
    assert len(judge_failure(Wire(status=500, body=a_body("long " * 500)), api_key="k").text) <= ERROR_TEXT_MAX


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: my-odd-key.",
        "Authorization: Bearer abcdefghij",
        "key sk-proj-ab12cd34ef was refused",
        "masked sk-ab**********cdef",
        "AIzaSyA-1234567890",
        "gsk_1234567890abcdef",
    ],
)
def test_keys_and_what_looks_like_one_are_taken_out(text: str) -> None:
    scrubbed = scrub(text, "my-odd-key")
    assert "[key]" in scrubbed
    assert not any(piece in scrubbed for piece in ("my-odd-key", "abcdefghij", "ab12cd34ef", "cdef", "1234567890"))


@pytest.mark.parametrize("text", ["The key-holder asks: task-based?", "A sofa costs 500.", "risk-free"])
def test_ordinary_words_stay(text: str) -> None:
    assert scrub(text, "my-odd-key") == text
