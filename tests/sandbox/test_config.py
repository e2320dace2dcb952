import json
import re

import pytest

from sandbox.config import ConfigError, change_account, demo_config, parse_config, read_config, with_rate
from tests.sandbox.bridge import SECRET, TOKEN, an_account


def config_of(**changes):
    return parse_config({"accounts": [an_account(**changes)]}).accounts[0]


def test_what_is_left_out_has_a_default():
    account = config_of()

    assert (account.encoding, account.algorithm, account.bot_type) == ("form", "HS256", "salesbot")
    assert (account.channel, account.greeting, account.port, account.when_busy) == ("telegram", "", None, "hold")


def test_each_account_gets_a_salesbot_id_of_its_own():
    listed = [an_account(subdomain=f"a{n}", access_token=f"t{n}") for n in range(3)]
    listed[1]["salesbot_id"] = 61001

    ids = [account.salesbot_id for account in parse_config({"accounts": listed}).accounts]

    assert len(set(ids)) == 3
    assert ids[1] == 61001


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"kommo_id": "31337"}, "accounts[0].kommo_id: must be a whole number from 1"),
        ({"kommo_id": True}, "accounts[0].kommo_id: must be a whole number from 1"),
        ({"client_secret": ""}, "accounts[0].client_secret: must not be empty"),
        ({"access_token": 5}, "accounts[0].access_token: must be a text"),
        ({"hook_url": "ftp://somewhere"}, "accounts[0].hook_url: must be a whole http or https address"),
        ({"hook_url": "/kommo/x"}, "accounts[0].hook_url: must be a whole http or https address"),
        ({"encoding": "xml"}, "accounts[0].encoding: must be one of form, json"),
        ({"algorithm": "none"}, "accounts[0].algorithm: must be one of HS256, HS512"),
        ({"subdomain": "De mo"}, "accounts[0].subdomain: must be of a-z, 0-9 and hyphens"),
        ({"port": 70000}, "accounts[0].port: must be a whole number from 0 to 65535"),
        ({"data": {"instruction": 5}}, "accounts[0].data.instruction: must be a text"),
        ({"colour": "red"}, "accounts[0].colour: is not known; known are subdomain"),
        (
            {"widget_flow": [{"question": [{"handler": "find", "params": {}}]}]},
            'handler "find" is documented by Kommo but not run here',
        ),
        ({"salesbot_flow": {"0": {"question": [{"handler": "x"}]}}}, 'salesbot_flow[0].question[0]: handler "x"'),
        ({"salesbots": {}}, "accounts[0].salesbots: must be a list of objects with id, name and flow"),
        ({"salesbots": [{"id": 1, "name": "B"}]}, "accounts[0].salesbots[0]: must be an object with id, name and flow"),
        ({"salesbots": [{"id": 1, "name": "B", "flow": []}]}, "accounts[0].salesbots[0].flow: must be a list of steps"),
        ({"plan": "free"}, "accounts[0].plan: must be one of base, advanced"),
        ({"unsorted": "yes"}, "accounts[0].unsorted: must be true or false"),
        ({"on_bad_ack": "retry"}, "accounts[0].on_bad_ack: must be one of wait, fall_through"),
        ({"gives_up_s": -1}, "accounts[0].gives_up_s: must be a whole number from 0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_field_is_named_with_its_rule(changes, line):
    with pytest.raises(ConfigError, match=re.escape(line)):
        config_of(**changes)


@pytest.mark.parametrize("field", ["subdomain", "kommo_id", "client_id", "client_secret", "access_token"])
def test_a_missing_field_is_named(field):
    account = an_account()
    del account[field]

    with pytest.raises(ConfigError, match=rf"accounts\[0\]\.{field}: is required"):
        parse_config({"accounts": [account]})


@pytest.mark.parametrize("raw", [[], {}, {"accounts": []}, {"accounts": {}}, {"accounts": [an_account()], "x": 1}])
def test_a_config_without_accounts_or_with_more_is_refused(raw):
    with pytest.raises(ConfigError):
        parse_config(raw)


@pytest.mark.parametrize("field", ["subdomain", "access_token", "salesbot_id", "port"])
def test_two_accounts_that_cannot_be_told_apart_are_refused(field):
    shared = {"subdomain": "demo", "access_token": TOKEN, "salesbot_id": 7, "port": 4000}
    both = [{**an_account(subdomain=f"a{n}", access_token=f"t{n}"), field: shared[field]} for n in range(2)]

    with pytest.raises(ConfigError, match=rf"accounts\.{field}: must differ"):
        parse_config({"accounts": both})


def test_secrets_do_not_show_when_an_account_is_printed():
    assert SECRET not in repr(config_of())
    assert TOKEN not in repr(config_of())


@pytest.mark.parametrize("field", ["subdomain", "port", "salesbot_id", "bot_type"])
def test_what_addresses_are_made_of_is_fixed_at_run_time(field):
    value = {"subdomain": "other", "port": 1, "salesbot_id": 5, "bot_type": "marketingbot"}[field]

    with pytest.raises(ConfigError, match=f"account.{field}: is fixed"):
        change_account(config_of(), {field: value})


def test_a_file_is_read(tmp_path):
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps({"rate": 20, "accounts": [an_account(name="Café")]}), encoding="utf-8")

    config = read_config(path)

    assert (config.rate, config.accounts[0].name) == (20.0, "Café")


@pytest.mark.parametrize(("text", "line"), [(None, "cannot read"), ("{", "is not JSON")], ids=["missing", "broken"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text, line):
    path = tmp_path / "sandbox.json"
    if text:
        path.write_text(text)

    with pytest.raises(ConfigError, match=f"--config: .*{line}"):
        read_config(path)


@pytest.mark.parametrize("rate", [-1, "7", True, float("nan"), float("inf")])
def test_a_rate_that_is_no_number_from_zero_is_refused(rate):
    with pytest.raises(ConfigError, match="rate: must be a number"):
        with_rate(demo_config(), rate)


def test_each_start_without_a_config_makes_secrets_of_its_own():
    one, other = demo_config().accounts[0], demo_config().accounts[0]

    assert one.client_secret != other.client_secret
    assert one.access_token != other.access_token


def test_what_holds_for_the_whole_sandbox_is_read_too():
    config = parse_config(
        {
            "accounts": [an_account()],
            "block_after": 3,
            "block_s": 60,
            "bridge_admin_url": "http://127.0.0.1:8000/admin/",
        }
    )

    assert (config.block_after, config.block_s, config.bridge_admin_url) == (3, 60, "http://127.0.0.1:8000/admin/")
    with pytest.raises(ConfigError, match="block_after: must be a whole number from 0"):
        parse_config({"accounts": [an_account()], "block_after": "3"})


@pytest.mark.parametrize("where", ["own", "other"])
def test_a_members_token_must_be_nobody_elses(where):
    accounts = [an_account(member_token=TOKEN if where == "own" else "other-token")]
    accounts.append(an_account(subdomain="rival", access_token="other-token"))

    with pytest.raises(ConfigError, match=r"accounts\.access_token: must differ"):
        parse_config({"accounts": accounts})


def test_a_further_salesbot_must_not_have_a_number_that_is_taken():
    bot = {"id": 61001, "name": "Second", "flow": [{"question": []}]}

    with pytest.raises(ConfigError, match=r"accounts\.salesbot_id: must differ"):
        parse_config({"accounts": [an_account(salesbot_id=61001, salesbots=[bot])]})
    assert parse_config({"accounts": [an_account(salesbots=[bot])]}).accounts[0].bot_ids == (61002, 61001)
