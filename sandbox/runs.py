"""Runs of Salesbots in chats: starting them, feeding them, ending them, and showing what they did.

One lead has one active Salesbot: a second one ends the first as soon as it comes to a waiting step. Only a run that was
started `beside` breaks that rule, on purpose. Belongs to one event loop. Source: protocol §1.6, §3, §5.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sandbox.accounts import Account, Salesbot, WaitingRoom
from sandbox.channels import delivered
from sandbox.chats import Bubble, Chat, Run, Said, Turn
from sandbox.clock import Clock
from sandbox.crm.acting import carry_out
from sandbox.crm.facts import Facts
from sandbox.dispatch import Dispatch
from sandbox.journal import Journal
from sandbox.salesbot.effects import Acted, Effect, Ended, Left, Requested, Shown
from sandbox.salesbot.handlers import Act, Handler, Jump
from sandbox.salesbot.interpreter import START, Machine
from sandbox.salesbot.placeholders import Values
from sandbox.telling import finish, short, tell_effect

LISTENING: Final = Jump("question", 1)  # of the usual Salesbot: behind its greeting
DISPLACED: Final = "Another Salesbot came to a pause on the same lead and ended this one"
STARTS_MAX: Final = 20  # Salesbots that start each other without a pause


class InChat:
    """What a Salesbot's messages and actions meet: the chat's channel and the account's CRM."""

    def __init__(self, account: Account, chat: Chat) -> None:
        """Act on these."""
        self._account, self._chat = account, chat

    def deliver(self, shown: Shown) -> Shown:
        """Give the message as the channel takes it."""
        return delivered(shown, channel=self._chat.channel, silent_s=self._chat.silent_s)

    def act(self, action: Act) -> Acted:
        """Change the CRM."""
        crm = self._account.crm
        return carry_out(action, crm, crm.leads[self._chat.lead_id])


class Runs:
    """The Salesbots at work in all accounts."""

    def __init__(
        self,
        *,
        accounts: Mapping[str, Account],
        room: WaitingRoom,
        dispatch: Dispatch,
        journal: Journal,
        clock: Clock,
        touch: Callable[[Chat], None],
    ) -> None:
        """Use these; `touch` is called when a chat changes by itself."""
        self._accounts = accounts
        self._room = room
        self._dispatch = dispatch
        self._journal = journal
        self._clock = clock
        self._touch = touch
        dispatch.on_lost = self._lose

    def start(self, chat: Chat, bot: Salesbot, *, at: Jump = START, turn: Turn | None = None) -> Run:
        """Start a Salesbot in a chat and let it run until it waits or ends; what it does is told in `turn`."""
        run = self._new(chat, bot, turn=turn)
        self._apply(chat, run, run.machine.start(at))
        return run

    def listen(self, chat: Chat) -> None:
        """Start the usual Salesbot behind its greeting; one of one's own waits until a customer writes."""
        account = self._accounts[chat.account]
        if account.greets_first and not chat.runs:
            self.start(chat, account.main_bot, at=LISTENING)

    def take_message(self, chat: Chat, said: Said, *, run: Run | None = None, is_beside: bool = False) -> Run:
        """Give a customer's message to the run that listens, or to the account's Salesbot, started for it."""
        account = self._accounts[chat.account]
        if run is None:
            run = self._new(chat, account.main_bot)
            run.is_beside = is_beside
            if account.greets_first:
                self._apply(chat, run, run.machine.start(LISTENING if chat.turns else START))
        run.turn = chat.new_turn()
        said.bubble.turn = run.turn.number
        run.turn.tell("The customer's message reached the Salesbot", detail=short(said.text))
        run.quiet()
        if run.listens:
            effects = run.machine.take_message(said.text)
        else:
            run.machine.values.message_text = said.text
            effects = run.machine.start()
        self._apply(chat, run, effects, copies=said.copies)
        return run

    def take_continue(self, chat: Chat, run: Run, data: Mapping[str, object], handlers: tuple[Handler, ...]) -> None:
        """Let a run go on with what a continue brought."""
        run.quiet()
        self._apply(chat, run, run.machine.take_continue(data, handlers))
        self.serve_held(chat)

    def serve_held(self, chat: Chat) -> None:
        """Give held messages to the Salesbot, one each time that it listens again."""
        while chat.held:
            run = next((run for run in chat.runs if run.listens), None)
            if run is None and chat.runs:
                return
            self.take_message(chat, chat.held.popleft(), run=run)

    def stop(self, chat: Chat, run: Run, reason: str) -> None:
        """End a run from outside: a continue for it finds nothing from now on. Source: protocol §1.6."""
        self._room.give_up(run)
        run.quiet()
        chat.runs.remove(run)
        if run.turn and run.turn.took_ms is None:
            run.turn.tell(reason, tone="bad", detail="A continue for it now finds nothing (404).")
            finish(run.turn, "stopped")

    def _new(self, chat: Chat, bot: Salesbot, *, turn: Turn | None = None) -> Run:
        account = self._accounts[chat.account]
        values = Values(Facts(account.crm, account.crm.leads[chat.lead_id], chat.channel))
        run = Run(Machine(bot.flow, values, InChat(account, chat)), bot.id, turn)
        chat.runs.append(run)
        return run

    def _apply(self, chat: Chat, run: Run, effects: list[Effect], *, copies: int = 1) -> None:
        """Show what a run did; then it waits, or its turn is over."""
        ended: Ended | None = None
        for effect in effects:
            if isinstance(effect, Requested):
                self._displace(chat, run)
                self._dispatch.request(self._accounts[chat.account], chat, run, effect, copies=copies)
                self._plan_end(chat, run)
                return
            self._tell(chat, run, effect)
            ended = effect if isinstance(effect, Ended) else ended
        if ended is None:
            self._displace(chat, run)
            self._plan_timer(chat, run)
        if run.turn:
            finish(run.turn, "done")
        if ended:
            self._end(chat, run, ended)

    def _tell(self, chat: Chat, run: Run, effect: Effect) -> None:
        if isinstance(effect, Shown):
            self._show(chat, run, effect)
        if run.turn is None:
            return
        if isinstance(effect, Left):
            run.turn.outcome = effect.code
        tell_effect(run.turn, effect)

    def _show(self, chat: Chat, run: Run, shown: Shown) -> None:
        bubble = Bubble(
            author="bot",
            text=shown.text,
            attachments=shown.attachments,
            buttons=shown.buttons,
            leaked=shown.leaked,
            failed=shown.failed,
            turn=run.turn.number if run.turn else None,
            at=self._clock.now(),
        )
        chat.bubbles.append(bubble)
        if run.turn:
            (run.turn.failed if shown.failed else run.turn.shown).append(shown.failed or shown.text)
        crm = self._accounts[chat.account].crm
        crm.keep_message(chat.talk, shown.text, author="bot", failed=bool(shown.failed))
        who = {"account": chat.account, "customer": chat.customer}
        kind = "not_delivered" if shown.failed else "shown"
        facts = {"text": shown.text, "leaked": shown.leaked, "buttons": [button.text for button in shown.buttons]}
        self._journal.note(kind, **who, **facts, reason=shown.failed)

    def _end(self, chat: Chat, run: Run, ended: Ended) -> None:
        """Take an ended run off, and do what its `stop` asked for besides."""
        if run in chat.runs:
            chat.runs.remove(run)
        if ended.then == "talk-close":
            chat.talk.is_in_work = False
        if ended.then != "salesbot-start":
            return
        bot = self._accounts[chat.account].bots.get(ended.bot)
        turn = run.turn or chat.new_turn()
        if bot is None or run.started_by >= STARTS_MAX:
            turn.tell(f"Salesbot {ended.bot} could not be started", tone="bad", detail="The account has none such.")
            return
        turn.tell(f"Started the Salesbot “{bot.name}”")
        following = self._new(chat, bot, turn=turn)
        following.started_by = run.started_by + 1
        following.machine.values = replace(run.machine.values, json={}, last_validation="")
        self._apply(chat, following, following.machine.start())

    def _displace(self, chat: Chat, run: Run) -> None:
        """End the other runs, now that this one waits; of two beside each other only one listens."""
        for other in tuple(chat.runs):
            if other is run:
                continue
            if not (run.is_beside or other.is_beside):
                self.stop(chat, other, DISPLACED)
            elif run.listens and other.listens:
                chat.runs.remove(run)  # two that listen would answer one message twice
                return

    def _plan_timer(self, chat: Chat, run: Run) -> None:
        seconds = run.machine.timer_seconds
        if seconds is not None and run in chat.runs:
            run.alarm = self._clock.call_later(seconds, lambda: self._ring(chat, run))

    def _ring(self, chat: Chat, run: Run) -> None:
        """A pause's time is over."""
        run.alarm = None
        run.turn = chat.new_turn()
        run.turn.tell("The pause's time is over", tone="wait")
        self._journal.note("timer", account=chat.account, customer=chat.customer, told="The pause's time is over")
        self._apply(chat, run, run.machine.take_timeout())
        self.serve_held(chat)
        self._touch(chat)

    def _plan_end(self, chat: Chat, run: Run) -> None:
        seconds = self._accounts[chat.account].config.gives_up_s
        if seconds:
            run.alarm = self._clock.call_later(seconds, lambda: self._give_up(chat, run, seconds))

    def _give_up(self, chat: Chat, run: Run, seconds: int) -> None:
        self.stop(chat, run, f"The Salesbot waited {seconds} s for a continue and gave up")
        self.listen(chat)
        self.serve_held(chat)
        self._touch(chat)

    def _lose(self, key: tuple[str, str, str]) -> None:
        """A widget_request was not acknowledged: where the account says so, its Salesbot falls through."""
        waiting = self._room.find(key)
        if waiting is None or self._accounts[waiting.chat.account].config.on_bad_ack != "fall_through":
            return
        self._room.take(key)
        waiting.turn.tell("The Salesbot went on without an answer", tone="bad", detail="A continue now finds nothing.")
        self.take_continue(waiting.chat, waiting.run, {}, ())
