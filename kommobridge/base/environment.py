"""The one place that reads the process environment and the `.env` file beside manage.py.

`read()` gives every setting of the deployment as one frozen value, or raises `WrongEnvironment` with one clear line for
each mistake. The real environment wins over `.env`; an empty value counts as unset.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet

from kommobridge.base.faults import Fault

T = TypeVar("T")

PROJECT_DIR = Path(__file__).resolve().parent.parent.parent
TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off", "")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("json", "text")
MAKE_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'

VENDOR_SUFFIXES = (
    "_API_KEY",
    "_API_KEYS",
    "_API_BASE",
    "_BASE_URL",
    "_API_URL",
    "_ENDPOINT",
    "_API_TOKEN",
    "_TOKEN_PROVIDER",
)
VENDOR_PREFIXES = (
    "OPENAI_", "ANTHROPIC_", "AZURE_", "AWS_", "GOOGLE_", "GEMINI_", "VERTEX", "MISTRAL_", "GROQ_", "DEEPSEEK_",
    "OPENROUTER_", "OR_", "XAI_", "TOGETHER", "PERPLEXITY", "COHERE_", "CO_API", "FIREWORKS_", "HF_", "HUGGINGFACE_",
    "LITELLM_", "OLLAMA_", "WATSONX_", "DATABRICKS_", "CLOUDFLARE_", "USE_LITELLM", "EXPERIMENTAL_OPENAI",
)  # fmt: skip
OURS = ("METRICS_TOKEN",)
# Set to anything, it keeps `.env` out: tests and builds must not depend on what lies beside manage.py.
WITHOUT_FILE = "KOMMOBRIDGE_WITHOUT_ENV_FILE"


class WrongEnvironment(ValueError):
    """The environment can't be used; the text has one line for each mistake."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults; the error's text is a line for each."""
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Every setting of a deployment, checked.

    Times are seconds, `kommo_rate` is requests a second for all processes together, `field_keys` are Fernet keys of
    which the first writes and all read.
    """

    secret_key: str
    field_keys: tuple[str, ...]
    database: dict[str, Any]
    data_dir: Path
    public_url: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    kommo_extra_origins: frozenset[str]
    kommo_rate: int
    llm_allow_private_hosts: bool
    web_workers: int
    worker_processes: int
    worker_concurrency: int
    metrics_token: str
    log_level: str
    log_format: str
    debug: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of the configuration table: name, default as shown, what it does."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable("SECRET_KEY", "none", "Signs sessions and queued tasks. Any long random text; `make setup` writes one."),
    Variable(
        "FIELD_KEYS", "none", "Fernet keys, comma-separated, that encrypt secrets at rest: the first writes, all read."
    ),
    Variable("DATABASE_URL", "SQLite under `DATA_DIR`", "For example `postgres://user:password@host:5432/name`."),
    Variable("DATA_DIR", "`var/`", "Folder of the embedded database and of run files."),
    Variable("PUBLIC_URL", "`http://127.0.0.1:8000`", "Address under which Kommo and people reach the bridge."),
    Variable("ALLOWED_HOSTS", "host of `PUBLIC_URL` and loopback", "Host names that requests may ask for."),
    Variable("TRUSTED_PROXIES", "none", "Addresses or networks whose `X-Forwarded-*` headers count."),
    Variable(
        "KOMMO_EXTRA_ORIGINS", "none", "Origins outside Kommo's domains that accounts may use, exact, comma-separated."
    ),
    Variable("KOMMO_RATE", "`7`", "Calls to Kommo a second, for the whole deployment."),
    Variable("LLM_ALLOW_PRIVATE_HOSTS", "off", "Lets providers use private addresses, for models on your own network."),
    Variable("WEB_WORKERS", "`2`", "Web processes."),
    Variable("WORKER_PROCESSES", "`2`", "Worker processes."),
    Variable("WORKER_CONCURRENCY", "`256`", "Exchanges that one worker process answers at once."),
    Variable("METRICS_TOKEN", "none", "Opens `/metrics`; without it the page does not exist."),
    Variable("LOG_LEVEL", "`INFO`", "DEBUG, INFO, WARNING, ERROR or CRITICAL."),
    Variable("LOG_FORMAT", "`json`", "`json`, one line per event, or `text` for people."),
    Variable("DEBUG", "off", "Django's debug pages. Never where others can reach it."),
)


def read(env_file: Path | None = PROJECT_DIR / ".env") -> Environment:
    """Read the environment, and the file where it is present.

    Raises:
        WrongEnvironment: with every mistake at once.
    """
    if env_file and env_file.is_file() and not os.environ.get(WITHOUT_FILE):
        environ.Env.read_env(str(env_file), overwrite=False)
    return _Reader(os.environ).environment()


def random_secret() -> str:
    """Make a value for SECRET_KEY."""
    return secrets.token_urlsafe(50)


@dataclass(frozen=True, slots=True)
class VendorKey:
    """A model vendor's key and base address as the caller's environment has them; the base may be empty."""

    key: str
    base: str

    def __repr__(self) -> str:
        """Show neither."""
        return "VendorKey()"


def vendor_keys() -> dict[str, VendorKey]:
    """Give the vendors whose usual variable is set. For the demo alone: it copies them into providers of its own."""
    found: dict[str, VendorKey] = {}
    for vendor in ("openai", "anthropic", "gemini", "mistral", "groq", "deepseek", "openrouter"):
        name = vendor.upper()
        key = os.environ.get(f"{name}_API_KEY", "").strip()
        base = os.environ.get(f"{name}_BASE_URL") or os.environ.get(f"{name}_API_BASE") or ""
        if key:
            found[vendor] = VendorKey(key, base.strip())
    return found


def run_environment(**changes: str) -> dict[str, str]:
    """Give this process's environment with changes, for a process that we start."""
    return dict(os.environ) | changes


def prepare_for_litellm() -> None:
    """Set what litellm wants before its import, and take away what it would pick up by itself.

    A vendor's key or base address in the environment never serves an account; litellm would use either when a call
    names none. Its price map and its table of Anthropic headers stay the bundled ones, so that neither import nor first
    call makes a network call of its own; in its development mode it would read `.env` files back into the environment.
    """
    drop_vendor_variables()
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"


def drop_vendor_variables() -> None:
    """Remove the usual variables of model vendors from this process."""
    for name in [name for name in os.environ if _is_vendor_variable(name)]:
        del os.environ[name]


def _is_vendor_variable(name: str) -> bool:
    upper = name.upper()
    return upper not in OURS and (upper.endswith(VENDOR_SUFFIXES) or upper.startswith(VENDOR_PREFIXES))


class _Reader:
    """Reads one value after the other and gathers the mistakes."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.faults: list[Fault] = []

    def environment(self) -> Environment:
        """Give the whole, or raise with every mistake."""
        data_dir = self._read("DATA_DIR", str(PROJECT_DIR / "var"), _folder)
        public_url = self._read("PUBLIC_URL", "http://127.0.0.1:8000", _address)
        result: dict[str, Any] = dict(  # noqa: C408  names, not texts
            secret_key=self._required(
                "SECRET_KEY", _secret_key, "Put a long random text there; `make setup` writes one into .env"
            ),
            field_keys=self._required("FIELD_KEYS", _field_keys, f"Make a key with: {MAKE_KEY}"),
            database=self._read("DATABASE_URL", "", lambda text: _database(text, data_dir or PROJECT_DIR / "var")),
            data_dir=data_dir,
            public_url=public_url,
            allowed_hosts=self._read("ALLOWED_HOSTS", "", lambda text: _allowed_hosts(text, public_url or "")),
            trusted_proxies=self._read("TRUSTED_PROXIES", "", _networks),
            kommo_extra_origins=self._read("KOMMO_EXTRA_ORIGINS", "", _origins),
            kommo_rate=self._read("KOMMO_RATE", "7", _whole_number(1, 100_000)),
            llm_allow_private_hosts=self._read("LLM_ALLOW_PRIVATE_HOSTS", "", _switch),
            web_workers=self._read("WEB_WORKERS", "2", _whole_number(1, 64)),
            worker_processes=self._read("WORKER_PROCESSES", "2", _whole_number(1, 64)),
            worker_concurrency=self._read("WORKER_CONCURRENCY", "256", _whole_number(1, 4096)),
            metrics_token=self._read("METRICS_TOKEN", "", str),
            log_level=self._read("LOG_LEVEL", "INFO", _one_of(LOG_LEVELS, str.upper)),
            log_format=self._read("LOG_FORMAT", "json", _one_of(LOG_FORMATS, str.lower)),
            debug=self._read("DEBUG", "", _switch),
        )
        if self.faults:
            raise WrongEnvironment(self.faults)
        return Environment(**result)

    def _required(self, name: str, convert: Callable[[str], T], remedy: str) -> T | None:
        if not self.values.get(name, "").strip():
            self.faults.append(Fault(name, "must be set", remedy))
            return None
        return self._read(name, "", convert)

    def _read(self, name: str, default: str, convert: Callable[[str], T]) -> T | None:
        text = self.values.get(name, "").strip()
        try:
            return convert(text or default)
        except ValueError as error:
            shown = "" if name in ("SECRET_KEY", "FIELD_KEYS", "METRICS_TOKEN", "DATABASE_URL") else f"={text!r}"
            remedy = f"Unset it for the default ({default})." if default else ""
            self.faults.append(Fault(f"{name}{shown}", str(error), remedy))
            return None


def _switch(text: str) -> bool:
    word = text.lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("must be one of 1, true, yes, on, 0, false, no, off")


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return convert


def _one_of(words: tuple[str, ...], fold: Callable[[str], str]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if fold(text) not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return fold(text)

    return convert


def _secret_key(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text


def _field_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise ValueError(f"key {position} is not a Fernet key; make one with: {MAKE_KEY}") from None
    return keys


def _folder(text: str) -> Path:
    path = Path(text)
    path = path if path.is_absolute() else PROJECT_DIR / path
    if path.exists() and not path.is_dir():
        raise ValueError("must be a folder")
    return path


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://bridge.example.com")
    _ = parts.port
    return text.rstrip("/")


def _allowed_hosts(text: str, public_url: str) -> tuple[str, ...]:
    if text:
        return tuple(host.strip() for host in text.split(",") if host.strip())
    host = urlsplit(public_url).hostname or ""
    return tuple(dict.fromkeys(filter(None, (host, "localhost", "127.0.0.1", "[::1]"))))


def _networks(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError:
            raise ValueError(f"{name!r} is not an address or a network such as 10.0.0.0/8") from None
    return names


def _origins(text: str) -> frozenset[str]:
    origins = frozenset(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+", origin):
            raise ValueError(f"{origin!r} is not an origin such as https://kommo.example.com:8443, without a path")
    return origins


def _database(text: str, data_dir: Path) -> dict[str, Any]:
    url = text or f"sqlite:///{data_dir / 'kommobridge.sqlite3'}"
    if not re.match(r"(sqlite|postgres|postgresql)://", url):
        raise ValueError("must begin with postgres:// or sqlite:///")
    try:
        return dict(environ.Env.db_url_config(url))
    except (ValueError, KeyError):
        raise ValueError("can't be read as a database address") from None
