"""Puts the stand-in on its ports and takes it off again."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.api.app import make_app
from sandbox.api.desk import Desk
from sandbox.api.faults import Faults
from sandbox.api.limits import RateLimit
from sandbox.config import AccountConfig, Config, ConfigError
from sandbox.journal import Journal, JournalFile
from sandbox.standin import StandIn
from sandbox.widget_requests import Sender

SHUTDOWN_SECONDS: Final = 0.3  # what is still being answered at a stop is cut off after that
BACKLOG: Final = 1024
MAIN: Final = ""  # the common port's slot; an account's own port has its subdomain


class Service:
    """One sandbox at work; belongs to one event loop.

    Args:
        config: the accounts.
        host: a loopback address, or localhost.
        port: of the pages and of every account without a port of its own; 0 takes a free one.
        journal_path: a file for the journal, each line on disk before the answer that it tells of; None for none.

    Raises:
        ConfigError: host is not loopback.
    """

    def __init__(self, config: Config, *, host: str = "127.0.0.1", port: int = 0, journal_path: Path | None) -> None:
        """Keep what it needs; nothing is opened yet."""
        self.host = loopback_address(host)
        self.url = ""
        self._config = config
        self._port = port
        self._journal_path = journal_path
        self._desk: Desk | None = None
        self._closing = contextlib.AsyncExitStack()

    @property
    def desk(self) -> Desk:
        """Give what the handlers share; only while it runs."""
        if self._desk is None:
            raise RuntimeError("the sandbox has not been started")
        return self._desk

    async def start(self) -> None:
        """Open the ports and serve.

        Raises:
            ConfigError: a port is taken or the journal cannot be written.
        """
        async with contextlib.AsyncExitStack() as opened:
            sockets = self._bind_all(opened)
            self.url = self._origin(sockets[MAIN])
            journal = _open_journal(self._journal_path)
            opened.push_async_callback(journal.close)
            sender = await opened.enter_async_context(Sender())
            origins = {account.subdomain: self._origin(sockets[_slot(account)]) for account in self._config.accounts}
            standin = StandIn(self._config, origins=origins, journal=journal, sender=sender)
            opened.callback(standin.close)
            opened.push_async_callback(standin.dispatch.close)
            self._desk = self._make_desk(standin, sockets)
            await self._serve(sockets.values(), opened)
            self._closing = opened.pop_all()

    async def stop(self) -> None:
        """Close everything, within a second."""
        await self._closing.aclose()

    def _bind_all(self, opened: contextlib.AsyncExitStack) -> dict[str, socket.socket]:
        """Open the common port and those that accounts have of their own, by slot."""
        wanted = {MAIN: self._port} | {a.subdomain: a.port for a in self._config.accounts if a.port is not None}
        return {slot: opened.enter_context(self._bind(port)) for slot, port in wanted.items()}

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, port), family=family, backlog=BACKLOG)
        except (OSError, OverflowError) as error:
            raise ConfigError("--port", f"{port} on {self.host} cannot be opened ({error})") from error

    def _origin(self, opened: socket.socket) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{opened.getsockname()[1]}"

    def _make_desk(self, standin: StandIn, sockets: dict[str, socket.socket]) -> Desk:
        ports = {
            opened.getsockname()[1]: tuple(a.subdomain for a in self._config.accounts if _slot(a) == slot)
            for slot, opened in sockets.items()
        }
        faults = Faults()
        standin.dispatch.twist = faults.twist
        return Desk(standin=standin, faults=faults, limit=self._limit(), ports=ports)

    def _limit(self) -> RateLimit:
        config = self._config
        return RateLimit(config.rate, block_after=config.block_after, block_s=config.block_s)

    async def _serve(self, sockets: Iterable[socket.socket], opened: contextlib.AsyncExitStack) -> None:
        runner = web.AppRunner(make_app(self.desk), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        opened.push_async_callback(runner.cleanup)
        for one in sockets:
            await web.SockSite(runner, one, backlog=BACKLOG).start()


async def serve_until_stopped(service: Service, announce: Callable[[Service], None]) -> None:
    """Run the service until SIGTERM or SIGINT; `announce` is called once when it serves.

    Raises:
        ConfigError: it cannot start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service.start()
    try:
        announce(service)
        await stop.wait()
    finally:
        await service.stop()


def loopback_address(host: str) -> str:
    """Give the address to listen on.

    Raises:
        ConfigError: it is not a loopback address: the sandbox holds secrets and obeys whoever reaches it.
    """
    if host == "localhost":
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    raise ConfigError("--host", f"{host} is not a loopback address; the sandbox serves this machine only")


def _slot(account: AccountConfig) -> str:
    """Name the socket that an account answers on: the common one, or its own."""
    return MAIN if account.port is None else account.subdomain


def _open_journal(path: Path | None) -> Journal:
    try:
        return Journal(JournalFile(path) if path else None)
    except OSError as error:
        raise ConfigError("--journal", f"cannot write {path} ({error.strerror})") from error
