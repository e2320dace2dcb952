"""The sandbox in a thread of this process, for tests: start it, let customers write, look at what came back.

with SandboxServer({"accounts": [...]}) as sandbox:
sandbox.configure(hook_url=bridge_url)
sandbox.say("alice", "Hello")
sandbox.wait_until(lambda: sandbox.accepted)
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sandbox.accounts import Accepted, Account
from sandbox.api.fault_kinds import read_fault
from sandbox.chats import Chat, chat_snapshot
from sandbox.config import Config, WhenBusy, demo_config, parse_config, with_rate
from sandbox.crm.crm import Crm
from sandbox.journal import Entry
from sandbox.service import Service
from sandbox.standin import Receipt, StandIn

T = TypeVar("T")
START_SECONDS: Final = 15
CALL_SECONDS: Final = 60
POLL_SECONDS: Final = 0.01


class SandboxServer:
    """A running sandbox. Methods may be called from any thread; `account` may be left out while there is one."""

    def __init__(
        self,
        config: Config | Mapping[str, Any] | None = None,
        *,
        rate: float | None = None,
        port: int = 0,
        journal_path: Path | None = None,
    ) -> None:
        """Set it up; entering it starts it.

        Args:
            config: as in the config file; one account with made-up secrets when None.
            rate: requests a second that the continue endpoint takes, 0 for any number; the config's when None.
            port: of the common origin; 0 takes a free one.
            journal_path: where to keep the journal on disk too.

        Raises:
            ConfigError: a value is missing or wrong.
        """
        read = config if isinstance(config, Config) else demo_config() if config is None else parse_config(dict(config))
        self.config = read if rate is None else with_rate(read, rate)
        self._service = Service(self.config, port=port, journal_path=journal_path)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._live, name="sandbox", daemon=True)

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            ConfigError: a port is taken or the journal cannot be written.
        """
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise TimeoutError("the sandbox did not start")
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_SECONDS)

    @property
    def url(self) -> str:
        """Give the common origin, such as `http://127.0.0.1:40001`."""
        return self._service.url

    def origin(self, account: str | None = None) -> str:
        """Give an account's own origin."""
        return self._call(lambda standin: _account(standin, account).origin)

    def configure(self, account: str | None = None, **changes: object) -> None:
        """Change an account's settings, such as `hook_url`, `encoding` or `access_token`."""
        self._call(lambda standin: standin.configure(_account(standin, account), changes))

    def say(
        self,
        customer: str,
        text: str,
        *,
        account: str | None = None,
        attachment: str = "",
        copies: int = 1,
        when_busy: WhenBusy | None = None,
    ) -> Receipt:
        """Let a customer write; see `StandIn.say`. Returns at once, before the bridge has answered."""

        def speak(standin: StandIn) -> Receipt:
            where = _account(standin, account)
            chat = standin.open_chat(where, customer=customer)
            return standin.say(where, chat, text=text, attachment=attachment, copies=copies, when_busy=when_busy)

        return self._call(speak)

    def duplicate(self, customer: str, times: int, *, account: str | None = None) -> list[int | None]:
        """Send the customer's last widget_request again, `times` at once; gives the statuses that came back."""

        async def resend(standin: StandIn) -> list[int | None]:
            where = _account(standin, account)
            acks = await standin.dispatch.send_again(where, _chat(where, customer), times)
            return [ack.status for ack in acks]

        return self._await(lambda: resend(self._service.desk.standin))

    def stop_bots(self, customer: str, *, account: str | None = None) -> None:
        """Stop the customer's Salesbots: what is still on its way for them then finds nothing."""

        def stop(standin: StandIn) -> None:
            where = _account(standin, account)
            standin.stop_bots(where, _chat(where, customer))

        self._call(stop)

    def run_bot(self, customer: str, bot_id: int, *, account: str | None = None) -> None:
        """Start a Salesbot in a customer's chat, as the API does."""

        def run(standin: StandIn) -> None:
            where = _account(standin, account)
            standin.run_bot(where, standin.open_chat(where, customer=customer), bot_id)

        self._call(run)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward; pauses that are over by then end at once."""
        self._call(lambda standin: standin.clock.advance(seconds))

    def crm(self, ask: Callable[[Crm], T], *, account: str | None = None) -> T:
        """Look into an account's CRM, on the sandbox's own loop."""
        return self._call(lambda standin: ask(_account(standin, account).crm))

    def fault(self, kind: str, **fields: object) -> None:
        """Queue a fault; see `sandbox.api.fault_kinds` for the kinds and their fields.

        Raises:
            ValueError: the kind or a field is unknown or wrong.
        """
        fault = read_fault({"kind": kind, **fields})
        self._call(lambda _standin: self._service.desk.faults.add(fault))

    def faults(self) -> list[dict[str, Any]]:
        """List the faults that have not acted yet."""
        return self._call(lambda _standin: self._service.desk.faults.listed())

    def chat(self, customer: str, *, account: str | None = None) -> dict[str, Any]:
        """Give a chat whole, as the control API does."""
        return self._call(lambda standin: chat_snapshot(_chat(_account(standin, account), customer)))

    def shown(self, customer: str, *, account: str | None = None) -> list[str]:
        """List what the Salesbot showed to a customer."""
        bubbles = self.chat(customer, account=account)["bubbles"]
        return [bubble["text"] for bubble in bubbles if bubble["from"] == "bot" and not bubble["failed"]]

    @property
    def journal(self) -> list[Entry]:
        """List the journal's entries."""
        return self._call(lambda standin: standin.journal.entries())

    @property
    def accepted(self) -> list[Accepted]:
        """List the continues that were accepted, oldest first."""
        return self._call(lambda standin: list(standin.accepted))

    def wait_until(self, condition: Callable[[], T], *, within_seconds: float = 10.0) -> T:
        """Wait until the condition gives something true, and give that.

        Raises:
            TimeoutError: it did not in time.
        """
        end = time.monotonic() + within_seconds
        while not (found := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {within_seconds:g} s")
            time.sleep(POLL_SECONDS)
        return found

    def _call(self, ask: Callable[[StandIn], T]) -> T:
        """Ask the stand-in on its own loop, where nothing changes under us."""

        async def asked() -> T:
            return ask(self._service.desk.standin)

        return self._await(asked)

    def _await(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._loop is None or not self._thread.is_alive():
            raise RuntimeError("the sandbox is not running")
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(CALL_SECONDS)

    def _live(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await self._service.start()
        except (ValueError, OSError) as error:
            self._failure = error
            return
        finally:
            self._started.set()
        await self._stop.wait()
        await self._service.stop()


def _account(standin: StandIn, name: str | None) -> Account:
    if name is None:
        if len(standin.accounts) > 1:
            raise ValueError(f"account: name one of {', '.join(standin.accounts)}")
        return next(iter(standin.accounts.values()))
    return standin.accounts[name]


def _chat(account: Account, customer: str) -> Chat:
    return account.chats[customer]
