"""Write the two secrets that have no default into `.env`, where they are missing: `python scripts/write_env.py [FILE]`.

Uses the standard library only. What the file has is kept, secrets above all: with other FIELD_KEYS nothing that was
stored could be read again. The file is replaced in one step and only its owner can read it.
"""

import base64
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"
OWNER_ONLY = 0o600
HEADER = """\
# Settings of this installation, read by manage.py; a variable of the environment wins over a line here.
# Keep a copy of FIELD_KEYS in a safe place: without it no stored secret can be read.
"""


def new_secret_key() -> str:
    """Make a SECRET_KEY: 67 characters of 50 random bytes."""
    return secrets.token_urlsafe(50)


def new_field_key() -> str:
    """Make a Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


SECRETS: dict[str, Callable[[], str]] = {"SECRET_KEY": new_secret_key, "FIELD_KEYS": new_field_key}


def main(file: Path) -> int:
    """Add what is missing and say so; give an exit code."""
    before = file.read_text() if file.exists() else None
    missing = [name for name in SECRETS if not _has(name, before or "")]
    if missing:
        _replace(file, _with_secrets(before, missing))
        sys.stdout.write(f"Wrote {' and '.join(missing)} into {file.name}\n")
    elif file.stat().st_mode & 0o077:
        file.chmod(OWNER_ONLY)
    return 0


def _has(name: str, text: str) -> bool:
    return re.search(rf"""^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t]*["']?[^\s"'#]""", text, re.MULTILINE) is not None


def _with_secrets(before: str | None, names: list[str]) -> str:
    """Give the file's new text; an empty assignment goes, since the first one of a name counts."""
    kept = HEADER if before is None else before
    for name in names:
        kept = re.sub(rf"""^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[^\n]*\n?""", "", kept, flags=re.MULTILINE)
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(f"{name}={SECRETS[name]()}\n" for name in names)


def _replace(file: Path, text: str) -> None:
    """Put the text there in one step: a reader, or a crash, finds the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".env-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ENV_FILE))
