"""All addresses of the sandbox in one place."""

from typing import Final

from aiohttp import web

from sandbox.api import continues, control, fault_control, journal_page, pages
from sandbox.api.desk import DESK, Desk
from sandbox.api.guard import add_headers, guard
from sandbox.designer.routes import designer_routes
from sandbox.rest.routes import rest_routes

CONTROL_MAX_BYTES: Final = 1024 * 1024


def make_app(desk: Desk) -> web.Application:
    """Put the application together."""
    app = web.Application(middlewares=[guard], client_max_size=CONTROL_MAX_BYTES)
    app[DESK] = desk
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_long_answers)
    app.add_routes(
        [
            web.post(continues.PATH, continues.resume),
            web.get("/", pages.show_index),
            web.get("/chat/{account}/{customer}", pages.show_chat_page),
            web.get("/journal", journal_page.show_journal_page),
            web.static("/static", pages.FILES),
        ]
    )
    app.add_routes(_control_routes())
    app.add_routes(designer_routes())
    app.add_routes(rest_routes())
    return app


async def _end_long_answers(app: web.Application) -> None:
    app[DESK].end_long_answers()


def _control_routes() -> list[web.RouteDef]:
    base = "/sandbox/api"
    return [
        web.get(f"{base}/accounts", control.answering(control.list_accounts)),
        web.post(f"{base}/accounts/{{account}}", control.answering(control.change_account)),
        web.post(f"{base}/chats", control.answering(control.open_chat)),
        web.get(f"{base}/chats/{{account}}/{{customer}}", control.answering(control.show_chat)),
        web.get(f"{base}/chats/{{account}}/{{customer}}/events", control.answering(pages.stream_chat)),
        web.post(f"{base}/messages", control.answering(control.send_message)),
        web.post(f"{base}/duplicate", control.answering(control.duplicate)),
        web.post(f"{base}/stop", control.answering(control.stop_bots)),
        web.get(f"{base}/clock", control.answering(control.show_clock)),
        web.post(f"{base}/clock", control.answering(control.move_clock)),
        web.get(f"{base}/journal", control.answering(control.show_journal)),
        web.get(f"{base}/journal/events", control.answering(journal_page.stream_journal)),
        *_fault_routes(f"{base}/faults"),
    ]


def _fault_routes(base: str) -> list[web.RouteDef]:
    return [
        web.get(base, control.answering(fault_control.list_faults)),
        web.post(base, control.answering(fault_control.add_fault)),
        web.delete(base, control.answering(fault_control.clear_faults)),
        web.post(f"{base}/schedule", control.answering(fault_control.plan_faults)),
        web.delete(f"{base}/schedule", control.answering(fault_control.end_plan)),
        web.post(f"{base}/{{id:[0-9]{{1,12}}}}", control.answering(fault_control.change_fault)),
        web.delete(f"{base}/{{id:[0-9]{{1,12}}}}", control.answering(fault_control.remove_fault)),
    ]
