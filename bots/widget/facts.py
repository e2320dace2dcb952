"""What Kommo's upload takes, as far as it is known; the builder and the judge both go by it.

Source: protocol §4.1, §4.2, §4.3.
"""

from typing import Final, Literal

Hosts = Literal["kommo", "amocrm"]

LOCALES: Final[dict[Hosts, tuple[str, ...]]] = {
    "kommo": ("en", "es", "pt", "tr", "id"),
    "amocrm": ("en", "es", "pt", "tr", "id", "ru"),
}

Size = tuple[int, int]

LOGOS: Final[dict[str, Size]] = {
    "images/logo_main.png": (400, 272),
    "images/logo.png": (130, 100),
    "images/logo_small.png": (108, 108),
    "images/logo_medium.png": (240, 84),
    "images/logo_min.png": (84, 84),
}
PIPELINE_LOGO: Final = "images/logo_dp.png"
PIPELINE_LOGO_SIZE: Final[Size] = (174, 109)
IMAGE_MAX_BYTES: Final = 300 * 1024

CARDS_AND_LISTS: Final = ("lcard", "ccard", "comcard", "llist", "clist", "tlist")
LOCATIONS: Final = frozenset(
    {
        *(f"{place}-{side}" for place in CARDS_AND_LISTS for side in (0, 1)),
        *("settings", "advanced_settings", "card_sdk", "catalogs", "digital_pipeline", "lead_sources", "widget_page"),
        *("sms", "mobile_card", "salesbot_designer", "website_chat_button", "everywhere", "ai_agent"),
    }
)
SETTING_TYPES: Final = ("text", "pass", "users", "users_lp", "custom")
STEP_SETTING_TYPES: Final = ("text", "numeric", "url")

# Not Kommo's numbers but ours: far above any widget seen, and no more than a small machine bears.
ZIP_MAX_BYTES: Final = 10 * 1024 * 1024
UNPACKED_MAX_BYTES: Final = 30 * 1024 * 1024
ENTRIES_MAX: Final = 500
JSON_MAX_BYTES: Final = 512 * 1024
SCRIPT_MAX_BYTES: Final = 1024 * 1024
