"""The checkout agrees with itself: requirements, locks, targets, rules."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kommobridge.base.environment import PROJECT_DIR

PROGRAM = ("kommobridge", "bots", "llm", "sandbox")
# What is used without an import of its own, and by whom.
NAMED_ONLY = {
    "whitenoise": "settings, as middleware and storage",
    "django-unfold": "settings, as an app",
    "django-q2": "settings, as an app",
    "psycopg": "Django, for PostgreSQL",
    "setproctitle": "gunicorn and django-q2, to name processes",
}
TOOLS = ("djangorestframework-stubs", "django-stubs", "types-requests", "axe-playwright-python")  # read as files
BY_COMMAND = ("coverage", "djlint", "import-linter", "mypy", "pip-tools", "ruff")
TARGETS = (
    *("setup", "dev-setup", "system", "demo", "test", "check", "lint", "types", "contracts", "migrations", "format"),
    *("cover", "statements", "bench", "clean", "lock", "help"),
)
PLUGINS = ("pytest-django", "pytest-randomly", "pytest-timeout", "pytest-xdist")


def pins(name: str) -> dict[str, str]:
    """Give name and version of each pin of a requirements file or a lock, extras left out."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s\\]+)", (PROJECT_DIR / name).read_text(), re.MULTILINE)
    return {canonical(package): version for package, version in found}


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def imported_by(*roots: str) -> set[str]:
    """Give the distributions whose modules the code under these folders imports."""
    owners = importlib.metadata.packages_distributions()
    modules = {module for root in roots for file in (PROJECT_DIR / root).rglob("*.py") for module in _modules(file)}
    return {canonical(owners[module][0]) for module in modules if module in owners}


def _modules(file: Path) -> set[str]:
    found = {name for node in ast.walk(ast.parse(file.read_text())) for name in _imported(node)}
    return {name.partition(".")[0] for name in found}


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(name), level=0):
            return [name]
        case ast.Call(func=ast.Name(id="import_module"), args=[ast.Constant(value=str(name))]):
            return [name]
    return []


def test_whatever_the_program_imports_is_pinned_directly():
    assert imported_by(*PROGRAM) - set(pins("requirements.txt")) == set()


def test_whatever_is_pinned_directly_is_used():
    assert set(pins("requirements.txt")) - imported_by(*PROGRAM) - set(NAMED_ONLY) == set()


def test_whatever_tests_and_scripts_import_is_pinned_directly():
    known = set(pins("requirements.txt")) | set(pins("requirements-dev.txt"))
    assert imported_by("tests", "scripts") - known == set()


def test_whatever_tool_is_pinned_is_used():
    used = imported_by("tests", "scripts") | set(TOOLS) | set(BY_COMMAND) | set(PLUGINS)
    assert set(pins("requirements-dev.txt")) - used == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_to_one_version(name):
    lines = [line.split("#")[0].strip() for line in (PROJECT_DIR / name).read_text().splitlines()]
    assert [line for line in lines if line and not line.startswith("-r ") and "==" not in line] == []


@pytest.mark.parametrize(
    ("direct", "lock"),
    [("requirements.txt", "requirements.lock"), ("requirements-dev.txt", "requirements-dev.lock")],
)
def test_a_lock_holds_the_direct_pins(direct, lock):
    assert pins(direct).items() <= pins(lock).items(), "run make lock"


def test_the_tools_lock_holds_the_programs():
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items(), "run make lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_line_of_a_lock_has_hashes_and_no_place(lock):
    text = (PROJECT_DIR / lock).read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert [block.split()[0] for block in blocks[1:] if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://\S+|file:/|--index-url|--find-links|--trusted-host|(?<![\w.])/\w+/\w+", text) == []


def targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*## ", (PROJECT_DIR / "Makefile").read_text(), re.MULTILINE)


def make(*arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["/usr/bin/env", "make", *arguments]
    return subprocess.run(command, cwd=PROJECT_DIR, env=kept, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_help_is_the_default_and_tells_every_target(target):
    assert f"make {target} " in make()


def test_a_target_is_never_taken_for_a_file():
    [phony] = re.findall(r"^\.PHONY: (.*)$", (PROJECT_DIR / "Makefile").read_text(), re.MULTILINE)
    assert set(targets()) <= set(phony.split())


def test_demo_sets_up_first():
    steps = make("--dry-run", "demo")
    assert steps.index("scripts/install.py run") < steps.index("manage.py demo")


def test_test_runs_every_check_before_the_tests():
    steps = make("--dry-run", "test")
    order = ["system.sh", "install.py dev", "ruff check", "mypy", "importlinter", "makemigrations --check", "tests.sh"]
    assert [steps.index(step) for step in order] == sorted(steps.index(step) for step in order)


def test_ci_runs_make_test_and_lets_nothing_be_skipped():
    run = PROJECT_DIR / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert re.search(r"^export CI=true$", run.read_text(), re.MULTILINE)
    assert re.search(r"^exec make test", run.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", [".env", "var/kommobridge.sqlite3", ".venv/bin/python"])
def test_git_leaves_out_secrets_data_and_environment(name):
    lines = (PROJECT_DIR / ".gitignore").read_text().split()
    assert name in lines or f"{name.partition('/')[0]}/" in lines


@pytest.mark.parametrize("script", sorted((PROJECT_DIR / "scripts").glob("*.sh")), ids=lambda file: file.name)
def test_a_shell_script_can_be_read(script):
    shell = "sh" if script.read_text().startswith("#!/bin/sh") else "bash"
    subprocess.run([shell, "-n", str(script)], check=True)


def test_no_room_has_grown_beyond_400_lines():
    rooms = (file for root in PROGRAM for file in (PROJECT_DIR / root).rglob("*.py") if "migrations" not in file.parts)
    assert {str(room) for room in rooms if len(room.read_text().splitlines()) > 400} == set()


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        pytest.param("<script>alert(1)</script>", "K001", id="inline script"),
        pytest.param('<SCRIPT type="module">let a</SCRIPT>', "K001", id="inline module"),
        pytest.param('<a onclick="go()">x</a>', "K002", id="event attribute"),
        pytest.param('<p style="color: red">x</p>', "K002", id="inline style"),
        pytest.param("{{ text|safe }}", "K003", id="safe filter"),
        pytest.param("{{ text | safe }}", "K003", id="safe filter with blanks"),
        pytest.param("{% autoescape off %}{{ text }}{% endautoescape %}", "K003", id="autoescape off"),
    ],
)
def test_a_template_that_opens_a_door_is_found(tmp_path, html, rule):
    assert rule in lint_template(tmp_path, html)


@pytest.mark.parametrize(
    "html",
    [
        pytest.param('<script src="a.js"></script>', id="a script from a file"),
        pytest.param('<script id="d" type="application/json">{}</script>', id="data"),
        pytest.param('<p class="on-time" data-style="x">{{ safe }}</p>', id="words alike"),
    ],
)
def test_a_template_that_keeps_them_shut_passes(tmp_path, html):
    assert not re.search("K00[0-9]", lint_template(tmp_path, html))


def lint_template(folder: Path, html: str) -> str:
    """Check one template with the rules of this checkout and give what was said."""
    for name in ("pyproject.toml", ".djlint_rules.yaml"):
        (folder / name).write_text((PROJECT_DIR / name).read_text())
    (folder / "page.html").write_text(f"{html}\n")
    command = [sys.executable, "-m", "djlint", "--lint", "page.html"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
