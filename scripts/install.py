"""Build `.venv` and install into it: `python scripts/install.py run|dev`. Uses the standard library only.

On Python 3.11 everything comes from the hash lock; a lock fits one Python, so any other installs from the direct pins
and says so. What was installed is noted beside it, so that a second time takes no time.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

PROJECT_DIR = Path(__file__).resolve().parent.parent
VENV = PROJECT_DIR / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
LOCKED_FOR = "3.11"
SOURCES = {"run": "requirements", "dev": "requirements-dev"}
# The developer's tools include what the program needs; a test holds the two locks together.
ALSO_INSTALLS = {"run": ("run",), "dev": ("dev", "run")}


def main(kind: str) -> int:
    """Install what `kind` needs, unless it is there; give an exit code."""
    version = _version_of_venv()
    if version is None or _is_unwanted(version):
        _build_venv(version)
        version = _version_of_venv()
    if version is None:
        return _fail("The virtual environment .venv doesn't run. Remove it and try again.")
    if _note(kind).exists() and _note(kind).read_text() == _wanted(kind, version):
        return 0
    return _install(kind, version)


def _version_of_venv() -> str | None:
    """Give `3.11` or so; None when there is no environment or it doesn't run."""
    command = [str(VENV_PYTHON), "-c", "import pip, sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        # Ours, all of them: an interpreter and fixed words.
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None


def _is_unwanted(version: str) -> bool:
    """Whether the caller named another Python than the one that .venv was built with."""
    return bool(os.environ.get("PYTHON")) and version != _own_version()


def _own_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _build_venv(before: str | None) -> None:
    _say(f"Building .venv with Python {_own_version()}{f' (it had {before})' if before else ''}")
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)  # noqa: S603


def _wanted(kind: str, version: str) -> str:
    """Give the text of the files that decide what gets installed."""
    name = SOURCES[kind]
    files = [f"{name}.lock"] if version == LOCKED_FOR else [f"{name}.txt", "requirements.txt"]
    return f"Python {version}\n" + "".join((PROJECT_DIR / file).read_text() for file in files)


def _note(kind: str) -> Path:
    return VENV / f"installed-{kind}.txt"


def _install(kind: str, version: str) -> int:
    name = SOURCES[kind]
    if version == LOCKED_FOR:
        arguments = ["--require-hashes", "-r", f"{name}.lock"]
        total = sum(1 for line in _wanted(kind, version).splitlines() if "==" in line and line[0].isalnum())
        _say(f"Installing {total} packages from {name}.lock (about a minute)")
    else:
        arguments, total = ["-r", f"{name}.txt"], 0
        _say(f"Installing from {name}.txt (some minutes): {name}.lock is for Python {LOCKED_FOR}, this is {version}")
    if code := _pip(arguments, total):
        return code
    for installed in ALSO_INSTALLS[kind]:
        _note(installed).write_text(_wanted(installed, version))
    return 0


def _pip(arguments: list[str], total: int) -> int:
    """Run pip, show how far it is, keep what it says in `LOG`, and show its end when it fails."""
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments]
    pip = subprocess.Popen(  # noqa: S603
        command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    with pip, LOG.open("w") as log:
        _show_progress(_logged(pip.stdout or (), log), total)
    if pip.returncode:
        ending = "\n".join(LOG.read_text().splitlines()[-15:])
        return _fail(f"{ending}\npip failed; all that it said is in .venv/install.log")
    return 0


def _logged(lines: Iterable[str], log: TextIO) -> Iterator[str]:
    for line in lines:
        log.write(line)
        log.flush()
        yield line


def _show_progress(lines: Iterable[str], total: int) -> None:
    """Tell each tenth package on a terminal, each quarter elsewhere."""
    step = max(1, total // (10 if sys.stdout.isatty() else 4)) if total else 20
    collected = 0
    for line in lines:
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            collected += 1
            if collected % step == 0:
                _say(f"  {collected}{f' of {total}' if total else ''} fetched")
        elif line.startswith("Installing collected packages"):
            _say("  unpacking")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SOURCES:
        sys.exit("Usage: python scripts/install.py run|dev")
    sys.exit(main(sys.argv[1]))
