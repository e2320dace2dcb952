"""The order of models, the retries and the one deadline.

The rule of time: a model that others follow may use at most 60 % of what is left, its retry included, so that a slow
first one cannot eat the turn of the next; the last one has all that is left.

The rule of retries: what may pass by itself (429, 5xx, no connection, an empty or broken answer) is asked once more on
the same model after a short pause, when its share of the time leaves room for that; Retry-After is honoured when it
fits. What will not pass (400, 401, 403, 404) goes to the next model at once. Two refusals have a cure and are asked
again at once: a context that is too long is shortened, and a form that the server does not know is left out.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import uniform
from time import monotonic

from llm.client import ask, known_model
from llm.config import BotConfig, Line, ModelChoice
from llm.context import SMALLEST_CONTEXT, budget
from llm.errors import ERROR_TEXT_MAX, RETRYABLE, CallFailed, scrub
from llm.prices import cost_of
from llm.prompts import Prompt, build_prompt
from llm.questions import Answer, Question, Shape
from llm.replies import Call, CallError, NoReply, Reply
from llm.structured import Reading, Unusable, read_answer, reply_schema

SHARE_BEFORE_OTHERS = 0.6
RETRIES = 1
PAUSE_S = (0.3, 0.9)  # drawn from, so that a crowd does not come back at one moment
SHORTEST_TRY_S = 0.5  # less than this is no try
SHORTER_CONTEXT = 4  # a refused context is asked again with a quarter of it
REASON_MAX = 1_000
CUT_REMARK = "The token limit ended the answer; it may stop in the middle of a sentence."
NO_MODELS = "The bot has no model that could be asked in the time that was left. Give it one, or a longer deadline."

OnCall = Callable[[Call], None]


async def answer(
    config: BotConfig,
    history: Sequence[Line],
    message: str,
    *,
    instruction: str = "",
    deadline_s: float,
    allow_private_hosts: bool,
    on_call: OnCall | None = None,
) -> Reply:
    """Answer a customer's message.

    Args:
        config: the bot with its models.
        history: what was said before, oldest first, without the message.
        message: the customer's text; blank when it had none.
        instruction: extra instruction of this step of the Salesbot.
        deadline_s: seconds for everything, all models and retries together.
        allow_private_hosts: base addresses in private networks are allowed.
        on_call: told each call when it has ended, also when the task is cancelled meanwhile.

    Raises:
        NoReply: no model gave a usable answer in time; says why, with every call.
        asyncio.CancelledError: the task was cancelled; the call that ran is told to `on_call` as interrupted.
    """
    asked = _Asked(config, tuple(history), message, instruction, allow_private_hosts)
    run = _Run(asked, monotonic() + deadline_s, on_call)
    for place, choice in enumerate(config.choices):
        reply = await run.try_model(choice, share=SHARE_BEFORE_OTHERS if place + 1 < len(config.choices) else 1.0)
        if reply:
            return reply
    raise NoReply(_reason(run.calls), tuple(run.calls))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `answer` was asked; the same for every call."""

    config: BotConfig
    history: tuple[Line, ...]
    message: str
    instruction: str
    allow_private: bool


@dataclass(frozen=True, slots=True)
class _Way:
    """How the next call of a model is made."""

    shape: Shape
    tokens: int


class _Run:
    """One answer in the making: its calls so far and its end."""

    def __init__(self, asked: _Asked, end: float, on_call: OnCall | None) -> None:
        self.calls: list[Call] = []
        self._asked = asked
        self._end = end
        self._on_call = on_call

    async def try_model(self, choice: ModelChoice, *, share: float) -> Reply | None:
        """Ask one model, again where that helps; None when it gives nothing usable in its share of the time."""
        end = monotonic() + (self._end - monotonic()) * share
        way: _Way | None = self._first_way(choice)
        retries = RETRIES
        while way and end - monotonic() >= SHORTEST_TRY_S:
            result = await self._call(choice, way, timeout_s=end - monotonic())
            if isinstance(result, Reply):
                return result
            cured = _cured(way, result)
            if cured is None and (not retries or not await _paused(result, end)):
                return None
            retries -= cured is None
            way = cured or way
        return None

    def _first_way(self, choice: ModelChoice) -> _Way:
        known = known_model(choice.vendor, choice.model)
        return _Way(known.shape, budget(known.max_input_tokens))

    async def _call(self, choice: ModelChoice, way: _Way, *, timeout_s: float) -> Reply | CallFailed:
        """Make one call, judge what came, and note it."""
        asked = self._asked
        prompt = build_prompt(
            asked.config,
            asked.history,
            asked.message,
            instruction=asked.instruction,
            shape=way.shape,
            tokens=way.tokens,
        )
        tried = _Try(choice, prompt)
        try:
            question = _question(asked.config, prompt, way.shape)
            given = await ask(choice, question, timeout_s=timeout_s, allow_private=asked.allow_private)
            reading = judge_answer(given, _asked_for(asked.config, way.shape))
        except CallFailed as failed:
            self._keep(tried.failed(failed))
            return failed
        except asyncio.CancelledError:
            self._keep(tried.failed(CallFailed(CallError.INTERRUPTED)))
            raise
        self._keep(tried.succeeded(given, reading))
        return Reply(
            text=reading.text,
            outcome=reading.outcome,
            outputs=reading.outputs,
            calls=tuple(self.calls),
            buttons=reading.buttons,
            links=reading.links,
        )

    def _keep(self, call: Call) -> None:
        self.calls.append(call)
        if self._on_call:
            self._on_call(call)


class _Try:
    """One call while it runs; becomes a `Call` at its end."""

    def __init__(self, choice: ModelChoice, prompt: Prompt) -> None:
        self._choice = choice
        self._prompt = prompt
        self._started_at = datetime.now(UTC)
        self._began = monotonic()

    def succeeded(self, given: Answer, reading: Reading) -> Call:
        """The call as one whose answer became the reply."""
        cut = CUT_REMARK if given.finish == "length" else ""
        remark = f"{cut} {reading.remark}".strip()
        return self._call(CallError.NONE, remark, answer_text=given.text, given=given)

    def failed(self, failed: CallFailed) -> Call:
        """The call as one without a usable answer."""
        choice = self._choice
        text = f"{choice.provider} ({choice.vendor}/{choice.model}): {failed.text}"
        return self._call(failed.error, text, answer_text=failed.body, given=failed.given)

    def _call(self, error: CallError, text: str, *, answer_text: str, given: Answer | None) -> Call:
        choice = self._choice
        input_tokens = given.input_tokens if given else None
        output_tokens = given.output_tokens if given else None
        return Call(
            provider=choice.provider,
            vendor=choice.vendor,
            model=choice.model,
            started_at=self._started_at,
            latency_ms=round((monotonic() - self._began) * 1000),
            ok=error is CallError.NONE,
            error=error,
            error_text=text[:ERROR_TEXT_MAX],
            messages=self._prompt.messages,
            knowledge=self._prompt.knowledge,
            answer_text=scrub(answer_text, choice.api_key),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost=cost_of(choice, input_tokens=input_tokens, output_tokens=output_tokens),
        )


def judge_answer(given: Answer, config: BotConfig) -> Reading:
    """Read an answer that came, or say why it must not go out.

    Raises:
        CallFailed: blank, cut before it said anything, held back, only a tool call, or an unreadable form.
    """
    if given.finish == "content_filter":
        raise CallFailed(CallError.FILTERED, body=given.text, given=given)
    was_cut = given.finish == "length"
    try:
        return read_answer(given.text, config=config, was_cut=was_cut)
    except Unusable as unusable:
        only_tools = unusable.error is CallError.EMPTY and given.asked_for_tools
        error = CallError.TOOL_CALLS if only_tools else unusable.error
        raise CallFailed(error, body=given.text, given=given) from None


def _asked_for(config: BotConfig, shape: Shape) -> BotConfig:
    """The bot as far as this shape can carry it: a model that is asked for plain words has nothing to offer."""
    return replace(config, offers_buttons=False, links=()) if shape == "plain" else config


def _question(config: BotConfig, prompt: Prompt, shape: Shape) -> Question:
    return Question(
        messages=prompt.messages,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        shape=shape,
        schema=reply_schema(config) if shape != "plain" else {},
    )


def _cured(way: _Way, failed: CallFailed) -> _Way | None:
    """Another way to ask the same model that its refusal suggests; None when it suggests none."""
    if failed.form_refused and way.shape != "plain":
        return replace(way, shape="plain")
    if failed.error is CallError.CONTEXT_TOO_LONG and way.tokens > SMALLEST_CONTEXT:
        return replace(way, tokens=max(SMALLEST_CONTEXT, way.tokens // SHORTER_CONTEXT))
    return None


async def _paused(failed: CallFailed, end: float) -> bool:
    """Wait before a retry; False at once when a retry cannot help or finds no room."""
    pause = max(uniform(*PAUSE_S), failed.retry_after_s or 0.0)  # noqa: S311  spreads a crowd, guards nothing
    if failed.error not in RETRYABLE or monotonic() + pause + SHORTEST_TRY_S > end:
        return False
    await asyncio.sleep(pause)
    return True


def _reason(calls: Sequence[Call]) -> str:
    """The last word of each model, in order."""
    if not calls:
        return NO_MODELS
    last = {(call.provider, call.vendor, call.model): call.error_text for call in calls}
    return " ".join(last.values())[:REASON_MAX]
