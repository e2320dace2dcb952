"""A worker that stands still around its call to Kommo: the exchange may be another's when it wakes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bots import deliveries
from bots.models import Exchange
from bots.models.exchanges import LEASE
from bots.turns import Turns
from bots.working import Worker
from tests.bots.continues import NOON, answered_exchange
from tests.bots.one_thread import one_thread
from tests.cast import an_account

SECOND = timedelta(seconds=1)


@pytest.mark.django_db
def test_a_call_that_goes_out_holds_its_exchange_for_longer_than_it_takes():
    exchange = answered_exchange(lease_until=NOON)
    assert deliveries.begin(exchange, now=NOON)
    assert timedelta(seconds=deliveries.TOTAL_TIMEOUT_S) < LEASE
    assert not Exchange.objects.claim(limit=1, owner="two", now=NOON + LEASE - SECOND)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("claim", "goes_out"), [(1, True), (2, False)], ids=["nobody took over", "another worker took over"]
)
def test_a_worker_that_stood_still_before_its_call_makes_it_only_if_the_exchange_is_still_its_own(
    *, claim: int, goes_out: bool
):
    exchange = answered_exchange(account=an_account(origin="http://127.0.0.1:1"))
    parcel = deliveries.begin(exchange, now=NOON)
    assert parcel
    Exchange.objects.update(claim=claim)
    long_gone = datetime.now(UTC) - timedelta(seconds=20)

    with one_thread() as threads:
        sent = asyncio.run(sending(Worker(threads, Turns(threads)), parcel, long_gone, exchange))

    assert (sent is not None) is goes_out


async def sending(worker: Worker, parcel: deliveries.Parcel, place: datetime, exchange: Exchange) -> object:
    return await worker._send_in_place(exchange, parcel, place)
