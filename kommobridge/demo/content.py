"""What the demo account holds: a tea shop, its bot, and what the bot knows."""

from pathlib import Path

FOLDER = Path(__file__).parent

BOT_SLUG = "shop"
BOT_NAME = "Mira of Leaf & Kettle"

PROMPT = (FOLDER / "prompt.txt").read_text(encoding="utf-8")
KNOWLEDGE = (FOLDER / "knowledge.md").read_text(encoding="utf-8")
FALLBACK_TEXT = "Thank you for your message! A colleague from the shop will answer you shortly."

OUTPUTS = [
    {
        "name": "topic",
        "type": "text",
        "description": "What the customer asks about.",
        "choices": ["delivery", "returns", "tea", "gift", "other"],
    }
]

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
