"""A bridge that does nothing but wait and continue: the other side of the sandbox's benchmark, a program of its own.

`python -m tests.benchmarks.echo_bridge PORT DELAY COUNT` prints the seconds that each continue took, as a JSON list,
when COUNT of them have been accepted.
"""

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs

from aiohttp import ClientSession, TCPConnector, web

TOKEN = "benchmark-access-token"
BODY = {"data": {"status": "success", "message": "x" * 800, "show": "1"}}


class EchoBridge:
    """Takes widget_requests and continues each after the delay."""

    def __init__(self, delay_s: float, count: int) -> None:
        """Prepare for `count` requests."""
        self.delay_s, self.count = delay_s, count
        self.took_s: list[float] = []
        self.done = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Acknowledge at once."""
        return_url = parse_qs((await request.read()).decode())["return_url"][0]
        task = asyncio.create_task(self._go_on(request.app[SESSION], return_url))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return web.json_response({})

    async def _go_on(self, session: ClientSession, return_url: str) -> None:
        await asyncio.sleep(self.delay_s)
        started = time.monotonic()
        async with session.post(return_url, json=BODY, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            await answer.read()
        if answer.status == 202:
            self.took_s.append(time.monotonic() - started)
        if len(self.took_s) == self.count:
            self.done.set()


SESSION = web.AppKey("session", ClientSession)


async def main(port: int, delay_s: float, count: int) -> None:
    """Serve until every request was continued."""
    bridge = EchoBridge(delay_s, count)
    app = web.Application()
    app.router.add_post("/hook", bridge.take)
    async with ClientSession(connector=TCPConnector(limit=0)) as app[SESSION]:
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("up", flush=True)  # noqa: T201
        await bridge.done.wait()
        print(json.dumps(bridge.took_s), flush=True)  # noqa: T201
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
