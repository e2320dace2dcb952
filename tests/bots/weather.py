"""Kommo as the protocol has it, in whatever weather: what it accepts, what it hears of, and what it answers."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from bots.deliveries import Result
from bots.kommo import KommoAnswer, NoAnswer, NotConnected

# what happens to the first calls for one continue id
WEATHER = st.lists(
    st.sampled_from(
        [
            "fine", "stopped", "400", "401", "429", "not connected", "502 before", "502 after", "silence before",
            "silence after",
        ]
    ),
    max_size=3,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One call as Kommo saw it: what it carried, and whether an earlier one may have arrived by then."""

    body: Any
    is_probe: bool


@dataclass
class Kommo:
    """Kommo as the protocol has it: each continue id is good once, and then nobody waits any more."""

    accepted: Counter[str] = field(default_factory=Counter)
    gone: set[str] = field(default_factory=set)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    may_have_arrived: set[str] = field(default_factory=set)
    weather: dict[str, list[str]] = field(default_factory=dict)

    def take(self, continue_id: str, body: Any) -> Result:
        """Take a call, and answer in the weather that is next for this id; after that it is fine."""
        coming = self.weather.get(continue_id, [])
        weather = coming.pop(0) if coming else "fine"
        if weather == "not connected":
            return NotConnected("refused", "No connection.")
        self.calls.setdefault(continue_id, []).append(Call(body, continue_id in self.may_have_arrived))
        if weather.isdigit():
            return KommoAnswer(status=int(weather), codes=("TooLong",) if weather == "400" else ())
        if weather == "stopped":
            self.gone.add(continue_id)
        is_waiting = continue_id not in self.gone
        if weather.endswith("before"):
            self.may_have_arrived.add(continue_id)
            return _lost(weather)
        if is_waiting:
            self.accepted[continue_id] += 1
            self.gone.add(continue_id)
            self.may_have_arrived.add(continue_id)
        if weather.endswith("after"):
            self.may_have_arrived.add(continue_id)
            return _lost(weather)
        return KommoAnswer(status=202 if is_waiting else 404)


def _lost(weather: str) -> Result:
    return KommoAnswer(status=502) if weather.startswith("502") else NoAnswer("No answer.")
