"""Which origins an account may have."""

import pytest

from bots.kommo import BadOrigin, check_origin, is_extra_origin

EXTRA = ("http://127.0.0.1:9101", "https://kommo.intern.example")


@pytest.mark.parametrize(
    "origin",
    [
        "https://acme.kommo.com",
        "https://a.kommo.com",
        "https://velo-lyon.amocrm.com",
        "https://velo1.amocrm.ru",
        "https://apiary.kommo.com",
        "https://drive-shop.kommo.com",
        f"https://{'a' * 63}.kommo.com",
        *EXTRA,
    ],
)
def test_an_origin_of_kommo_or_of_the_deployment_is_handed_back(origin: str):
    assert check_origin(origin, extra=EXTRA) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "acme.kommo.com",
        "http://acme.kommo.com",
        "https://acme.kommo.com/",
        "https://acme.kommo.com:443",
        "https://Acme.kommo.com",
        "https://acme.kommo.com.",
        "https://user@acme.kommo.com",
        "https://kommo.com",
        "https://www.kommo.com",
        "https://api-c.kommo.com",
        "https://api-g.kommo.com",
        "https://drive-c.kommo.com",
        "https://a.b.kommo.com",
        "https://-acme.kommo.com",
        "https://acme-.kommo.com",
        "https://ac_me.kommo.com",
        f"https://{'a' * 64}.kommo.com",
        "https://acme.kommo.community",
        "https://evilkommo.com",
        "https://acme.kommo.com.attacker.example",
        "https://acme.kommo.com\n",
        " https://acme.kommo.com",
        "https://\u0430cme.kommo.com",
        "https://acme\u3002kommo.com",
        "https://acme.kommo.com?x",
        "https://acme.kommo.com#x",
        "https://acme.kommo.com\\x",
        "https://127.0.0.1",
        "http://127.0.0.1:9101/",
        "http://127.0.0.1:91010",
        "http://127.0.0.1:910",
        "HTTP://127.0.0.1:9101",
        "https://kommo.intern.example:443",
    ],
)
def test_another_origin_is_refused_and_the_way_out_is_named(origin: str):
    with pytest.raises(BadOrigin, match="KOMMO_EXTRA_ORIGINS") as refused:
        check_origin(origin, extra=EXTRA)
    assert refused.value.fault.field == "origin"


def test_an_extra_origin_is_compared_whole():
    assert is_extra_origin("http://127.0.0.1:9101", EXTRA)
    assert not is_extra_origin("http://127.0.0.1:9101/", EXTRA)
    assert not is_extra_origin("127.0.0.1", EXTRA)
    assert not is_extra_origin("https://acme.kommo.com", EXTRA)
