"""The stand-in Kommo itself: customers write, Salesbots run, continues resume them.

One event loop owns it, so a step that does not await cannot be interrupted: that is what makes a continue id
single-use here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.accounts import Accepted, Account, Salesbot, WaitingRoom, return_url_of
from sandbox.chats import Bubble, Chat, ContinueKey, Said, customer_id_from
from sandbox.clock import Clock
from sandbox.config import AccountConfig, Config, ConfigError, WhenBusy, change_account, check_distinct
from sandbox.crm.crm import Crm
from sandbox.crm.seeds import seeds_of
from sandbox.designer.salesbots import Running
from sandbox.dispatch import Dispatch
from sandbox.journal import Journal
from sandbox.runs import Runs
from sandbox.salesbot.flows import FlowError, parse_flow
from sandbox.salesbot.handlers import Handler
from sandbox.widget import installed_widget, main_flow
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
        """Set the accounts up; `origins` gives each one's base address by its subdomain.

        Raises:
            ConfigError: a Salesbot of an account cannot be run.
        """
        self.clock = Clock()
        self.bridge_admin_url = config.bridge_admin_url
        self.accounts = {a.subdomain: self._account(a, origins[a.subdomain]) for a in config.accounts}
        self.journal = journal
        self.room = WaitingRoom()
        self.dispatch = Dispatch(room=self.room, journal=journal, sender=sender, touch=self._touch)
        self.runs = Runs(
            accounts=self.accounts,
            room=self.room,
            dispatch=self.dispatch,
            journal=journal,
            clock=self.clock,
            touch=self._touch,
        )
        self.accepted: list[Accepted] = []
        self._watchers: set[Callable[[Chat], None]] = set()

    def open_chat(self, account: Account, *, customer: str = "", name: str = "", channel: str = "") -> Chat:
        """Give the customer's chat; make it, and start the usual Salesbot in it, when it is new."""
        customer = customer or customer_id_from(name, account.chats)
        chat = account.chats.get(customer)
        if chat is None:
            name, channel = name or customer, channel or account.config.channel
            talk = account.crm.receive_customer(name, origin=channel, is_unsorted=account.config.unsorted)
            chat = Chat(
                account=account.config.subdomain,
                customer=customer,
                name=name,
                channel=channel,
                talk=talk,
                clock=self.clock,
            )
            account.chats[customer] = chat
            if account.greets_first:
                self.runs.start(chat, account.main_bot)
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
                ends the waiting one (protocol §1.6); `parallel` starts one more beside it, which no real Kommo does.
                The account's way if None.

        Raises:
            NoHookUrl: the account does not know where to send it.
        """
        if not account.config.hook_url and account.config.widget_flow is None and account.runs_usual_flow:
            raise NoHookUrl("the account has no hook_url: name the bridge's widget-request address in the config")
        bubble = Bubble(author="customer", text=text, attachment=attachment, at=self.clock.now())
        chat.bubbles.append(bubble)
        chat.heard_at, chat.talk.is_in_work = self.clock.now(), True
        account.crm.keep_message(chat.talk, text, author="client", attachment=attachment)
        who = {"account": chat.account, "customer": chat.customer}
        self.journal.note("message", **who, text=text, attachment=attachment, message_id=bubble.id)
        key = self._hear(chat, Said(text, bubble, copies), when_busy or account.config.when_busy)
        self._touch(chat)
        return _receipt(account, chat, bubble, key)

    def speak(self, account: Account, chat: Chat, text: str) -> str:
        """Let a person of the team write to the customer; gives the message's id in the talk."""
        chat.bubbles.append(Bubble(author="person", text=text, at=self.clock.now()))
        message = account.crm.keep_message(chat.talk, text, author="user")
        self.journal.note("person_message", account=chat.account, customer=chat.customer, text=text)
        self._touch(chat)
        return message.id

    def run_bot(self, account: Account, chat: Chat, bot_id: int) -> None:
        """Start a Salesbot as the API does; nobody has written, so its message is empty.

        Raises:
            KeyError: the account has no such Salesbot.

        Source: protocol §5.
        """
        bot = account.bots[bot_id]
        turn = chat.new_turn()
        turn.tell(f"The API started the Salesbot “{bot.name}”")
        self.journal.note("bot_run", account=chat.account, customer=chat.customer, bot_id=bot_id)
        self.runs.start(chat, bot, turn=turn)
        self.runs.serve_held(chat)
        self._touch(chat)

    def stop_bot(self, account: Account, chat: Chat, bot_id: int) -> None:
        """Stop one Salesbot of the chat as the API does; what was held for it stays unanswered.

        Source: protocol §5, §1.6.
        """
        for run in [run for run in chat.runs if run.bot_id == bot_id]:
            self.runs.stop(chat, run, "The API stopped the Salesbot")
        if not chat.runs:
            chat.held.clear()
        self.journal.note("bot_stop", account=chat.account, customer=chat.customer, bot_id=bot_id)
        self._touch(chat)

    def stop_bots(self, account: Account, chat: Chat) -> None:
        """Stop every Salesbot of the chat, as a person or the API would, and start one that listens.

        Source: protocol §1.6 (a continue for a stopped bot finds nothing).
        """
        for run in tuple(chat.runs):
            self.runs.stop(chat, run, "The Salesbot was stopped")
        self.journal.note("bots_stopped", account=chat.account, customer=chat.customer)
        self.runs.listen(chat)
        self.runs.serve_held(chat)
        self._touch(chat)

    def configure(self, account: Account, changes: object) -> None:
        """Change an account's settings; when its flows change, Salesbots that listen are replaced by new ones.

        Raises:
            ConfigError: a setting is unknown, wrong, or fixed while the sandbox runs.
        """
        changed = change_account(account.config, changes)
        check_distinct([changed, *(other.config for other in self.accounts.values() if other is not account)])
        if changed.salesbot_flow != account.config.salesbot_flow or changed.widget_flow != account.config.widget_flow:
            account.shelf.discard()
        bots = _bots(changed, account.shelf.running)
        account.config = changed
        self._replace_bots(account, bots)

    def run_designed(self, account: Account) -> None:
        """Run what the designer holds now, or the config's Salesbot when it holds none; for new runs."""
        self._replace_bots(account, _bots(account.config, account.shelf.running))

    def _replace_bots(self, account: Account, bots: dict[int, Salesbot]) -> None:
        is_same = bots == account.bots
        account.bots = bots
        for chat in () if is_same else account.chats.values():
            for run in [run for run in chat.runs if run.listens]:
                run.quiet()
                chat.runs.remove(run)
            self.runs.listen(chat)
            self._touch(chat)

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
        self.runs.take_continue(chat, waiting.run, body.get("data") or {}, handlers)
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

    def close(self) -> None:
        """Forget the timers."""
        self.clock.close()

    def _account(self, config: AccountConfig, origin: str) -> Account:
        crm = Crm(seeds_of(config.kommo_id, config.subdomain), self.clock.now)
        return Account(config, origin, _bots(config, None), crm)

    def _hear(self, chat: Chat, said: Said, when_busy: WhenBusy) -> ContinueKey | None:
        """Give a message to the run that takes it now, or hold it; gives the continue that is waited for then."""
        run = next((run for run in chat.runs if run.listens), None)
        if run is None and chat.runs and when_busy == "hold":
            chat.held.append(said)
            return None
        return self.runs.take_message(chat, said, run=run, is_beside=when_busy == "parallel").waiting_key

    def _touch(self, chat: Chat) -> None:
        chat.version += 1
        for call in tuple(self._watchers):
            call(chat)


def _bots(config: AccountConfig, designed: Running | None) -> dict[int, Salesbot]:
    """Read the account's Salesbots; one that was made in the designer runs in place of the config's.

    Raises:
        ConfigError: one of them cannot be run.
    """
    try:
        widget = installed_widget(config)
        main = Salesbot(config.salesbot_id, "LLM bot", designed.flow if designed else main_flow(config))
        further = [
            Salesbot(bot["id"], bot["name"], parse_flow(bot["flow"], place=f"salesbots.{bot['id']}", widget=widget))
            for bot in config.salesbots
        ]
    except FlowError as error:
        raise ConfigError(*error.args) from error
    return {bot.id: bot for bot in (main, *further)}


def _receipt(account: Account, chat: Chat, bubble: Bubble, key: ContinueKey | None) -> Receipt:
    return Receipt(
        customer=chat.customer,
        message_id=bubble.id,
        lead_id=chat.lead_id,
        continue_id=key[2] if key else "",
        return_url=return_url_of(account, key) if key else "",
    )
