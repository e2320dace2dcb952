"""The bare baseline: the least that answers a Salesbot by litellm, and the speed that durability has to be compared to.

An aiohttp application that checks the token, acknowledges, and does the rest in a task in memory: no database, no
queue, no retry, no pace, no second process that would notice its death. `python -m tests.benchmarks.baseline` reads its
configuration as JSON from stdin and prints its port once it has answered a first question of its own.
"""

import asyncio
import gc
import json
import socket
import sys
from typing import Any

import jwt
from aiohttp import ClientSession, TCPConnector, web

from kommobridge.base.environment import prepare_for_litellm


class Baseline:
    """Takes widget_requests and continues each, from memory.

    Args:
        configuration: llm_url, client_id, client_secret, access_token, kommo_id, prompt.
    """

    def __init__(self, configuration: dict[str, Any]) -> None:
        """Load litellm, as the workers of the program do before they serve."""
        prepare_for_litellm()
        import litellm

        litellm.suppress_debug_info = True
        self.complete = litellm.acompletion
        self.given = configuration
        self.tasks: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Acknowledge at once."""
        asked = await request.json()
        claims = jwt.decode(
            asked["token"], self.given["client_secret"], algorithms=["HS256"], options={"verify_aud": False}
        )
        if claims["account_id"] != self.given["kommo_id"] or claims["client_uuid"] != self.given["client_id"]:
            return web.json_response({"error": "token"}, status=401)
        task = asyncio.create_task(self._go_on(request.app[SESSION], asked["data"]["message"], asked["return_url"]))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return web.json_response({})

    async def _go_on(self, session: ClientSession, text: str, return_url: str) -> None:
        answer = await self.ask(text)
        body = {"data": {"status": "success", "message": answer, "show": "1"}}
        headers = {"Authorization": f"Bearer {self.given['access_token']}"}
        async with session.post(return_url, json=body, headers=headers) as taken:
            await taken.read()

    async def ask(self, text: str) -> str:
        """Ask the model once."""
        messages = [{"role": "system", "content": self.given["prompt"]}, {"role": "user", "content": text}]
        reply = await self.complete(
            model="openai/gpt-4o-mini", messages=messages, api_key="sk-bench", api_base=self.given["llm_url"],
            timeout=30, max_retries=0,
        )  # fmt: skip
        return str(reply.choices[0].message.content)


SESSION = web.AppKey("session", ClientSession)


async def main(configuration: dict[str, Any]) -> None:
    """Serve until the end."""
    baseline = Baseline(configuration)
    await baseline.ask("warm")
    gc.freeze()
    app = web.Application()
    app.router.add_post("/hook", baseline.take)
    with socket.create_server(("127.0.0.1", configuration["port"]), backlog=1024, reuse_port=True) as listener:
        async with ClientSession(connector=TCPConnector(limit=0)) as app[SESSION]:
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.SockSite(runner, listener).start()
            print(listener.getsockname()[1], flush=True)  # noqa: T201
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
