"""Makes a widget_request for a waiting Salesbot, sends it, and tells in the chat what came back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.accounts import Account, Waiting, WaitingRoom, return_url_of
from sandbox.chats import Chat, ContinueKey, Run
from sandbox.ids import next_continue_id
from sandbox.journal import Journal
from sandbox.salesbot.effects import Requested
from sandbox.telling import tell_acknowledgement
from sandbox.tokens import bot_claims, sign
from sandbox.twists import Twist, Twisting, no_twist
from sandbox.widget_requests import Acknowledgement, Outgoing, Sender, encode


class NothingSent(ValueError):
    """There is no widget_request yet that could be sent again."""


class Dispatch:
    """The way out of the stand-in; belongs to one event loop."""

    def __init__(self, *, room: WaitingRoom, journal: Journal, sender: Sender, touch: Callable[[Chat], None]) -> None:
        """Use these; `touch` is called when a chat has changed."""
        self._room = room
        self._journal = journal
        self._sender = sender
        self._touch = touch
        self.twist: Twisting = no_twist
        self.on_lost: Callable[[ContinueKey], None] = lambda _key: None
        self._tasks: set[asyncio.Task[None]] = set()

    def request(self, account: Account, chat: Chat, run: Run, wanted: Requested, *, copies: int) -> None:
        """Let the run wait for a new continue id and send the request in the background, `copies` at once."""
        config = account.config
        key: ContinueKey = (config.bot_type, str(run.bot_id), str(next_continue_id()))
        waiting = Waiting(chat, run, run.turn or chat.new_turn())
        run.turn = waiting.turn
        self._room.add(key, waiting)
        twist = self.twist(chat.account, chat.customer)
        if twist.fault:
            self._tell_twist(waiting, twist)
        outgoing = self._written(account, waiting, wanted, key, twist)
        account.last_request[chat.customer] = outgoing
        for number in range(copies + twist.copies):
            self._spawn(waiting, key, outgoing, copy=number > 0)

    async def send_again(self, account: Account, chat: Chat, times: int) -> list[Acknowledgement]:
        """Send the chat's last widget_request again, `times` at once, byte for byte.

        Raises:
            NothingSent: the chat has none yet.
        """
        outgoing = account.last_request.get(chat.customer)
        if outgoing is None:
            raise NothingSent("this customer has caused no widget_request yet")
        return list(await asyncio.gather(*(self._send(chat, outgoing, copy=True) for _ in range(times))))

    async def close(self) -> None:
        """Drop what is still going out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tell_twist(self, waiting: Waiting, twist: Twist) -> None:
        chat = waiting.chat
        who = {"account": chat.account, "customer": chat.customer}
        self._journal.note("request_fault", **who, fault=twist.fault, told=twist.told)
        waiting.turn.tell("The widget_request is broken on demand", tone="bad", detail=twist.told)

    def _written(
        self, account: Account, waiting: Waiting, wanted: Requested, key: ContinueKey, twist: Twist
    ) -> Outgoing:
        config, return_url = account.config, return_url_of(account, key)
        claims = bot_claims(config, origin=account.origin, lead_id=waiting.chat.lead_id, receiver_url=wanted.url)
        claims |= {name: int(claims[name]) + twist.clock_skew_s for name in ("iat", "nbf", "exp")}
        how: dict[str, Any] = {"encoding": config.encoding, "algorithm": config.algorithm}
        said = {"url": wanted.url, "claims": claims, "data": wanted.data, "return_url": return_url}
        waiting.turn.request = how | said
        waiting.turn.tell("Sent the widget_request to the bridge", tone="wait", detail=", ".join(how.values()))
        outgoing = encode(
            url=wanted.url,
            token=sign(config, claims),
            data=wanted.data,
            return_url=return_url,
            encoding=config.encoding,
        )
        return replace(outgoing, headers={"Content-Type": twist.content_type}) if twist.content_type else outgoing

    def _spawn(self, waiting: Waiting, key: ContinueKey, outgoing: Outgoing, *, copy: bool) -> None:
        work = self._send(waiting.chat, outgoing, copy=True) if copy else self._send_first(waiting, key, outgoing)
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_first(self, waiting: Waiting, key: ContinueKey, outgoing: Outgoing) -> Acknowledgement:
        ack, turn = await self._send(waiting.chat, outgoing, copy=False), waiting.turn
        tell_acknowledgement(turn, ack)
        turn.request = (turn.request or {}) | {"status": ack.status, "ack_ms": ack.ack_ms, "error": ack.error}
        if not ack.is_good and self._room.is_open(key):
            turn.state = "stuck"
            turn.tell("The Salesbot waits, maybe for ever; the customer sees nothing", tone="bad")
            self.on_lost(key)
        self._touch(waiting.chat)
        return ack

    async def _send(self, chat: Chat, outgoing: Outgoing, *, copy: bool) -> Acknowledgement:
        who = {"account": chat.account, "customer": chat.customer}
        body = outgoing.body.decode()
        headers = dict(outgoing.headers)
        sent = self._journal.note("widget_request", **who, copy=copy, url=outgoing.url, headers=headers, body=body)
        ack = await self._sender.send(outgoing)
        answer = {"status": ack.status, "ack_ms": ack.ack_ms, "body": ack.body, "error": ack.error}
        self._journal.note("widget_request_answer", **who, to=sent["seq"], **answer)
        return ack
