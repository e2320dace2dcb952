"""A whole site for the widget: the bridge's processes, the stand-in Kommo, and a model that says what a test tells it.

Several accounts share it, so that each test has a Salesbot that no other test saves.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, expect

from sandbox.server import SandboxServer
from tests.rig import Rig
from tests.rig_rows import Row
from tests.stubs.llm import Asked, LlmStub

ANSWERED_MS = 30_000
FALLBACK = "A colleague will answer you soon."
LINKS = [
    {"text": "Prices", "url": "https://shop.example/prices?of=tea&in=eur"},
    {"text": "How to find us", "url": "https://shop.example/map"},
]
EXITS = {
    "success": "Answered",
    "handoff": "A person should take over",
    "silent": "Nothing to say",
    "fail": "No answer",
}
"""What each exit is called in the designer, in its order there."""

LEAVING = {code: f"The way out was {code}." for code in EXITS}
"""What the Salesbot says behind each exit."""

# A widget that isn't ours: it says nothing by itself, so what the customer reads has to come by handlers.
FOREIGN_FLOW: list[dict[str, Any]] = [
    {
        "question": [
            {
                "handler": "widget_request",
                "params": {"url": "", "data": {"message": "{{message_text}}", "origin": "{{origin}}"}},
            },
            {"handler": "goto", "params": {"type": "question", "step": 1}},
        ],
        "require": [],
    },
    {
        "question": [
            {
                "handler": "conditions",
                "params": {
                    "logic": "and",
                    "conditions": [{"term1": "{{json.status}}", "term2": "success", "operation": "="}],
                    "result": [{"handler": "exits", "params": {"value": "success"}}],
                },
            },
            {"handler": "exits", "params": {"value": "fail"}},
        ],
        "require": [],
    },
]


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account of the site.

    Args:
        name: its subdomain, and the name of its chats' account.
        bots: as `provision` takes them; the first is the default.
        is_foreign: it runs a widget that isn't ours.
    """

    name: str
    bots: list[dict[str, Any]]
    is_foreign: bool = False

    @property
    def key(self) -> str:
        """The key of its hook address."""
        return f"hook-key-of-{self.name}"

    @property
    def hook(self) -> str:
        """The path of its hook address."""
        return f"/kommo/{self.key}/widget-request/"

    def in_kommo(self, number: int, base: str) -> dict[str, Any]:
        """Give it as the stand-in takes it."""
        foreign = json.loads(json.dumps(FOREIGN_FLOW))
        foreign[0]["question"][0]["params"]["url"] = base + self.hook
        return {
            "subdomain": self.name,
            "kommo_id": 41_000 + number,
            "client_id": f"0d5c0e5e-2222-4222-8333-{number:012d}",
            "client_secret": f"client-secret-of-{self.name}-0123456789abcdef-0123456789abcdef",
            "access_token": f"access-token-of-{self.name}",
            "port": 0,
        } | ({"widget_flow": foreign} if self.is_foreign else {})

    def in_bridge(self, number: int, *, origin: str, llm_url: str) -> dict[str, Any]:
        """Give it as `provision` takes it."""
        kommo = self.in_kommo(number, "")
        return {
            "key": self.key,
            "name": self.name.title(),
            "subdomain": self.name,
            "kommo_id": kommo["kommo_id"],
            "origin": origin,
            "integration": {"client_id": kommo["client_id"], "client_secret": kommo["client_secret"]},
            "access_token": kommo["access_token"],
            "members": [{"email": f"owner@{self.name}.test", "password": "correct horse battery", "role": "owner"}],
            "providers": [{"name": "main", "provider": "openai", "api_key": "sk-site", "api_base": llm_url}],
            "bots": self.bots,
        }


def a_bot(slug: str = "default", **fields: Any) -> dict[str, Any]:
    """Give a bot as `provision` takes it, which may offer buttons and two links."""
    return {
        "slug": slug,
        "name": slug,
        "prompt": f"You are {slug}, who sells tea.",
        "models": [{"provider": "main", "model": "gpt-4o-mini"}],
        "fallback_text": FALLBACK,
        "offers_buttons": True,
        "links": LINKS,
    } | fields


ROUTES = {"handoff": {"exit": "success"}, "fail": {"exit": "silent"}}
# Step 2 of our own flow is where the message is shown.
JUMPS = {outcome: {"goto": {"type": "question", "step": 2}} for outcome in ("success", "silent")}

TENANTS = (
    Tenant("leads", [a_bot(), a_bot("evening")]),
    Tenant("customers", [a_bot(), a_bot("evening")]),
    Tenant("usual", [a_bot()]),
    Tenant("routed", [a_bot(), a_bot("routed", delivery="chunks", routes=ROUTES)]),
    Tenant("jumping", [a_bot(routes=JUMPS)]),
    Tenant("foreign", [a_bot(delivery="chunks")], is_foreign=True),
)


@dataclass(slots=True)
class WidgetSite:
    """The running site.

    Args:
        sayings: what the model answers, by the customer's words: the parts of the agreed form, or raw text.
        built: the account `usual` has its Salesbot.
    """

    rig: Rig
    sandbox: SandboxServer
    llm: LlmStub
    sayings: dict[str, Mapping[str, Any] | str] = field(default_factory=dict)
    built: bool = False

    def says(self, words: str, text: str = "", **form: Any) -> str:
        """Have the model answer these words so, by structured output; give the words."""
        offers = {"outcome": "success", "buttons": [], "links": []} | form
        self.sayings[words] = {"text": text, **offers}
        return words

    def answer(self, asked: Asked) -> str:
        """Say what the model says to a request."""
        said = self.sayings[said_last(asked)]
        return said if isinstance(said, str) else json.dumps(said)

    def asked(self, words: str) -> list[Asked]:
        """Give the requests to the model that end with these words."""
        return [asked for asked in list(self.llm.requests) if said_last(asked) == words]

    def zip_of(self, name: str) -> Path:
        """Build an account's widget by the program's own command."""
        path = self.rig.folder / f"{name}.zip"
        self.rig.manage("widget", _tenant(name).key, "--output", str(path))
        return path

    def exchange(self, text: str) -> Row:
        """Give the row of the exchange that a customer's text led to."""
        (row,) = self.rig.sql("SELECT * FROM bots_exchange WHERE text = %s", text)
        return row

    def turns(self, account: str, customer: str) -> list[dict[str, Any]]:
        """Give what the Salesbot did in a customer's chat, message by message."""
        return list(self.sandbox.chat(customer, account=account)["turns"])

    def data_sent(self, account: str, customer: str) -> dict[str, Any]:
        """Give `data` of the customer's last widget_request."""
        return dict(self.turns(account, customer)[-1]["request"]["data"])

    def bodies(self, account: str, customer: str) -> list[dict[str, Any]]:
        """Give the continues that were taken in a customer's chat."""
        return [turn["continue"]["body"] for turn in self.turns(account, customer) if turn["continue"]]

    def continued(self, account: str, customer: str, count: int) -> list[dict[str, Any]]:
        """Wait until so many continues were taken, and give them."""
        enough = self.sandbox.wait_until(
            lambda: len(found := self.bodies(account, customer)) >= count and found, within_seconds=ANSWERED_MS / 1000
        )
        return list(enough or ())

    def flow(self, account: str) -> list[dict[str, Any]]:
        """Give the flow of an account's Widget step as the designer saved it."""
        answer = requests.get(f"{self.sandbox.url}/sandbox/api/designer/{account}", timeout=10)
        return list(json.loads(answer.json()["step"]["source"]))


def said_last(asked: Asked) -> str:
    """Give the customer's last words: messages that nobody answered stand before them."""
    return asked.last_text.rsplit("\n", 1)[-1]


def _tenant(name: str) -> Tenant:
    return next(tenant for tenant in TENANTS if tenant.name == name)


@contextmanager
def a_widget_site() -> Iterator[WidgetSite]:
    """Start everything."""
    numbered = list(enumerate(TENANTS, start=1))
    with LlmStub() as llm, Rig() as rig:
        rig.env["PUBLIC_URL"] = rig.base
        accounts = [tenant.in_kommo(number, rig.base) for number, tenant in numbered]
        with SandboxServer({"accounts": accounts}, rate=0) as sandbox:
            origins = {tenant.name: sandbox.origin(tenant.name) for tenant in TENANTS}
            rig.env["KOMMO_EXTRA_ORIGINS"] = ",".join(origins.values())
            documents = [t.in_bridge(number, origin=origins[t.name], llm_url=llm.url) for number, t in numbered]
            rig.provision({"accounts": documents})
            rig.start_and_wait("serve")
            site = WidgetSite(rig, sandbox, llm)
            llm.reply = site.answer
            yield site


# what a person does in the stand-in's pages


def install(page: Page, address: str, widget: Path) -> None:
    """Open a designer, upload a widget, install it and save its settings."""
    page.goto(address)
    page.get_by_label("Widget archive (zip)").set_input_files(widget)
    page.get_by_role("button", name="Install", exact=True).click()
    page.get_by_role("dialog", name="KommoBridge").get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()


def link_each_exit_to_a_message(page: Page) -> None:
    """Let the Salesbot say behind each exit which one it was."""
    for number, (code, title) in enumerate(EXITS.items()):
        page.locator(f"#exit-{number}").select_option("a message, then listen")
        page.get_by_label(f"Message after “{title}”").fill(LEAVING[code])


def save(page: Page) -> None:
    """Save the Salesbot."""
    page.get_by_role("button", name="Save the Salesbot").click()
    expect(page.get_by_text("The Salesbot is saved. New runs follow it.")).to_be_visible()


def build_salesbot(page: Page, address: str, widget: Path) -> None:
    """Build a Salesbot around the step as it comes, with a message behind each exit."""
    install(page, address, widget)
    page.get_by_role("button", name="Add").click()
    link_each_exit_to_a_message(page)
    save(page)


def become(page: Page, sandbox: SandboxServer, account: str, *, name: str, channel: str = "telegram") -> None:
    """Open the chat of a new customer who writes on a channel."""
    page.goto(f"{sandbox.url}/chat/{account}/visitor")
    page.get_by_role("button", name="New customer").click()
    dialog = page.get_by_role("dialog", name="New customer")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Channel").select_option(channel)
    dialog.get_by_role("button", name="Open chat").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def write(page: Page, text: str) -> None:
    """Write as the customer."""
    page.get_by_label(re.compile("^Write as")).fill(text)
    page.keyboard.press("Enter")


def read(page: Page, count: int) -> list[str]:
    """Wait until the Salesbot has said so many messages, and give their texts to the letter."""
    said = page.locator(".bubble-bot .bubble-text")
    expect(said).to_have_count(count, timeout=ANSWERED_MS)
    return said.all_text_contents()
