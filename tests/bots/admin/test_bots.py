"""The page of a bot."""

import html
import json
from typing import Any

import pytest
from django.test import Client

from bots.models import Bot, Membership, ModelChoice
from bots.scoping import Role
from bots.states import State
from tests.cast import Cast, a_bot, a_model_choice, a_provider, an_exchange
from tests.promises.pages import add_page, errors_of, form_of, list_page, row_pages, submit


@pytest.fixture
def bot(people: Cast) -> Bot:
    return a_bot(people.acme, slug="sales", name="Sales")


def again(bot: Bot) -> Bot:
    return Bot.objects.get(pk=bot.pk)


def new_model(number: int, provider: object, model: str = "gpt-4o-mini", **more: str) -> dict[str, Any]:
    """Give the fields of a line that was added to the models."""
    fields = {"provider": str(provider), "model": model, "position": str(number), "id": ""} | more
    return {f"model_choices__{number}__{name}": value for name, value in fields.items()}


# ---- writing one


def test_an_editor_adds_a_bot_with_its_models(editor: Client, people: Cast):
    provider = a_provider(people.acme)
    response = submit(
        editor,
        add_page(Bot),
        name="Sales",
        slug="sales",
        prompt="You sell bicycles.",
        model_choices__TOTAL_FORMS="1",
        **new_model(0, provider.pk),
    )
    assert response.status_code == 302, errors_of(response)
    bot = Bot.objects.get()
    assert (bot.account, bot.slug, bot.prompt) == (people.acme, "sales", "You sell bicycles.")
    choice = bot.model_choices.get()
    assert (choice.account, choice.provider, choice.model) == (people.acme, provider, "gpt-4o-mini")


def test_the_first_bot_of_an_account_becomes_its_default(editor: Client):
    submit(editor, add_page(Bot), name="Sales", slug="sales", prompt="x")
    assert Bot.objects.get().is_default


def test_a_second_bot_does_not(editor: Client, bot: Bot):
    submit(editor, add_page(Bot), name="Support", slug="support", prompt="x")
    assert [found.slug for found in Bot.objects.filter(is_default=True)] == ["sales"]


def test_a_new_default_takes_over_from_the_old_one(editor: Client, people: Cast, bot: Bot):
    other = a_bot(people.acme)
    rival_default = a_bot(people.rival)
    response = submit(editor, row_pages(other)["change"], is_default="on")
    assert response.status_code == 302, errors_of(response)
    assert (again(bot).is_default, again(other).is_default, again(rival_default).is_default) == (False, True, True)
    assert "Sales is no longer the default bot." in editor.get(list_page(Bot)).content.decode()


def test_the_default_bot_does_not_just_stop_being_it(editor: Client, bot: Bot):
    response = submit(editor, row_pages(bot)["change"], is_default=None)
    assert "Mark another one as default instead." in errors_of(response)
    assert again(bot).is_default


def test_an_archived_bot_does_not_become_the_default(editor: Client, people: Cast, bot: Bot):
    archived = a_bot(people.acme, archived_at=bot.created_at)
    assert "Restore it first" in errors_of(submit(editor, row_pages(archived)["change"], is_default="on"))


def test_a_slug_that_the_account_has_already_is_refused(editor: Client, people: Cast, bot: Bot):
    other = a_bot(people.acme)
    assert "already has a bot of this slug" in errors_of(submit(editor, row_pages(other)["change"], slug="sales"))


def test_long_texts_are_kept_as_they_were_typed(editor: Client, bot: Bot):
    knowledge = "# Preise\n\n" + "Fahrräder – 320 €. 🚲\n" * 2000
    assert submit(editor, row_pages(bot)["change"], knowledge=knowledge).status_code == 302
    assert again(bot).knowledge.replace("\r\n", "\n").strip() == knowledge.strip()


def test_a_bot_stays_in_its_account(editor: Client, people: Cast, bot: Bot):
    submit(editor, row_pages(bot)["change"], account=str(people.rival.pk), name="moved")
    assert (again(bot).account, again(bot).name) == (people.acme, "moved")


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("deadline_s", "56", "less than or equal to 55"),
        ("deadline_s", "4", "greater than or equal to 5"),
        ("temperature", "2.5", "less than or equal to 2"),
        ("history_messages", "201", "less than or equal to 200"),
        ("max_tokens", "3", "greater than or equal to 16"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_limits_are_told(editor: Client, bot: Bot, field: str, value: str, complaint: str):
    assert complaint in errors_of(submit(editor, row_pages(bot)["change"], **{field: value}))


# ---- outputs


def test_outputs_are_stored_and_shown_over_several_lines(editor: Client, bot: Bot):
    submit(editor, row_pages(bot)["change"], outputs='[{"name": "city", "type": "text", "description": "wo?"}]')
    assert again(bot).outputs == [{"name": "city", "type": "text", "description": "wo?"}]
    assert form_of(editor.get(row_pages(bot)["change"]).content.decode())["outputs"].startswith(
        '[\n  {\n    "name": "city"'
    )


def test_no_outputs_are_an_empty_list(editor: Client, bot: Bot):
    assert submit(editor, row_pages(bot)["change"], outputs="  ").status_code == 302
    assert again(bot).outputs == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[{"name": "city"},]', "is not valid JSON: line 1, column 19"),
        ("[\n{name: 1}]", "line 2, column 2"),
        ("[" * 20_000, "is nested too deeply"),
        ('{"name": "city"}', "must be a list"),
        ('[{"name": "1st"}]', "output 1: name must be letters"),
        ('[{"name": "status"}]', "not status, message, show or exit"),
        ('[{"name": "city", "type": "date"}]', "type must be one of text, number, boolean"),
        ('[{"name": "a"}, {"name": "a"}]', "a name of its own"),
    ],
    ids=[
        "a comma too many",
        "no quotes",
        "deep",
        "an object",
        "a digit first",
        "a name of ours",
        "a wrong type",
        "twice",
    ],
)
def test_outputs_that_are_wrong_are_told_apart(editor: Client, bot: Bot, text: str, complaint: str):
    response = submit(editor, row_pages(bot)["change"], outputs=text)
    assert complaint in errors_of(response)
    assert form_of(response.content.decode())["outputs"] == text
    assert again(bot).outputs == []


# ---- what it offers, and where it leaves

LINKS = [{"text": "Prices", "url": "https://acme.test/preise?ä=1", "description": "when asked for prices"}]
ROUTES = {"handoff": {"exit": "success"}, "fail": {"goto": {"type": "question", "step": 4}}}


def test_delivery_buttons_links_and_ways_out_are_set_and_shown_again(editor: Client, bot: Bot):
    response = submit(
        editor,
        row_pages(bot)["change"],
        delivery="chunks",
        offers_buttons="on",
        links=json.dumps(LINKS),
        routes=json.dumps(ROUTES),
    )
    assert response.status_code == 302, errors_of(response)
    stored = again(bot)
    assert (stored.delivery, stored.offers_buttons, stored.links, stored.routes) == ("chunks", True, LINKS, ROUTES)
    shown = form_of(editor.get(row_pages(bot)["change"]).content.decode())
    assert (json.loads(shown["links"]), json.loads(shown["routes"])) == (LINKS, ROUTES)
    assert "preise?ä=1" in shown["links"]


def test_a_new_bot_sends_whole_and_offers_nothing(editor: Client):
    submit(editor, add_page(Bot), name="Sales", slug="sales", prompt="x")
    bot = Bot.objects.get()
    assert (bot.delivery, bot.offers_buttons, bot.links, bot.routes) == ("data", False, [], {})


@pytest.mark.parametrize("text", ["", "  ", "[]", "{}", "null"])
def test_emptied_boxes_are_a_list_and_an_object(editor: Client, bot: Bot, text: str):
    Bot.objects.filter(pk=bot.pk).update(links=LINKS, routes=ROUTES)
    assert submit(editor, row_pages(bot)["change"], links=text, routes=text).status_code == 302
    assert (again(bot).links, again(bot).routes) == ([], {})


@pytest.mark.parametrize(
    ("field", "text", "complaint"),
    [
        ("links", "[{]", "is not valid JSON: line 1"),
        ("links", '{"text": "a"}', "must be a list of at most 20 links"),
        ("links", '[{"text": "a", "url": "javascript:x()"}]', "link 1: url must be a web address"),
        ("links", '[{"text": "", "url": "https://a.example"}]', "link 1: text must be 1 to 80 characters"),
        ("routes", "{", "is not valid JSON: line 1"),
        ("routes", '["fail"]', "must be an object that names outcomes"),
        ("routes", '{"won": {"exit": "success"}}', "won: is no outcome. Name one of success"),
        ("routes", '{"fail": {"exit": "won"}}', "fail: exit must be one of success"),
        ("routes", '{"fail": {"goto": {"type": "step", "step": 1}}}', "goto needs a type (question, answer, finish)"),
    ],
)
def test_links_and_ways_out_that_are_wrong_are_told_apart(
    editor: Client, bot: Bot, field: str, text: str, complaint: str
):
    response = submit(editor, row_pages(bot)["change"], **{field: text})
    assert complaint in html.unescape(errors_of(response))
    assert form_of(response.content.decode())[field] == text
    assert (again(bot).links, again(bot).routes) == ([], {})


def test_the_form_says_what_becomes_of_a_text_that_no_pieces_hold(editor: Client, bot: Bot):
    shown = editor.get(row_pages(bot)["change"]).content.decode()
    assert "at most 10 messages of 80 characters, 9 when the outcome jumps to a step" in shown


# ---- models


def test_models_are_asked_in_the_order_that_was_typed(editor: Client, people: Cast, bot: Bot):
    provider = a_provider(people.acme)
    first, second = (
        a_model_choice(bot, provider, model="a", position=1),
        a_model_choice(bot, provider, model="b", position=2),
    )
    submit(editor, row_pages(bot)["change"], model_choices__0__position="5")
    assert list(again(bot).model_choices.all()) == [second, first]


def test_a_model_is_removed(editor: Client, bot: Bot):
    a_model_choice(bot)
    assert submit(editor, row_pages(bot)["change"], model_choices__0__DELETE="on").status_code == 302
    assert not bot.model_choices.exists()


def offered(client: Client, address: str) -> str:
    form = client.get(address).context["inline_admin_formsets"][0].formset.empty_form
    return str(form["provider"])


def test_only_providers_in_use_of_the_bots_account_are_offered(editor: Client, people: Cast, bot: Bot):
    a_provider(people.acme, name="mine")
    a_provider(people.acme, name="bygone", archived_at=bot.created_at)
    a_provider(people.rival, name="theirs")
    shown = offered(editor, row_pages(bot)["change"])
    assert ("mine" in shown, "bygone" in shown, "theirs" in shown) == (True, False, False)


def test_an_archived_provider_that_is_chosen_stays_chosen(editor: Client, people: Cast, bot: Bot):
    a_model_choice(bot, a_provider(people.acme, name="bygone", archived_at=bot.created_at))
    assert "bygone (archived)" in offered(editor, row_pages(bot)["change"])
    assert submit(editor, row_pages(bot)["change"], name="Other").status_code == 302


def test_an_operator_is_offered_the_accounts_own_providers_on_its_page(operator: Client, people: Cast, bot: Bot):
    a_provider(people.acme, name="mine")
    a_provider(people.rival, name="theirs")
    shown = offered(operator, row_pages(bot)["change"])
    assert ("mine" in shown, "theirs" in shown) == (True, False)


def test_for_a_new_bot_providers_are_offered_with_their_account(operator: Client, people: Cast):
    a_provider(people.acme, name="mine")
    a_provider(people.rival, name="theirs")
    shown = offered(operator, add_page(Bot))
    assert "Acme / mine" in shown
    assert "Rival / theirs" in shown


@pytest.mark.parametrize("page", ["add", "change"])
def test_a_provider_of_another_account_is_refused_also_for_somebody_of_both(
    editor: Client, people: Cast, bot: Bot, page: str
):
    Membership.objects.create(account=people.rival, user=people.editor, role=Role.EDITOR)
    theirs = a_provider(people.rival)
    address = add_page(Bot) if page == "add" else row_pages(bot)["change"]
    fields = {"account": str(people.acme.pk), "name": "New", "slug": "new", "prompt": "x"}
    response = submit(editor, address, **fields, model_choices__TOTAL_FORMS="1", **new_model(0, theirs.pk))
    assert response.status_code == 200
    assert "must belong to the same account" in errors_of(response) or "valid choice" in errors_of(response)
    assert not ModelChoice.objects.exists()


# ---- readers, archiving, switching


def test_a_viewer_reads_everything_of_a_bot_and_changes_nothing(viewer: Client, bot: Bot):
    Bot.objects.filter(pk=bot.pk).update(
        outputs=[{"name": "city"}], prompt="You sell bicycles.", links=LINKS, routes=ROUTES
    )
    shown = viewer.get(row_pages(bot)["change"]).content.decode()
    assert "You sell bicycles." in shown
    assert "&quot;name&quot;: &quot;city&quot;" in shown
    assert "&quot;url&quot;: &quot;https://acme.test/preise?ä=1&quot;" in shown
    assert "&quot;step&quot;: 4" in shown
    assert viewer.post(row_pages(bot)["change"], {"name": "x"}).status_code == 403


def test_a_bot_with_a_past_is_archived_and_not_deleted(editor: Client, people: Cast, bot: Bot):
    other = a_bot(people.acme)
    an_exchange(people.acme, bot=other, state=State.DELIVERED)
    editor.post(row_pages(other)["delete"], {"post": "yes"})
    assert again(other).archived_at is None
    editor.post(row_pages(other)["archive"])
    assert again(other).archived_at is not None
    editor.post(row_pages(other)["restore"])
    assert again(other).archived_at is None


def test_a_bot_without_a_past_is_deleted_with_its_models(editor: Client, people: Cast, bot: Bot):
    other = a_bot(people.acme)
    a_model_choice(other)
    assert editor.post(row_pages(other)["delete"], {"post": "yes"}).status_code == 302
    assert not Bot.objects.filter(pk=other.pk).exists()


def test_the_default_bot_is_neither_archived_nor_deleted(editor: Client, bot: Bot):
    assert "Mark another one as default first" in editor.get(row_pages(bot)["archive"]).content.decode()
    editor.post(row_pages(bot)["archive"])
    editor.post(row_pages(bot)["delete"], {"post": "yes"})
    assert again(bot).archived_at is None


def test_bots_are_switched_off_in_the_list(editor: Client, bot: Bot):
    editor.post(list_page(Bot), {"_selected_action": [bot.pk], "index": "0", "action": "switch_off"})
    assert again(bot).enabled is False


def test_an_action_changes_only_what_the_user_may_change(editor: Client, people: Cast, bot: Bot):
    """Editor here, viewer there: the list shows both, the action takes one."""
    Membership.objects.create(account=people.rival, user=people.editor, role=Role.VIEWER)
    theirs = a_bot(people.rival)
    editor.post(list_page(Bot), {"_selected_action": [bot.pk, theirs.pk], "index": "0", "action": "switch_off"})
    assert (again(bot).enabled, again(theirs).enabled) == (False, True)


def test_the_account_is_a_column_only_for_those_who_have_several(
    editor: Client, operator: Client, people: Cast, bot: Bot
):
    assert "account" not in editor.get(list_page(Bot)).context["cl"].list_display
    assert "account" in operator.get(list_page(Bot)).context["cl"].list_display
