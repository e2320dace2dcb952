"""Ids that look like Kommo's and are not used twice, not by a later run either.

A bridge keeps what it learnt: an id that came back for another lead would mix two customers in its database. So every
series starts at the clock. Continue ids, which are good once for ever, count milliseconds; the others count tenths of a
second since 2026, which gives them the nine digits that people know, and stay ahead of the clock only while more than
ten a second are made.
"""

import itertools
import time
import uuid
from typing import Final

EPOCH_2026: Final = 1_767_225_600
TENTHS: Final = 10

_continues: Final = itertools.count(int(time.time() * 1000))
_entities: Final = itertools.count(int((time.time() - EPOCH_2026) * TENTHS))
_talks: Final = itertools.count(int((time.time() - EPOCH_2026) / 60))


def next_continue_id() -> int:
    """Give an id that no other continue of this or an earlier run has; milliseconds of the clock when it started."""
    return next(_continues)


def next_id() -> int:
    """Give an id for a lead, contact, note, task, message or whatever else is counted."""
    return next(_entities)


def next_talk_id() -> int:
    """Give an id for a talk; these are shorter."""
    return next(_talks)


def new_uuid() -> str:
    """Give an id for a chat or a message in it."""
    return str(uuid.uuid4())
