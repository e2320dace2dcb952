"""What the demo's accounts hold: a tea shop, a clinic and a school, each with its bot and what that knows.

Texts lie beside this file, one folder for each business.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """One business of the demo: an account of Kommo's, and a bot.

    Args:
        slug: folder of its texts, and the bot's slug.
        subdomain: its account's, in the sandbox.
        name: as people read it.
        bot_name: who answers.
        channel: where its customers write.
        encoding: how its widget_request is written, "form" or "json".
        algorithm: how the token in it is signed, "HS256" or "HS512".
        greeting: what a customer reads before they write; empty where the Salesbot speaks second.
        fallback_text: what the bot says when no model answers.
        outputs: declared outputs, as `bots.models.bot_settings.check_outputs` takes them.
        offers_buttons: the bot offers answers to tap; its prompt says when.
        links: what it may offer to open, as `bots.models.bot_settings.check_links` takes them.
    """

    slug: str
    subdomain: str
    name: str
    bot_name: str
    channel: str
    encoding: str
    algorithm: str
    fallback_text: str
    greeting: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    offers_buttons: bool = False
    links: list[dict[str, str]] = field(default_factory=list)

    @property
    def prompt(self) -> str:
        """Who the bot is."""
        return self._text("prompt.txt")

    @property
    def knowledge(self) -> str:
        """What the bot knows."""
        return self._text("knowledge.md")

    @property
    def conversations(self) -> list[dict[str, Any]]:
        """What customers wrote before the newcomer came: `{"hours_ago", "messages", "kommo_is_down"?}`."""
        told: list[dict[str, Any]] = json.loads(self._text("conversations.json"))
        return told

    @property
    def salesbot(self) -> list[Any] | None:
        """The Salesbot's JSON; None for the usual one, which greets, listens and asks the widget."""
        is_there = (FOLDER / self.slug / "salesbot.json").is_file()
        return json.loads(self._text("salesbot.json")) if is_there else None

    def _text(self, name: str) -> str:
        return (FOLDER / self.slug / name).read_text(encoding="utf-8")


BUSINESSES = (
    Business(
        slug="shop",
        subdomain="demo",
        name="Leaf & Kettle",
        bot_name="Mira of Leaf & Kettle",
        channel="telegram",
        encoding="form",
        algorithm="HS256",
        greeting="Leaf & Kettle, good day! How can we help?",
        fallback_text="Thank you for your message! A colleague from the shop will answer you shortly.",
        outputs=[
            {
                "name": "topic",
                "type": "text",
                "description": "What the customer asks about.",
                "choices": ["delivery", "returns", "tea", "gift", "other"],
            }
        ],
        offers_buttons=True,
        links=[
            {
                "text": "Catalogue with photos",
                "url": "https://tea.example.com/catalogue",
                "description": "catalogue, photos, pictures",
            },
            {"text": "Track my parcel", "url": "https://tea.example.com/track", "description": "tracking number"},
        ],
    ),
    Business(
        slug="clinic",
        subdomain="clinica",
        name="Clínica Sonrisa",
        bot_name="Lucía de Clínica Sonrisa",
        channel="waba",
        encoding="form",
        algorithm="HS512",
        fallback_text="¡Gracias por su mensaje! Una compañera de recepción le responderá enseguida.",
        outputs=[
            {
                "name": "treatment",
                "type": "text",
                "description": "El tratamiento por el que pregunta.",
                "choices": ["limpieza", "empaste", "ortodoncia", "implante", "blanqueamiento"],
            },
            {"name": "patient_name", "type": "text", "description": "El nombre (name) del paciente."},
        ],
        links=[
            {"text": "Reservar hora", "url": "https://clinica.example.com/cita", "description": "pedir cita, reserva"}
        ],
    ),
    Business(
        slug="school",
        subdomain="shkola",
        name="Школа «Полиглот»",
        bot_name="Анна из «Полиглота»",
        channel="instagram",
        encoding="json",
        algorithm="HS256",
        greeting="Школа «Полиглот», здравствуйте! Какой язык вам интересен?",
        fallback_text="Спасибо за сообщение! Сотрудник школы скоро вам ответит.",
        outputs=[
            {
                "name": "language",
                "type": "text",
                "description": "Язык, который хочет учить ученик.",
                "choices": ["английский", "испанский", "немецкий", "китайский", "русский"],
            },
            {"name": "phone", "type": "text", "description": "Телефон ученика."},
        ],
        offers_buttons=True,
    ),
)

# The model that the demo asks when the environment holds a vendor's key; the offline one stays behind it.
MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-3-5-haiku-latest",
    "gemini": "gemini-2.0-flash",
    "mistral": "mistral-small-latest",
    "groq": "llama-3.3-70b-versatile",
    "deepseek": "deepseek-chat",
    "openrouter": "openai/gpt-4o-mini",
}
