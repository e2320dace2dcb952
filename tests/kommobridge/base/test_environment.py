"""The environment is read whole, or every mistake is told, each in one line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from kommobridge.base.environment import (
    PROJECT_DIR,
    VARIABLES,
    WITHOUT_FILE,
    Environment,
    WrongEnvironment,
    drop_vendor_variables,
    prepare_for_litellm,
    random_secret,
    read,
)

KEYS = (Fernet.generate_key().decode(), Fernet.generate_key().decode())
Read = Callable[..., Environment]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Give a function that reads an environment of exactly these variables, beside the two that must be there."""

    def read_with(file: Path | None = None, **values: str) -> Environment:
        for variable in VARIABLES:
            monkeypatch.delenv(variable.name, raising=False)
        monkeypatch.delenv(WITHOUT_FILE, raising=False)
        for name, value in ({"SECRET_KEY": "s" * 40, "FIELD_KEYS": KEYS[0]} | values).items():
            monkeypatch.setenv(name, value)
        return read(file)

    return read_with


def complaints(reading: Read, **values: str) -> list[str]:
    with pytest.raises(WrongEnvironment) as caught:
        reading(**values)
    return str(caught.value).splitlines()


def test_two_secrets_are_enough(reading):
    seen = reading()
    assert seen.data_dir == PROJECT_DIR / "var"
    assert seen.database["NAME"] == str(PROJECT_DIR / "var" / "kommobridge.sqlite3")
    assert seen.public_url == "http://127.0.0.1:8000"
    assert seen.allowed_hosts == ("127.0.0.1", "localhost", "[::1]")
    assert (seen.kommo_rate, seen.debug, seen.log_level, seen.log_format) == (7, False, "INFO", "json")


def test_an_empty_value_is_no_value(reading):
    assert reading(KOMMO_RATE="", DEBUG="", LOG_LEVEL=" ") == reading()


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS"])
def test_a_secret_that_is_missing_is_told_with_its_remedy(reading, name):
    [line] = complaints(reading, **{name: ""})
    assert line.startswith(f"{name}: must be set. ")
    assert line.endswith(("make setup` writes one into .env", 'decode())"'))


WRONG = [
    pytest.param("DEBUG", "flase", "must be one of 1, true, yes, on, 0, false, no, off", id="a word that is no switch"),
    pytest.param("LLM_ALLOW_PRIVATE_HOSTS", "2", "must be one of 1", id="a number that is no switch"),
    pytest.param("KOMMO_RATE", "0", "must be a whole number from 1 to 100000", id="too small"),
    pytest.param("KOMMO_RATE", "7.5", "must be a whole number", id="not whole"),
    pytest.param("KOMMO_RATE", "٧", "must be a whole number", id="digits of another script"),
    pytest.param("WEB_WORKERS", "65", "must be a whole number from 1 to 64", id="too large"),
    pytest.param("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO", id="no level"),
    pytest.param("LOG_FORMAT", "xml", "must be one of json, text", id="no format"),
    pytest.param("PUBLIC_URL", "bridge.example.com", "must be an address such as", id="no scheme"),
    pytest.param("PUBLIC_URL", "ftp://bridge.example.com", "must be an address such as", id="another scheme"),
    pytest.param("PUBLIC_URL", "https://a:b@bridge.example.com", "must be an address such as", id="with a password"),
    pytest.param("TRUSTED_PROXIES", "10.0.0.0/8, nginx", "'nginx' is not an address or a network", id="a host name"),
    pytest.param("KOMMO_EXTRA_ORIGINS", "https://a.test/", "'https://a.test/' is not an origin", id="a path"),
    pytest.param("DATABASE_URL", "mysql://a/b", "must begin with postgres:// or sqlite:///", id="another database"),
    pytest.param("SECRET_KEY", "short", "must have at least 32 characters", id="a short secret"),
    pytest.param("FIELD_KEYS", f"{KEYS[0]},nonsense", "key 2 is not a Fernet key", id="a key that is none"),
]


@pytest.mark.parametrize(("name", "value", "rule"), WRONG)
def test_a_wrong_value_is_told_in_one_line(reading, name, value, rule):
    [line] = complaints(reading, **{name: value})
    assert line.startswith(name)
    assert rule in line


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "DATABASE_URL"])
def test_a_secret_that_is_wrong_is_not_repeated(reading, name):
    assert "planted" not in complaints(reading, **{name: "planted"})[0]


def test_every_mistake_is_told_at_once(reading):
    lines = complaints(reading, SECRET_KEY="", DEBUG="perhaps", KOMMO_RATE="many")
    assert [line.partition(":")[0].partition("=")[0] for line in lines] == ["SECRET_KEY", "KOMMO_RATE", "DEBUG"]


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_a_switch_is_on(reading, word):
    assert reading(DEBUG=word).debug


@pytest.mark.parametrize("word", ["0", "false", "No", "off", ""])
def test_a_switch_is_off(reading, word):
    assert not reading(DEBUG=word).debug


def test_lists_are_separated_by_commas(reading):
    seen = reading(
        FIELD_KEYS=f"{KEYS[0]}, {KEYS[1]}",
        ALLOWED_HOSTS="a.test, b.test",
        TRUSTED_PROXIES="10.0.0.1,10.1.0.0/16",
        KOMMO_EXTRA_ORIGINS="http://127.0.0.1:9101, https://kommo.test:8443",
    )
    assert seen.field_keys == KEYS
    assert seen.allowed_hosts == ("a.test", "b.test")
    assert seen.trusted_proxies == ("10.0.0.1", "10.1.0.0/16")
    assert seen.kommo_extra_origins == {"http://127.0.0.1:9101", "https://kommo.test:8443"}


def test_the_embedded_database_lies_in_the_data_folder(reading, tmp_path):
    seen = reading(DATA_DIR=str(tmp_path))
    assert seen.database["NAME"] == str(tmp_path / "kommobridge.sqlite3")


def test_a_folder_of_data_counts_from_the_checkout(reading):
    assert reading(DATA_DIR="elsewhere").data_dir == PROJECT_DIR / "elsewhere"


def test_a_database_elsewhere_is_read_from_its_address(reading):
    seen = reading(DATABASE_URL="postgres://somebody:p%40ss@db.test:5433/bridge").database
    assert seen["ENGINE"].endswith("postgresql")
    assert (seen["NAME"], seen["USER"], seen["PASSWORD"]) == ("bridge", "somebody", "p@ss")
    assert (seen["HOST"], seen["PORT"]) == ("db.test", 5433)


def test_the_file_fills_in_what_the_environment_doesnt_set(reading, tmp_path):
    file = tmp_path / ".env"
    file.write_text("KOMMO_RATE=3\nLOG_FORMAT=text\nPLANTED_FOR_A_TEST=1\n")
    try:
        seen = reading(file, LOG_FORMAT="json")
        assert (seen.kommo_rate, seen.log_format) == (3, "json")
    finally:
        for name in ("KOMMO_RATE", "PLANTED_FOR_A_TEST"):
            os.environ.pop(name, None)


def test_an_empty_variable_keeps_the_files_value_out(reading, tmp_path):
    file = tmp_path / ".env"
    file.write_text("KOMMO_RATE=3\n")
    assert reading(file, KOMMO_RATE="").kommo_rate == 7


def test_the_file_can_be_kept_out(reading, tmp_path):
    file = tmp_path / ".env"
    file.write_text("KOMMO_RATE=3\n")
    assert reading(file, **{WITHOUT_FILE: "1"}).kommo_rate == 7


def test_vendors_variables_go_and_ours_stay(monkeypatch):
    for name in (
        "OPENAI_API_KEY",
        "openai_base_url",
        "ANTHROPIC_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "NEW_VENDOR_API_KEY",
    ):
        monkeypatch.setenv(name, "planted")
    for name in ("METRICS_TOKEN", "SECRET_KEY"):
        monkeypatch.setenv(name, "kept")
    drop_vendor_variables()
    assert "planted" not in os.environ.values()
    assert (os.environ["METRICS_TOKEN"], os.environ["SECRET_KEY"]) == ("kept", "kept")


def test_litellm_takes_its_prices_from_its_own_files(monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "")
    prepare_for_litellm()
    assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"


def test_a_made_secret_passes_its_own_rule(reading):
    assert reading(SECRET_KEY=random_secret()).secret_key
