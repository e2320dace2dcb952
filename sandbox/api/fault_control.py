"""The part of the control API that breaks things: faults that are queued, and a schedule that draws them by a seed.

Each answer gives the whole state: `{"faults", "schedule", "acted", "kinds"}`.
"""

from typing import Any

from aiohttp import web

from sandbox.api.asked import NotHere, find_account, read_body
from sandbox.api.desk import DESK, Desk
from sandbox.api.fault_kinds import Fault, WrongFault, check_field, read_fault
from sandbox.api.fault_schedule import read_schedule

JSON = dict[str, Any]


async def list_faults(request: web.Request) -> web.Response:
    """Give what is queued and drawn, what has acted, and every kind that there is."""
    return _state(request.app[DESK])


async def add_fault(request: web.Request) -> web.Response:
    """Queue a fault: `{"kind", "account", "customer", "count", …}`."""
    desk, fault = request.app[DESK], read_fault(await read_body(request))
    if fault.account:
        find_account(desk, fault.account)
    desk.faults.add(fault)
    desk.standin.journal.note("fault_queued", account=fault.account, customer=fault.customer, fault=fault.told())
    return _state(desk)


async def change_fault(request: web.Request) -> web.Response:
    """Switch a queued fault, or let it act more or less often: `{"on", "count"}`."""
    desk, asked = request.app[DESK], await read_body(request)
    fault = _find(request)
    for key, value in asked.items():
        if key not in {"on", "count"}:
            raise WrongFault(f"{key}: cannot be changed; on and count can")
        check_field(fault.kind, key, value)
    fault.on, fault.count = asked.get("on", fault.on), asked.get("count", fault.count)
    desk.standin.journal.note("fault_changed", account=fault.account, customer=fault.customer, fault=fault.told())
    return _state(desk)


async def remove_fault(request: web.Request) -> web.Response:
    """Drop one queued fault."""
    desk, fault = request.app[DESK], _find(request)
    desk.faults.remove(fault)
    desk.standin.journal.note("fault_removed", account=fault.account, customer=fault.customer, fault=fault.told())
    return _state(desk)


async def clear_faults(request: web.Request) -> web.Response:
    """Drop the queued faults and the schedule."""
    request.app[DESK].faults.clear()
    request.app[DESK].standin.journal.note("faults_cleared")
    return _state(request.app[DESK])


async def plan_faults(request: web.Request) -> web.Response:
    """Draw faults by a seed: `{"seed": "…", "shares": {kind: share, …}, "account", "customer"}`."""
    desk, schedule = request.app[DESK], read_schedule(await read_body(request))
    if schedule.account:
        find_account(desk, schedule.account)
    desk.faults.plan(schedule)
    desk.standin.journal.note("fault_schedule", schedule=schedule.told())
    return _state(desk)


async def end_plan(request: web.Request) -> web.Response:
    """Draw no more; what is queued stays."""
    request.app[DESK].faults.plan(None)
    request.app[DESK].standin.journal.note("fault_schedule", schedule=None)
    return _state(request.app[DESK])


def _find(request: web.Request) -> Fault:
    fault = request.app[DESK].faults.find(int(request.match_info["id"]))
    if fault is None:
        raise NotHere("fault: there is none of that id; it has acted or was dropped")
    return fault


def _state(desk: Desk) -> web.Response:
    return web.json_response(desk.faults.told())
