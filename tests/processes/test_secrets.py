"""No secret of a deployment is found in its database, its tasks or its logs at DEBUG, whatever goes wrong.

Every secret is a canary. Before the search much goes wrong: models and Kommos that repeat the keys they are called
with, refused and forged tokens, broken bodies, a ciphertext that can't be opened.
"""

import re

import pytest
import requests

from tests.processes.databases import ON_SQLITE
from tests.processes.deployment import LLM_FAULTS, PASSWORD, Deployment, prompt_of
from tests.stubs.kommo import KommoStub

CUSTOMER_WORDS = "canary-customer-words-77ab31"
BEARER = re.compile(r"Bearer (?!\[access token\])")
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ")


@pytest.fixture(scope="module")
def after_much_trouble(deployment: Deployment) -> Deployment:
    """Let everything happen that might make something talk."""
    acme, rig = deployment.acme, deployment.rig
    told = [acme.ask(CUSTOMER_WORDS, bot="everything", entity_id=1001)]
    told += [
        acme.ask(CUSTOMER_WORDS, fault=fault, entity_id=1010 + place)
        for place, fault in enumerate(("400-echo", "401", "drop-before", "404"))
    ]
    quick = [slug for slug in LLM_FAULTS if slug not in ("llm-silent", "llm-drip")]
    told += [acme.ask(CUSTOMER_WORDS, bot=slug, entity_id=1020 + place) for place, slug in enumerate(quick)]
    told += [acme.ask(CUSTOMER_WORDS, bot="keyless", entity_id=1040)]
    rig.all_settled(told, within_seconds=25)
    be_forged(deployment)
    be_broken(deployment)
    be_unreadable(deployment)
    return deployment


def be_forged(deployment: Deployment) -> None:
    """Knock with tokens that somebody else signed, and at a wrong door."""
    acme = deployment.acme
    forger = KommoStub(kommo_id=acme.kommo.kommo_id, client_id=acme.kommo.client_id)
    body = acme.kommo.request_body(CUSTOMER_WORDS, continue_id=acme.kommo.next_id())
    with forger:
        assert requests.post(acme.hook_url, json=body | {"token": forger.token()}, timeout=10).status_code == 401
        assert requests.post(deployment.rig.hook("nobodys-key"), json=body, timeout=10).status_code == 404
        foreign = body | {"return_url": f"{forger.origin}/api/v4/salesbot/1/continue/1"}
        assert requests.post(acme.hook_url, json=foreign, timeout=10).status_code == 400


def be_broken(deployment: Deployment) -> None:
    """Send a body that can't be read, and one whose data can't."""
    acme = deployment.acme
    headers = {"Content-Type": "application/json"}
    token = acme.kommo.token()
    assert requests.post(acme.hook_url, data=f'{{"token": "{token}"', headers=headers, timeout=10).status_code == 400
    body = acme.kommo.request_body(CUSTOMER_WORDS, continue_id=acme.kommo.next_id())
    assert requests.post(acme.hook_url, json=body | {"data": [CUSTOMER_WORDS]}, timeout=10).status_code == 400


def be_unreadable(deployment: Deployment) -> None:
    """Break the ciphertext of a client secret: the request can't be checked, and the answer is 503."""
    rival, rig = deployment.rival, deployment.rig
    (row,) = rig.sql("SELECT client_secret FROM bots_account WHERE name = 'Rival'")
    rig.sql("UPDATE bots_account SET client_secret = %s WHERE name = 'Rival'", row["client_secret"][:-8] + "AAAAAAA=")
    try:
        assert rival.kommo.ask(rival.hook_url, CUSTOMER_WORDS).status == 503
    finally:
        rig.sql("UPDATE bots_account SET client_secret = %s WHERE name = 'Rival'", row["client_secret"])


def everything_secret(deployment: Deployment) -> list[str]:
    """Give every text that must be nowhere."""
    env = deployment.rig.env
    own = [env["SECRET_KEY"], env["FIELD_KEYS"], env["OPENAI_API_KEY"], PASSWORD]
    tenants = (deployment.acme, deployment.rival, deployment.nowhere)
    return [*own, *(secret for tenant in tenants for secret in tenant.secrets())]


def dump(deployment: Deployment) -> str:
    """Give every row of every table as text."""
    rig = deployment.rig
    if rig.database_url:
        listing = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
        rows = 'SELECT row_to_json(whole)::text AS line FROM "{}" AS whole'
    else:
        listing = "SELECT name FROM sqlite_master WHERE type = 'table'"
        rows = 'SELECT * FROM "{}"'
    names = [row["name"] for row in rig.sql(listing)]
    assert {"bots_exchange", "bots_attempt", "bots_account", "django_q_task", "django_q_ormq"} <= set(names)
    return "\n".join(str(list(row.values())) for name in names for row in rig.sql(rows.format(name)))


def test_the_database_holds_no_secret(after_much_trouble: Deployment) -> None:
    found = dump(after_much_trouble)

    assert CUSTOMER_WORDS in found  # the dump shows what is there
    assert not [secret for secret in everything_secret(after_much_trouble) if secret in found]
    assert not JWT.search(found)
    assert not BEARER.search(found)


@ON_SQLITE
def test_the_files_of_the_database_hold_no_secret(after_much_trouble: Deployment) -> None:
    rig = after_much_trouble.rig
    raw = b"".join(file.read_bytes() for file in rig.folder.glob("kommobridge.sqlite3*"))

    assert CUSTOMER_WORDS.encode() in raw
    assert not [secret for secret in everything_secret(after_much_trouble) if secret.encode() in raw]


def test_the_logs_at_debug_hold_no_secret(after_much_trouble: Deployment) -> None:
    log = after_much_trouble.rig.log()

    assert after_much_trouble.rig.env["LOG_LEVEL"] == "DEBUG"
    assert "exchange taken" in log
    assert "request could not be stored" in log
    assert not [secret for secret in everything_secret(after_much_trouble) if secret in log]
    assert not JWT.search(log)
    assert not BEARER.search(log)


def test_the_logs_hold_no_words_of_customers_or_owners_and_no_hook_key(after_much_trouble: Deployment) -> None:
    log = after_much_trouble.rig.log()
    tenants = (after_much_trouble.acme, after_much_trouble.rival, after_much_trouble.nowhere)

    assert CUSTOMER_WORDS not in log
    assert not [tenant.name for tenant in tenants if prompt_of(tenant.name) in log]
    assert not [tenant.name for tenant in tenants if tenant.key in log]


def test_every_line_of_the_log_is_json(after_much_trouble: Deployment) -> None:
    lines = after_much_trouble.rig.log().splitlines()

    assert not [line for line in lines if not (line.startswith("{") and line.endswith("}"))]


def test_no_answer_to_a_customer_holds_a_secret(after_much_trouble: Deployment) -> None:
    said = "\n".join(call.message for call in after_much_trouble.acme.kommo.calls)

    assert not [secret for secret in everything_secret(after_much_trouble) if secret in said]
