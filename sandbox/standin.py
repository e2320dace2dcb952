"""The stand-in Kommo itself: customers write, Salesbots run, continues resume them.

One event loop owns it, so a step that does not await cannot be interrupted: that is what makes a continue id
single-use here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.accounts import Accepted, Account, WaitingRoom, return_url_of
from sandbox.chats import Bubble, Chat, ContinueKey, Run, Said, customer_id_from
from sandbox.config import Config, WhenBusy, change_account, check_distinct
from sandbox.dispatch import Dispatch
from sandbox.handlers import Handler
from sandbox.interpreter import Effect, Ended, Left, Machine, Requested, Shown
from sandbox.journal import Journal
from sandbox.placeholders import Values
from sandbox.telling import finish, short, tell_effect
from sandbox.widget import salesbot_flow
from sandbox.widget_requests import Sender


class NoHookUrl(ValueError):
    """The account has no address to call yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a customer's message led to at once; when it is held, `continue_id` and `return_url` are empty."""

    customer: str
    message_id: int
    lead_id: int
    continue_id: str
    return_url: str


class StandIn:
    """All accounts of one sandbox."""

    def __init__(self, config: Config, *, origins: Mapping[str, str], journal: Journal, sender: Sender) -> None:
        """Set the accounts up; `origins` gives each one's base address by its subdomain."""
        self.accounts = {a.subdomain: Account(a, origins[a.subdomain], salesbot_flow(a)) for a in config.accounts}
        self.journal = journal
        self.room = WaitingRoom()
        self.dispatch = Dispatch(room=self.room, journal=journal, sender=sender, touch=self._touch)
        self.accepted: list[Accepted] = []
        self._watchers: set[Callable[[Chat], None]] = set()

    def open_chat(self, account: Account, *, customer: str = "", name: str = "", channel: str = "") -> Chat:
        """Give the customer's chat; make it, and start the Salesbot in it, when it is new."""
        customer = customer or customer_id_from(name, account.chats)
        chat = account.chats.get(customer)
        if chat is None:
            channel = channel or account.config.channel
            chat = Chat(account=account.config.subdomain, customer=customer, name=name or customer, channel=channel)
            account.chats[customer] = chat
            self._start_run(account, chat, greet=True)
        return chat

    def say(
        self,
        account: Account,
        chat: Chat,
        *,
        text: str,
        attachment: str = "",
        copies: int = 1,
        when_busy: WhenBusy | None = None,
    ) -> Receipt:
        """Let the customer write. The widget_request goes out in the background.

        Args:
            account: whose customer it is.
            chat: the customer's chat.
            text: may be empty, as with an attachment alone (protocol §1.2).
            attachment: a file name, shown in the bubble.
            copies: how many times the resulting widget_request is sent at once.
            when_busy: `hold` keeps the message until the Salesbot listens; `restart` starts the Salesbot anew, which
                ends the waiting one (protocol §1.6); `parallel` starts one more beside it. The account's way if None.

        Raises:
            NoHookUrl: the account does not know where to send it.
        """
        if not account.config.hook_url and account.config.widget_flow is None:
            raise NoHookUrl("the account has no hook_url: name the bridge's widget-request address in the config")
        bubble = Bubble(author="customer", text=text, attachment=attachment)
        chat.bubbles.append(bubble)
        self.journal.note("message", account=chat.account, customer=chat.customer, text=text, message_id=bubble.id)
        run = self._run_for(account, chat, when_busy or account.config.when_busy)
        said = Said(text, bubble, copies)
        if run is None:
            chat.held.append(said)
        else:
            self._take_message(account, chat, run, said)
        self._touch(chat)
        return _receipt(account, chat, bubble, run.waiting_key if run else None)

    def stop_bots(self, account: Account, chat: Chat) -> None:
        """Stop every Salesbot of the chat, as a person or the API would, and start one that listens.

        Source: protocol §1.6 (a continue for a stopped bot finds nothing).
        """
        for run in tuple(chat.runs):
            self._stop(chat, run, "The Salesbot was stopped")
        self.journal.note("bots_stopped", account=chat.account, customer=chat.customer)
        self._start_run(account, chat, greet=False)
        self._serve_held(account, chat)
        self._touch(chat)

    def configure(self, account: Account, changes: object) -> None:
        """Change an account's settings; Salesbots that listen are replaced by new ones.

        Raises:
            ConfigError: a setting is unknown, wrong, or fixed while the sandbox runs.
        """
        changed = change_account(account.config, changes)
        check_distinct([changed, *(other.config for other in self.accounts.values() if other is not account)])
        account.config = changed
        account.flow = salesbot_flow(account.config)
        for chat in account.chats.values():
            for run in [run for run in chat.runs if run.listens]:
                chat.runs.remove(run)
                self._start_run(account, chat, greet=False)

    def accept(self, key: ContinueKey, body: Mapping[str, Any], handlers: tuple[Handler, ...]) -> None:
        """Resume the Salesbot that waits for this continue; from now on the id is used up.

        Raises:
            KeyError: no Salesbot waits for it.

        Source: protocol §1.6.
        """
        waiting = self.room.take(key)
        chat, turn = waiting.chat, waiting.turn
        who = {"account": chat.account, "customer": chat.customer}
        entry = self.journal.note("continue_accepted", **who, key=key, body=body)
        self.accepted.append(Accepted(**who, key=key, body=body, wall=entry["wall"], monotonic=entry["monotonic"]))
        turn.continued = {"body": body, "after_ms": turn.ms()}
        turn.tell("The bridge's continue was accepted with 202", tone="good")
        account = self.accounts[chat.account]
        effects = waiting.run.machine.take_continue(body.get("data") or {}, handlers)
        self._apply(account, chat, waiting.run, effects)
        self._serve_held(account, chat)
        self._touch(chat)

    def tell_trouble(self, key: ContinueKey, *, status: int | None, detail: str, body: str) -> None:
        """Show in the chat that a continue got no plain 202; `status` is None when its connection was cut."""
        waiting = self.room.find(key)
        if waiting is None:
            return
        waiting.turn.refused.append({"status": status, "detail": detail, "body": body})
        answered = f"A continue was answered with {status}" if status else "The connection of a continue was cut"
        waiting.turn.tell(answered, tone="bad", detail=detail)
        self._touch(waiting.chat)

    def watch(self, call: Callable[[Chat], None]) -> Callable[[], None]:
        """Call back on every change of a chat; returns what ends it."""
        self._watchers.add(call)
        return lambda: self._watchers.discard(call)

    def _start_run(self, account: Account, chat: Chat, *, greet: bool) -> Run:
        run = Run(Machine(account.flow, Values(chat.placeholders())))
        chat.runs.append(run)
        effects = run.machine.start()
        if greet:
            self._apply(account, chat, run, effects)
        return run

    def _run_for(self, account: Account, chat: Chat, when_busy: WhenBusy) -> Run | None:
        """Find the run that takes a message now; None when the message has to wait."""
        for run in chat.runs:
            if run.listens:
                return run
        if chat.runs and when_busy == "hold":
            return None
        if when_busy == "restart":
            for run in tuple(chat.runs):
                self._stop(chat, run, "Another Salesbot started on the same lead and ended this one")
        return self._start_run(account, chat, greet=not chat.turns)

    def _take_message(self, account: Account, chat: Chat, run: Run, said: Said) -> None:
        run.turn = chat.new_turn()
        said.bubble.turn = run.turn.number
        run.turn.tell("The customer's message reached the Salesbot", detail=short(said.text))
        self._apply(account, chat, run, run.machine.take_message(said.text), copies=said.copies)

    def _serve_held(self, account: Account, chat: Chat) -> None:
        """Give held messages to the Salesbot, one each time that it listens again."""
        while chat.held:
            run = self._run_for(account, chat, "hold")
            if run is None:
                return
            self._take_message(account, chat, run, chat.held.popleft())

    def _apply(self, account: Account, chat: Chat, run: Run, effects: list[Effect], *, copies: int = 1) -> None:
        for effect in effects:
            if isinstance(effect, Requested):
                self.dispatch.request(account, chat, run, effect, copies=copies)
                return
            if isinstance(effect, Shown):
                self._show(chat, run, effect)
            self._tell(chat, run, effect)
        if run.turn:
            finish(run.turn, "done")
        if any(other.listens for other in chat.runs if other is not run) and run in chat.runs:
            chat.runs.remove(run)  # two that listen would answer one message twice (protocol §1.6: one active bot)

    def _tell(self, chat: Chat, run: Run, effect: Effect) -> None:
        if isinstance(effect, Ended) and run in chat.runs:
            chat.runs.remove(run)
        if run.turn is None or isinstance(effect, Requested):
            return
        if isinstance(effect, Left):
            run.turn.outcome = effect.code
        tell_effect(run.turn, effect)

    def _show(self, chat: Chat, run: Run, shown: Shown) -> None:
        number = run.turn.number if run.turn else None
        bubble = Bubble(author="bot", text=shown.text, buttons=shown.buttons, leaked=shown.leaked, turn=number)
        chat.bubbles.append(bubble)
        if run.turn:
            run.turn.shown.append(shown.text)
        who = {"account": chat.account, "customer": chat.customer}
        self.journal.note("shown", **who, text=shown.text, leaked=shown.leaked)

    def _stop(self, chat: Chat, run: Run, reason: str) -> None:
        self.room.give_up(run)
        chat.runs.remove(run)
        if run.turn and run.turn.took_ms is None:
            run.turn.tell(reason, tone="bad", detail="A continue for it now finds nothing (404).")
            finish(run.turn, "stopped")

    def _touch(self, chat: Chat) -> None:
        chat.version += 1
        for call in tuple(self._watchers):
            call(chat)


def _receipt(account: Account, chat: Chat, bubble: Bubble, key: ContinueKey | None) -> Receipt:
    return Receipt(
        customer=chat.customer,
        message_id=bubble.id,
        lead_id=chat.lead_id,
        continue_id=key[2] if key else "",
        return_url=return_url_of(account, key) if key else "",
    )
