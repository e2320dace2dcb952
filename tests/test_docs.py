"""What README and docs say is compared with the program where it can be: a document that no test reads grows false."""

import dataclasses
import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from bots.deliveries import Result, complaint, judge
from bots.kommo import BadAccessToken, KommoAnswer, NoAnswer, NotConnected, WidgetData, continue_body, shorten_for
from bots.models import Account, Bot
from bots.models.bot_settings import check_routes
from bots.provisioning import provision
from bots.states import MOVES, OPEN, Outcome, State
from kommobridge.base.environment import PROJECT_DIR, VARIABLES
from sandbox.salesbot.flows import exit_codes, parse_flow
from sandbox.widget import widget_flow_json
from tests.docs_reading import (
    FENCED,
    HEADING,
    json_under,
    leads_somewhere,
    name_of,
    relative_links,
    rows_of,
    section,
    sections_cited,
)

DOCS = PROJECT_DIR / "docs"
README = PROJECT_DIR / "README.md"
PAGES = sorted([README, PROJECT_DIR / "CHANGELOG.md", *DOCS.rglob("*.md")])
PACKAGES = ("bots", "kommobridge", "llm", "sandbox", "tests", "scripts")
CODE = sorted(path for package in PACKAGES for path in (PROJECT_DIR / package).rglob("*.py"))

# What stands for somebody's own machine or account in an example, and the public sites that we point at.
EXAMPLE_HOSTS = re.compile(r"127\.0\.0\.1|localhost|(?:[\w.-]+\.)?example\.com|acme\.kommo\.com|SUBDOMAIN\.kommo\.com")
PUBLIC_HOSTS = frozenset({"www.kommo.com", "developers.kommo.com"})
NAMES_OF_OTHERS = frozenset({"OPENAI_API_KEY", "HTTP_PROXY"})
PLACES_IN_BRACES = re.compile(r"\{[a-z_]+\}")
FOLDERS_OF_PEOPLE = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt|tmp)/")


def each_page() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=name_of)


# settings


def test_the_readme_has_the_table_of_every_variable_that_the_program_reads() -> None:
    rows = rows_of(README, heading="Configuration")

    assert rows == [[f"`{variable.name}`", variable.default, variable.meaning] for variable in VARIABLES]


@each_page()
def test_every_setting_that_a_page_names_is_one_of_the_program(page: Path) -> None:
    named = set(re.findall(r"(?:`|^ *)([A-Z]+_[A-Z_]+)(?:`|=)", page.read_text(), re.MULTILINE))

    assert named - {variable.name for variable in VARIABLES} - NAMES_OF_OTHERS == set()


# links


@each_page()
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    assert [link for link in relative_links(page) if not leads_somewhere(page, link)] == []


def test_every_page_under_docs_can_be_reached_from_the_readme() -> None:
    reached, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        linked = {(page.parent / link.partition("#")[0]).resolve() for link in relative_links(page)}
        found = {path for path in linked if path.suffix == ".md"} - reached
        reached |= found
        waiting += found

    assert set(DOCS.rglob("*.md")) - reached == set()


def test_every_page_that_the_code_names_is_there() -> None:
    named = {(name_of(path), page) for path in CODE for page in re.findall(r"docs/[\w/-]+\.md", path.read_text())}

    assert {(path, page) for path, page in named if not (PROJECT_DIR / page).is_file()} == set()


# sections of the protocol


def test_every_section_of_the_protocol_that_the_code_cites_is_there() -> None:
    sections = {text.split()[0].rstrip(".") for text in HEADING.findall((DOCS / "kommo-protocol.md").read_text())}

    missing = {
        (name_of(path), cited) for path in CODE for cited in sections_cited(path.read_text()) if cited not in sections
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("Source: protocol §2.5.", ["2.5"]),
        ("Source: protocol §2.1, §2.4; more", ["2.1", "2.4"]),
        ("the limits (protocol §9).", ["9"]),
        ("Source: protocol §2.1 to §2.4.", ["2.1", "2.4"]),
        ("Source: protocol §1.2; later protocol §4.7", ["1.2", "4.7"]),
        ("Source: another text §7.", []),
    ],
    ids=["one", "two", "a chapter", "a range", "two places", "another text"],
)
def test_sections_are_found_in_a_docstring(text: str, sections: list[str]) -> None:
    assert list(sections_cited(text)) == sections


# nothing of the place where a page was written


@each_page()
def test_a_page_names_hosts_of_kommo_and_of_examples_only(page: Path) -> None:
    addresses = re.findall(r"https?://([^\s/\"'`)>:…]+)", page.read_text())

    assert [host for host in addresses if not is_host_for_pages(host)] == []


@each_page()
def test_a_page_names_no_folder_of_the_machine_it_was_written_on(page: Path) -> None:
    assert FOLDERS_OF_PEOPLE.findall(page.read_text()) == []


# commands


@each_page()
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
    targets = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))

    assert commands - set(get_commands()) == set()
    assert targets - set(re.findall(r"^([a-z-]+):", (PROJECT_DIR / "Makefile").read_text(), re.MULTILINE)) == set()


OPTIONS_OF_COMMANDS = re.compile(r"manage\.py ([a-z_]+)((?:(?! and )[^`\n|])*)")


@each_page()
def test_every_option_that_a_page_names_is_one_of_its_command(page: Path) -> None:
    unknown = [
        (command, option)
        for command, rest in OPTIONS_OF_COMMANDS.findall(page.read_text())
        for option in re.findall(r"(?<![\w-])--[a-z-]+", rest)
        if option not in options_of(command)
    ]
    assert unknown == []


# settings of a bot


def test_the_table_of_a_bots_settings_names_them_as_its_page_does() -> None:
    named = [row[0] for row in rows_of(DOCS / "connect-kommo.md", heading="What makes a bot")]
    labels = {field.name: str(field.verbose_name) for field in Bot._meta.fields} | {"model_choices": "models"}

    assert [name for name in named if not any(label.startswith(name) for label in labels.values())] == []
    needed = ("prompt", "knowledge", "model_choices", "outputs", "offers_buttons", "links", "routes", "delivery")
    assert [name for name in needed if labels[name] not in named] == []


def test_the_ways_out_to_copy_are_taken_by_a_bot() -> None:
    text = section(DOCS / "connect-kommo.md", "What makes a bot").partition("\n## ")[0]
    examples = re.findall(r"`(\{\"[^`]+\})`", text)

    assert len(examples) == 2
    for example in examples:
        check_routes(json.loads(example))


# states, outcomes, and what Kommo's answers lead to


def test_the_glossary_lists_the_states_and_the_outcomes() -> None:
    assert [row[0].strip("`") for row in rows_of(DOCS / "glossary.md", heading="States")] == list(State)
    assert [row[0].strip("`") for row in rows_of(DOCS / "glossary.md", heading="Outcomes")] == list(Outcome)


def test_the_readme_draws_the_moves_that_the_program_allows() -> None:
    drawing = next(body for _, body in FENCED.findall(README.read_text()) if "received →" in body)
    way, _, ends = drawing.splitlines()[0].partition(" → delivered")
    steps = [State(step) for step in way.split(" → ")]

    assert all(after in MOVES[before] for before, after in itertools.pairwise(steps))
    finals = {State(end) for end in re.findall(r"\w+", f"delivered{ends}")}
    assert finals == MOVES[steps[-1]] - {State.SENDING, State.FAILED}
    assert set(steps) == OPEN
    assert all(State.FAILED in MOVES[step] for step in steps)


ANSWERS: Mapping[str, Result] = {
    "2xx": KommoAnswer(status=202),
    "no connection": NotConnected("refused", "no connection"),
    "no answer after the call went out": NoAnswer(),
    "5xx": KommoAnswer(status=503),
    "429": KommoAnswer(status=429),
    "403 as a web page: the address is blocked": KommoAnswer(status=403, is_html=True),
    "404": KommoAnswer(status=404),
    "400 or 422 because of the length": KommoAnswer(status=400, codes=("TooLong",)),
    "400 or 422 for another reason, or any other 4xx": KommoAnswer(status=422, codes=("InvalidType",)),
    "401": KommoAnswer(status=401),
    "403": KommoAnswer(status=403),
    "3xx": KommoAnswer(status=307),
    "none: the account's token or origin can't be used at all": BadAccessToken(),
}


@pytest.mark.parametrize("column", [1, 2], ids=["first call", "repetition"])
def test_the_table_of_deliveries_says_what_the_program_decides(column: int) -> None:
    told = {row[0]: row[column] for row in rows_of(DOCS / "decisions/deliveries.md")}
    decided = {answer: decision_in_words(result, is_repetition=column == 2) for answer, result in ANSWERS.items()}

    assert told == decided


# examples


def test_the_flow_to_copy_is_the_one_that_the_sandbox_runs() -> None:
    flow = json_under(DOCS / "connect-kommo.md", heading="The flow of the Widget step")
    request = flow[0]["question"][0]["params"]
    run = widget_flow_json(request["url"], request["data"])

    assert set(exit_codes(parse_flow(flow))) == set(Outcome)
    assert flow == [without_needless_test(step) for step in run]


@pytest.mark.django_db
def test_the_account_to_copy_can_be_provisioned() -> None:
    document = json_under(DOCS / "connect-kommo.md", heading="An account from a file")

    provision(document)

    account = Account.objects.get()
    bot = account.bots.get(is_default=True)
    assert account.hook_url.endswith(f"/kommo/{document['accounts'][0]['key']}/widget-request/")
    assert (bot.slug, account.providers.count(), account.memberships.count()) == ("default", 1, 1)


def test_the_flow_may_say_every_name_that_the_program_reads() -> None:
    cells = [row[0] for row in rows_of(DOCS / "connect-kommo.md", heading="What `data` may say")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert named == {field.name for field in dataclasses.fields(WidgetData)} - {"extra"}


@each_page()
def test_every_json_example_is_json(page: Path) -> None:
    for language, body in FENCED.findall(page.read_text()):
        if language == "json":
            json.loads(body)


def options_of(command: str) -> set[str]:
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings}


def is_host_for_pages(host: str) -> bool:
    host = host.rstrip(".,;")
    return bool(host in PUBLIC_HOSTS or EXAMPLE_HOSTS.fullmatch(host) or PLACES_IN_BRACES.fullmatch(host))


def decision_in_words(result: Result, *, is_repetition: bool) -> str:
    verdict = judge(result, probing=is_repetition, shortened=False, posts=2 if is_repetition else 1)
    if verdict.shorten:
        long = continue_body(status="success", message="A sentence. " * 100, outputs={})
        return "shortened, sent again" if shorten_for(long, complaint(result)) else "rejected"
    if verdict.state is State.SENDING:
        return "sent once more" if verdict.probe else "sent again"
    return verdict.state.value


def without_needless_test(step: dict[str, Any]) -> dict[str, Any]:
    """Leave out the sandbox's test for the status `fail`: the exit at the end of the step is the same."""
    needless = {"term1": "{{json.status}}", "term2": "fail", "operation": "="}
    kept = [handler for handler in step["question"] if needless not in handler["params"].get("conditions", [])]
    return step | {"question": kept}
