"""`manage.py widget`: an account's zip in a file, and any zip judged."""

import json
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import call_command

from bots.management.commands.widget import key_last
from bots.models import Account, HookKey, Membership
from bots.widget import check_widget
from kommobridge.base.environment import PROJECT_DIR
from tests.bots.widget.zips import files_of, our_zip, with_manifest
from tests.cast import NOON, a_member, an_account
from tests.environment import run_environment


@pytest.fixture
def widget(capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a function that runs the command and returns its exit code, output and errors."""

    def widget(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            call_command("widget", *key_last([str(argument) for argument in arguments]))
        except SystemExit as stop:
            code = int(str(stop.code))
        told = capsys.readouterr()
        return code, told.out, told.err

    return widget


def acme(*, key: str = "acme-hook-key-of-some-length", **fields: Any) -> Account:
    account = an_account("Acme", **fields)
    HookKey.objects.filter(account=account).update(value=key)
    return account


@pytest.fixture
def file(tmp_path):
    return tmp_path / "widget.zip"


def manifest_in(file):
    return json.loads(files_of(file.read_bytes())["manifest.json"])


# building


@pytest.mark.django_db
def test_the_zip_calls_the_accounts_address_and_is_good(widget, file, settings):
    settings.PUBLIC_URL = "https://bridge.example.com"
    account = acme()
    assert widget(account.key, "--output", file) == (0, f"{file}: widget 1.0.0 for Acme, {account.hook_url}\n", "")
    content = file.read_bytes()
    assert check_widget(content) == ()
    assert f'"{account.hook_url}"' in files_of(content)["script.js"].decode()
    assert account.hook_url.startswith("https://bridge.example.com/kommo/")


@pytest.mark.django_db
def test_building_again_writes_the_same_bytes_over_the_file(widget, file):
    account = acme()
    widget(account.key, "--output", file)
    first = file.read_bytes()
    file.write_bytes(b"something else")
    assert widget(account.key, "--output", file)[0] == 0
    assert file.read_bytes() == first


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["-hook-key", "-_hook-key-", "_hook-key", "00000000", "k" * 64])
def test_a_key_of_any_form_is_found(widget, file, key):
    assert widget(acme(key=key).key, "--output", file)[0] == 0
    assert f"/kommo/{key}/widget-request/" in files_of(file.read_bytes())["script.js"].decode()


@pytest.mark.parametrize(
    "argv",
    [
        ["--check", "x.zip"],
        ["-v", "0", "acme-hook-key", "--output", "x"],
        ["--version", "1.0.0"],
        ["-", "-h"],
        ["--output", "x", "--", "-hook-key"],
    ],
)
def test_options_stay_where_they_are(argv):
    assert key_last(argv) == argv


@pytest.mark.django_db
def test_a_previous_key_finds_the_account_and_the_zip_gets_the_current_one(widget, file):
    account = acme()
    before = account.key
    account.set_key("a-new-hook-key-of-some-length", now=NOON)
    assert widget(before, "--output", file)[0] == 0
    script = files_of(file.read_bytes())["script.js"].decode()
    assert before not in script
    assert "a-new-hook-key-of-some-length" in script


@pytest.mark.django_db
def test_the_version_is_what_the_caller_says(widget, file):
    assert widget(acme().key, "--output", file, "--version", "1.0.7")[0] == 0
    assert manifest_in(file)["widget"]["version"] == "1.0.7"


@pytest.mark.django_db
def test_the_version_grows_with_each_change_and_is_the_admins(widget, file):
    account = acme()
    for name, version in (("Acme", "1.0.0"), ("Acme", "1.0.0"), ("Acme Bikes", "1.0.1")):
        Account.objects.filter(pk=account.pk).update(name=name)
        widget(account.key, "--output", file)
        assert manifest_in(file)["widget"]["version"] == version
    assert Account.objects.get(pk=account.pk).widget_version == "1.0.1"


@pytest.mark.django_db
def test_a_higher_version_is_remembered(widget, file):
    account = acme()
    assert widget(account.key, "--output", file, "--version", "2.0.10")[2] == ""
    assert Account.objects.get(pk=account.pk).widget_version == "2.0.10"


@pytest.mark.django_db
def test_a_version_that_doesnt_come_later_is_built_with_a_warning_and_not_remembered(widget, file):
    account = acme()
    widget(account.key, "--output", file, "--version", "1.0.10")
    code, out, err = widget(account.key, "--output", file, "--version", "1.0.9")
    assert (code, out) == (0, f"{file}: widget 1.0.9 for Acme, {account.hook_url}\n")
    assert err.startswith("warning: 1.0.9 does not come after 1.0.10, the account's last version; Kommo may refuse it.")
    assert manifest_in(file)["widget"]["version"] == "1.0.9"
    assert Account.objects.get(pk=account.pk).widget_version == "1.0.10"


@pytest.mark.django_db
def test_a_salesbot_is_written_alone_or_beside_the_widget(widget, file, tmp_path):
    account, salesbot = acme(), tmp_path / "salesbot.json"
    assert widget(account.key, "--salesbot", salesbot) == (0, f"{salesbot}: Salesbot for Acme\n", "")
    assert not file.exists()
    assert Account.objects.get(pk=account.pk).widget_version == ""
    alone = salesbot.read_bytes()
    assert widget(account.key, "--output", file, "--salesbot", salesbot, "--greeting", "Good day!")[0] == 0
    assert check_widget(file.read_bytes()) == ()
    model = json.loads(salesbot.read_text(encoding="utf-8"))["model"]
    assert model["name"] == "KommoBridge Acme"
    assert "Good day!" in model["text"]
    assert b"Good day!" not in alone


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--salesbot", "--output"])
def test_a_place_that_cant_be_written_is_named(widget, tmp_path, option):
    code, _, err = widget(acme().key, option, tmp_path)
    assert (code, err) == (1, f"{str(tmp_path)!a}: can't be written (Is a directory).\n")


@pytest.mark.django_db
def test_a_greeting_that_is_too_long_ends_with_one_line(widget, tmp_path):
    code, _, err = widget(acme().key, "--salesbot", tmp_path / "x.json", "--greeting", "x" * 1001)
    assert (code, err) == (1, "greeting: must not have more than 1000 characters, and it has 1001. Shorten it.\n")
    assert not (tmp_path / "x.json").exists()


@pytest.mark.django_db
def test_support_is_the_first_active_owner_at_the_bridge(widget, file, settings):
    settings.PUBLIC_URL = "https://bridge.example.com"
    account = acme()
    a_member(account, Membership.Role.VIEWER, email="viewer@acme.test")
    a_member(account, email="gone@acme.test", is_active=False)
    a_member(account, email="owner@acme.test")
    a_member(account, email="second@acme.test")
    widget(account.key, "--output", file)
    support = {"link": "https://bridge.example.com", "email": "owner@acme.test"}
    assert manifest_in(file)["widget"]["support"] == support


@pytest.mark.django_db
def test_without_owners_support_is_an_address_at_the_bridges_host(widget, file, settings):
    settings.PUBLIC_URL = "https://bridge.example.com:8443"
    widget(acme().key, "--output", file)
    assert manifest_in(file)["widget"]["support"]["email"] == "support@bridge.example.com"


@pytest.mark.django_db
def test_support_can_be_given(widget, file):
    given = ("--support-email", "help@agency.test", "--support-link", "https://agency.test/help")
    widget(acme().key, "--output", file, *given)
    support = {"link": "https://agency.test/help", "email": "help@agency.test"}
    assert manifest_in(file)["widget"]["support"] == support


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("origin", "given", "has_russian"),
    [
        ("https://acme.kommo.com", (), False),
        ("https://acme.amocrm.ru", (), True),
        ("http://127.0.0.1:8090", (), False),
        ("http://127.0.0.1:8090", ("--hosts", "amocrm"), True),
        ("https://acme.amocrm.ru", ("--hosts", "kommo"), False),
    ],
)
def test_russian_is_in_the_zip_for_accounts_of_amocrm(widget, file, origin, given, has_russian):
    account = acme(origin=origin)
    assert widget(account.key, "--output", file, *given)[0] == 0
    assert ("ru" in manifest_in(file)["widget"]["locale"]) is has_russian


@pytest.mark.django_db
def test_an_unknown_key_ends_with_one_line_that_doesnt_repeat_it(widget, file):
    an_account()
    code, out, err = widget("some-unknown-hook-key", "--output", file)
    assert (code, out) == (1, "")
    assert err == "KEY: is no account's hook key. It is the part of the account's address after /kommo/.\n"
    assert not file.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            ("--version", "1.0"),
            "version: must be three numbers such as 1.0.3. Give one that is higher than the last.\n",
        ),
        (
            ("--support-email", "nobody"),
            "support_email: must be an e-mail address. Kommo shows it to the account's users.\n",
        ),
    ],
)
def test_a_wrong_value_ends_with_one_line_and_writes_nothing(widget, file, given, line):
    assert widget(acme().key, "--output", file, *given) == (1, "", line)
    assert not file.exists()


@pytest.mark.processes
def test_a_database_that_isnt_ready_is_told_in_one_line(file):
    command = [sys.executable, "manage.py", "widget", "-hook-key", "--output", str(file)]
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=run_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The database refused (OperationalError). Is DATABASE_URL right, and did `migrate` run?\n"


# judging


def test_a_good_zip_is_said_to_be_good(widget, file):
    file.write_bytes(our_zip())
    assert widget("--check", file) == (0, "This zip is good.\n", "")


def test_each_breach_is_one_line_and_the_exit_code_tells(widget, file):
    file.write_bytes(with_manifest(widget__version="1", tour__is_tour=False, widget__support=...))
    code, out, err = widget("--check", file)
    assert (code, err) == (1, "Kommo would refuse this zip.\n")
    lines = out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("manifest.json: widget.version must be ")
    assert lines[1].startswith("manifest.json: tour.is_tour must be ")
    assert [line.startswith("warning: manifest.json: widget.support.") for line in lines] == [False, False, True, True]


def test_warnings_alone_dont_fail(widget, file):
    file.write_bytes(with_manifest(widget__support=...))
    code, out, err = widget("--check", file)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "Kommo would take this zip, but mind the warnings."


def test_russian_is_judged_by_the_hosts(widget, file):
    file.write_bytes(our_zip(hosts="amocrm"))
    assert widget("--check", file)[0] == 1
    assert widget("--check", file, "--hosts", "amocrm") == (0, "This zip is good.\n", "")


def test_a_file_that_isnt_there_is_named(widget, tmp_path):
    code, _, err = widget("--check", tmp_path / "none.zip")
    assert (code, err) == (1, f"{str(tmp_path / 'none.zip')!a}: can't be read (No such file or directory).\n")


def test_a_huge_file_is_refused_without_being_read_whole(widget, tmp_path):
    huge = tmp_path / "huge.zip"
    with huge.open("wb") as opened:
        opened.truncate(64 * 1024**3)  # a hole: takes no space, but would not fit into memory
    code, out, _ = widget("--check", huge)
    assert (code, out) == (1, "zip: must not be larger than 10 MB; leave out what isn't needed.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a-hook-key",),
        ("--output", "x.zip"),
        ("--salesbot", "x.json"),
        ("a-hook-key", "--check", "x.zip"),
        ("--check", "a", "--output", "b"),
        ("--check", "a", "--salesbot", "b"),
    ],
)
def test_anything_else_ends_with_what_may_be_said(widget, arguments):
    line = "Say either KEY with --output FILE, --salesbot FILE or both, or --check FILE.\n"
    assert widget(*arguments) == (1, "", line)


@pytest.mark.django_db
def test_judging_asks_no_database(widget, file, django_assert_num_queries):
    file.write_bytes(our_zip())
    with django_assert_num_queries(0):
        widget("--check", file)
    assert HookKey.objects.count() == 0
