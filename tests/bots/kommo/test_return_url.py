"""Nothing but the account's own continue addresses is ever called."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.kommo import ForeignReturnUrl, ReturnUrl, parse_return_url, post_continue
from tests.bots.kommo.raw_server import RawServer

ORIGIN = "https://velo-lyon.kommo.com"
PATH = "/api/v4/salesbot/4821/continue/90017"
GOOD = ORIGIN + PATH

# {port} is the honeypot's.
HOSTILE = {
    # other hosts
    "loopback": f"http://127.0.0.1:{{port}}{PATH}",
    "loopback with https": f"https://127.0.0.1:{{port}}{PATH}",
    "localhost": f"https://localhost:{{port}}{PATH}",
    "loopback as one number": f"https://2130706433:{{port}}{PATH}",
    "loopback in hex": f"https://0x7f000001:{{port}}{PATH}",
    "loopback in octal": f"https://0177.0.0.1:{{port}}{PATH}",
    "loopback, short": f"https://127.1:{{port}}{PATH}",
    "loopback of IPv6": f"https://[::1]:{{port}}{PATH}",
    "loopback mapped": f"https://[::ffff:127.0.0.1]:{{port}}{PATH}",
    "all zeros": f"https://0.0.0.0:{{port}}{PATH}",
    "cloud metadata": f"https://169.254.169.254{PATH}",
    "cloud metadata mapped": f"https://[::ffff:a9fe:a9fe]{PATH}",
    "private network": f"https://10.0.0.1{PATH}",
    "another account": f"https://rival.kommo.com{PATH}",
    "apex": f"https://kommo.com{PATH}",
    "www": f"https://www.kommo.com{PATH}",
    "another suffix of Kommo": f"https://velo-lyon.amocrm.com{PATH}",
    # look-alikes
    "our host as a subdomain": f"https://velo-lyon.kommo.com.attacker.example{PATH}",
    "our host behind a hyphen": f"https://evil-velo-lyon.kommo.com{PATH}",
    "host glued on": f"https://velo-lyon.kommo.com.{PATH}",
    "host begins like ours": f"https://velo-lyon.kommo.community{PATH}",
    "host without its dot": f"https://velo-lyonxkommo.com{PATH}",
    "our origin in the path": f"https://attacker.example/{ORIGIN}{PATH}",
    "our origin in the query": f"https://attacker.example/?{GOOD}",
    "our origin in the fragment": f"https://attacker.example/#{GOOD}",
    "subdomain of ours": f"https://a.velo-lyon.kommo.com{PATH}",
    # user-info
    "our host as user": f"https://velo-lyon.kommo.com@127.0.0.1:{{port}}{PATH}",
    "our host as user and password": f"https://velo-lyon.kommo.com:443@127.0.0.1:{{port}}{PATH}",
    "user before our host": f"https://user@velo-lyon.kommo.com{PATH}",
    "empty user": f"https://@velo-lyon.kommo.com{PATH}",
    "two at signs": f"https://velo-lyon.kommo.com@x@127.0.0.1:{{port}}{PATH}",
    "encoded at sign": f"https://velo-lyon.kommo.com%40127.0.0.1:{{port}}{PATH}",
    "backslash and at sign": f"https://127.0.0.1:{{port}}\\@velo-lyon.kommo.com{PATH}",
    "fragment and at sign": f"https://127.0.0.1:{{port}}#@velo-lyon.kommo.com{PATH}",
    "query and at sign": f"https://127.0.0.1:{{port}}?@velo-lyon.kommo.com{PATH}",
    # spelling of scheme and host
    "http": GOOD.replace("https", "http"),
    "upper-case scheme": GOOD.replace("https", "HTTPS"),
    "no scheme": GOOD.removeprefix("https:"),
    "ftp": GOOD.replace("https", "ftp"),
    "javascript": f"javascript://velo-lyon.kommo.com{PATH}",
    "scheme with backslashes": GOOD.replace("//", "\\\\", 1),
    "three slashes": GOOD.replace("//", "///", 1),
    "one slash": GOOD.replace("//", "/", 1),
    "upper-case host": GOOD.replace("velo-lyon", "Velo-Lyon"),
    "upper-case suffix": GOOD.replace("kommo.com", "KOMMO.COM"),
    "port": GOOD.replace("kommo.com", "kommo.com:443"),
    "another port": GOOD.replace("kommo.com", "kommo.com:8443"),
    "empty port": GOOD.replace("kommo.com", "kommo.com:"),
    "dot behind the host": GOOD.replace("kommo.com", "kommo.com."),
    "encoded dot": GOOD.replace("kommo.com", "kommo%2ecom"),
    # Unicode
    "full-width letter": GOOD.replace("kommo", "kom\uff4do"),
    "ideographic dot": GOOD.replace("kommo.com", "kommo\u3002com"),
    "Cyrillic letter": GOOD.replace("kommo", "k\u043emmo"),
    "soft hyphen": GOOD.replace("kommo", "kom\xadmo"),
    "zero-width space": GOOD.replace("kommo", "kom\u200bmo"),
    "long s": GOOD.replace("salesbot", "\u017falesbot"),
    "Kelvin sign": GOOD.replace("kommo", "\u212aommo"),
    "full-width slash": GOOD.replace("/api", "\uff0fapi"),
    # path
    "parent folder": f"{ORIGIN}/api/v4/salesbot/../../../oauth2/access_token",
    "parent folder before a good path": f"{ORIGIN}/x/..{PATH}",
    "encoded parent folder": f"{ORIGIN}/api/v4/salesbot/4821/continue/%2e%2e%2f90017",
    "dot": f"{ORIGIN}/.{PATH}",
    "two slashes before the path": f"{ORIGIN}/{PATH}",
    "two slashes within": GOOD.replace("/continue", "//continue"),
    "slash behind": GOOD + "/",
    "one more part": GOOD + "/delete",
    "another version": GOOD.replace("v4", "v3"),
    "another kind of bot": GOOD.replace("salesbot", "chatbot"),
    "both kinds": GOOD.replace("salesbot", "salesbot|marketingbot"),
    "upper-case path": GOOD.replace("continue", "CONTINUE"),
    "another endpoint": f"{ORIGIN}/api/v4/leads",
    "no path": ORIGIN,
    "path only": PATH,
    "backslash in the path": GOOD.replace("/continue", "\\continue"),
    "encoded letter": GOOD.replace("salesbot", "%73alesbot"),
    "path parameter": GOOD + ";x=1",
    # what comes behind
    "query": GOOD + "?x=1",
    "empty query": GOOD + "?",
    "fragment": GOOD + "#x",
    "empty fragment": GOOD + "#",
    "space behind": GOOD + " ",
    "space before": " " + GOOD,
    "line feed behind": GOOD + "\n",
    "line feed within": GOOD.replace("/api", "\n/api"),
    "carriage return and a header": GOOD + "\r\nX-Header: 1",
    "tab within": GOOD.replace("kommo", "kom\tmo"),
    "NUL behind": GOOD + "\x00",
    "NUL within": GOOD.replace("/api", "/\x00api"),
    "encoded NUL": GOOD + "%00",
    "the address twice": GOOD + GOOD,
    # ids
    "no id": GOOD.removesuffix("90017"),
    "no Salesbot": GOOD.replace("4821", ""),
    "letters as id": GOOD.replace("90017", "abc"),
    "sign before the id": GOOD.replace("90017", "-1"),
    "plus before the id": GOOD.replace("90017", "+1"),
    "fraction as id": GOOD.replace("90017", "1.0"),
    "hex id": GOOD.replace("90017", "0x1f"),
    "Arabic digits": GOOD.replace("90017", "\u0669\u0660\u0660\u0661\u0667"),
    "full-width digits": GOOD.replace("90017", "\uff11"),
    "superscript digit": GOOD.replace("90017", "\xb2"),
    "id of twenty digits": GOOD.replace("90017", "1" * 20),
    "Salesbot of twenty digits": GOOD.replace("4821", "1" * 20),
    "underscore in the id": GOOD.replace("90017", "90_017"),
    "placeholder": GOOD.replace("90017", "{{continue_id}}"),
    # no text
    "nothing": "",
    "none": None,
    "a number": 90017,
    "a list": [GOOD],
    "bytes": GOOD.encode(),
}


@pytest.mark.parametrize("url", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_return_url_is_refused_and_nobody_is_called(url: object):
    with RawServer() as honeypot:
        told = url.replace("{port}", str(honeypot.port)) if isinstance(url, str) else url
        with pytest.raises(ForeignReturnUrl) as refused:
            call(told)
        assert honeypot.connections == 0
    assert refused.value.fault.field == "return_url"
    assert "attacker" not in str(refused.value)


def call(url: object) -> None:
    """Do what the program does with a return_url."""
    parts = parse_return_url(url, origin=ORIGIN)
    post_continue(parts.on(ORIGIN), access_token="token", body={}, exempt=True, total_timeout_s=0.5)


def test_the_corpus_of_hostile_addresses_is_large_enough():
    assert len(HOSTILE) >= 60


def test_the_honeypot_does_see_a_call_that_reaches_it():
    with RawServer() as honeypot:
        parts = parse_return_url(honeypot.origin + PATH, origin=honeypot.origin)
        post_continue(parts.on(honeypot.origin), access_token="token", body={}, exempt=True)
        assert honeypot.connections == 1


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (PATH, ReturnUrl(bot_type="salesbot", salesbot_id="4821", continue_id="90017")),
        (
            "/api/v4/marketingbot/1/continue/2",
            ReturnUrl(bot_type="marketingbot", salesbot_id="1", continue_id="2"),
        ),
        (
            f"/api/v4/salesbot/{'9' * 19}/continue/{'0' * 19}",
            ReturnUrl(bot_type="salesbot", salesbot_id="9" * 19, continue_id="0" * 19),
        ),
        ("/api/v4/salesbot/007/continue/08", ReturnUrl(bot_type="salesbot", salesbot_id="007", continue_id="08")),
    ],
    ids=["salesbot", "marketingbot", "longest ids", "leading zeros"],
)
@pytest.mark.parametrize(
    "origin", [ORIGIN, "https://velo.amocrm.ru", "http://127.0.0.1:9101", "http://kommo.test.local:1"]
)
def test_a_continue_address_of_the_account_is_taken_apart_and_built_again(origin: str, path: str, parts: ReturnUrl):
    found = parse_return_url(origin + path, origin=origin)
    assert found == parts
    assert found.on(origin) == origin + path


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=200) | st.text(max_size=40).map(lambda tail: ORIGIN + tail))
def test_whatever_comes_in_only_what_is_on_our_origin_passes(url: str):
    try:
        parts = parse_return_url(url, origin=ORIGIN)
    except ForeignReturnUrl:
        return
    assert parts.on(ORIGIN) == url


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_a_good_address_with_a_change_is_refused_or_still_ours(data: st.DataObject):
    place = data.draw(st.integers(0, len(GOOD)))
    removed = data.draw(st.integers(0, 3))
    inserted = data.draw(st.text(max_size=3))
    changed = GOOD[:place] + inserted + GOOD[place + removed :]
    try:
        parts = parse_return_url(changed, origin=ORIGIN)
    except ForeignReturnUrl:
        return
    assert changed.startswith(f"{ORIGIN}/api/v4/{parts.bot_type}/")
    assert changed.isascii()
    assert parts.salesbot_id.isdigit()
    assert parts.continue_id.isdigit()
    assert parts.on(ORIGIN) == changed
