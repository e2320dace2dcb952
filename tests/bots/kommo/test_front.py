"""What the package shows to others."""

import ast
import subprocess
import sys
from pathlib import Path

import bots.kommo

PUBLIC = {
    "BadAccessToken",
    "BadOrigin",
    "BodyUnreadable",
    "ContinueBody",
    "DataRefused",
    "ForeignReturnUrl",
    "Handler",
    "KommoAnswer",
    "KommoError",
    "LinkButton",
    "NoAnswer",
    "NotConnected",
    "Plan",
    "ReturnUrl",
    "TokenFacts",
    "TokenRefused",
    "WidgetBody",
    "WidgetData",
    "channel_limit",
    "check_origin",
    "continue_body",
    "cut",
    "is_extra_origin",
    "may_be_choice",
    "meaning_of",
    "neutralise",
    "parse_data",
    "parse_return_url",
    "plan_delivery",
    "post_continue",
    "read_body",
    "shorten_for",
    "still_offered",
    "verify_token",
}


def test_the_front_exports_exactly_the_public_names():
    assert set(bots.kommo.__all__) == PUBLIC
    assert all(hasattr(bots.kommo, name) for name in PUBLIC)


def test_the_library_loads_neither_django_nor_litellm():
    look = "import sys, bots.kommo; print({'django', 'rest_framework', 'litellm'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_only_the_client_and_its_wire_import_requests():
    folder = Path(bots.kommo.__file__).parent
    users = {path.name for path in folder.glob("*.py") if _imports(path, "requests")}
    assert users == {"client.py", "wire.py"}


def _imports(path: Path, module: str) -> bool:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return any(name.partition(".")[0] == module for name in names)
