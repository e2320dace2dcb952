"""A worker that stands still around its call to Kommo: the exchange may be another's when it wakes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from bots import deliveries, engine
from bots.models import Exchange
from bots.models.exchanges import LEASE
from tests.bots.continues import NOON, answered_exchange
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

    with ThreadPoolExecutor(1) as threads:
        pump = engine.Pump(threads, threads, place=engine.Place())
        sent = asyncio.run(pump._send_in_place(parcel, long_gone, exchange))
        threads.submit(connections.close_all).result()  # that thread's own

    assert (sent is not None) is goes_out
