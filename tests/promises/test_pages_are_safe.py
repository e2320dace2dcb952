"""On every page of the admin: no script or style within it, nobody's text becomes markup, and no secret is shown."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from bots.states import State
from kommobridge.security import ADMIN_POLICY, HEADER, written
from tests.promises.pages import every_page, form_of, list_page, registered, row_pages, submit, taken_apart
from tests.promises.world import World, a_world, as_

LOOKERS = ("operator", "owner", "viewer")

# Each would run, or change the page, in some place where text is not escaped: between tags, in an attribute with
# either quote, in a script, in an expression of the theme, in a template, as an address.
HOSTILE = (
    "<kbx onx=1></kbx>\"><kbx onx=2>'><kbx onx=3></script><kbx onx=4></textarea><kbx onx=5></title><kbx onx=6>"
    "--><kbx onx=7>${kbx}{{kbx}}{% kbx %}javascript:kbx()' x-init='kbx()' onclick=\"kbx()\" `kbx`"
    "\\u003ckbx\\u003e &lt;kbx&gt;"
)

pytestmark = pytest.mark.django_db


def pages_seen(world: World, who: str) -> Iterator[tuple[str, Any]]:
    """Give the pages that somebody opens, and what came."""
    client = as_(getattr(world.people, who))
    for address in every_page(world.of_acme()):
        yield address, client.get(address)


@pytest.mark.parametrize("who", LOOKERS)
def test_every_page_bears_the_policy_and_nothing_that_it_refuses(who: str):
    world = a_world(states=tuple(State))
    opened = 0
    for address, response in pages_seen(world, who):
        assert response.headers[HEADER] == written(ADMIN_POLICY), address
        if "text/html" in response.headers.get("Content-Type", ""):
            assert refused_by_the_policy(response.content.decode()) == [], address
            opened += response.status_code == 200
    assert opened > 20


def refused_by_the_policy(html: str) -> list[str]:
    """Give what the browser would refuse to run or to apply: inline scripts, styles and handlers."""
    found = []
    for tag in taken_apart(html).tags:
        names = set(tag.attributes)
        is_data = tag.attributes.get("type") == "application/json"
        if tag.name == "style" or (tag.name == "script" and "src" not in names and not is_data):
            found.append(f"<{tag.name}>")
        found += [f"{tag.name} {name}" for name in names if name == "style" or name.startswith("on")]
        found += [value for value in tag.attributes.values() if value.strip().lower().startswith("javascript:")]
    return found


def test_the_page_taker_sees_what_a_browser_would_refuse():
    bad = '<style>a{}</style><script>1</script><p style="x" onclick="y"><a href="javascript:z">'
    assert len(refused_by_the_policy(bad)) == 5
    assert refused_by_the_policy('<script src="/x.js"></script><script type="application/json">{}</script>') == []


@pytest.mark.parametrize("who", LOOKERS)
def test_nobodys_text_becomes_markup_or_an_expression(who: str):
    """Names, prompts, messages, answers, errors and addresses, each of them hostile."""
    world = a_world(acme_mark=HOSTILE, states=tuple(State))
    seen = 0
    for address, response in pages_seen(world, who):
        html = response.content.decode("utf-8", "replace")
        assert made_of_text(html) == [], address
        seen += "kbx" in html
    assert seen > 15


def made_of_text(html: str) -> list[str]:
    """Give tags, attributes and expressions that came from our hostile text."""
    found = []
    for tag in taken_apart(html).tags:
        found += [tag.name] if tag.name == "kbx" else []
        for name, value in tag.attributes.items():
            is_expression = name.startswith(("x-", "@", ":", "hx-", "on"))
            is_address = name in ("href", "src", "action") and value.strip().lower().startswith("javascript")
            if (name in ("onx", "x-init") and "kbx" in value) or ("kbx" in value and (is_expression or is_address)):
                found.append(f"{tag.name} {name}={value[:60]}")
    return found


def test_the_page_taker_sees_markup_made_of_text():
    assert made_of_text(f"<p>{HOSTILE}</p>")
    assert made_of_text(f'<p title="{HOSTILE}">')
    assert made_of_text("<p x-data=\"{a: 'kbx'}\">")
    assert made_of_text('<a href="javascript:kbx()">')
    assert not made_of_text('<p title="&lt;kbx onx=1&gt;">&lt;kbx onx=1&gt;</p>')


@pytest.mark.parametrize("who", LOOKERS)
def test_no_page_shows_a_secret(who: str):
    world = a_world()
    canaries = canaries_of(world)
    for address, response in pages_seen(world, who):
        told = response.content.decode("utf-8", "replace")
        assert [secret for secret in canaries if secret in told] == [], address
        assert "enc1:" not in told, f"{address} shows a ciphertext"


def canaries_of(world: World) -> list[str]:
    """Give every secret that there is, as it is read."""
    accounts = [world.people.acme, world.people.rival]
    found = [getattr(a, name) for a in accounts for name in ("client_secret", "previous_client_secret", "access_token")]
    found += [provider.api_key for account in accounts for provider in account.providers.all()]
    assert all(secret.endswith("-canary") for secret in found)
    return found


def test_no_secret_that_is_set_on_a_page_reaches_a_page_or_the_history():
    """Also not on the page that comes back when something else in the form is wrong."""
    world = a_world()
    operator = as_(world.people.operator)
    for row in [world.people.acme, *world.people.acme.providers.all()]:
        address = row_pages(row)["change"]
        names = [name for name in form_of(operator.get(address).content.decode()) if name.startswith("new_")]
        assert names
        secrets = {name: f"planted-{name}" for name in names}
        refused = submit(operator, address, name="", **secrets)
        assert "planted-" not in refused.content.decode()
        assert submit(operator, address, name="fine", **secrets).status_code == 302
    for address, response in pages_seen(world, "operator"):
        assert "planted-" not in response.content.decode("utf-8", "replace"), address
    kept = json.dumps(list(LogEntry.objects.values("object_repr", "change_message")))
    assert "planted-" not in kept
    assert "Long-lived token" in kept


def test_no_list_keeps_a_secret_in_its_address():
    world = a_world()
    operator = as_(world.people.operator)
    for model in registered():
        html = operator.get(list_page(model)).content.decode()
        assert "secret" not in " ".join(tag.attributes.get("href", "") for tag in taken_apart(html).tags)
