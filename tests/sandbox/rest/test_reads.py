"""Reading an account by REST (protocol §8, §9)."""

import pytest

from tests.sandbox.rest.conftest import MEMBER

READS = (
    "/account",
    "/leads",
    "/contacts",
    "/contacts/chats",
    "/leads/pipelines",
    "/leads/custom_fields",
    "/contacts/custom_fields",
    "/users",
    "/talks",
    "/bots",
    "/events",
    "/events/types",
)


@pytest.mark.statement("S8.bearer")
@pytest.mark.parametrize("path", READS)
def test_nothing_is_read_without_a_bearer(rest, refused, chat, path):
    for token in ("", "wrong", MEMBER + "x"):
        refused(rest("GET", path, token=token), 401)
    assert rest("GET", path).status_code == rest("GET", path, token=MEMBER).status_code == 200


@pytest.mark.statement("S8.account")
def test_the_account_tells_who_it_is_and_more_when_asked(rest, sandbox):
    plain = rest("GET", "/account").json()
    assert (plain["id"], plain["subdomain"], plain["name"]) == (31337, "demo", "Demo Ltd")
    assert "drive_url" not in plain

    more = rest("GET", "/account?with=amojo_id,drive_url,task_types,version,users_groups,uuid").json()

    assert more["drive_url"] == "https://drive-c.kommo.com"
    assert [one["id"] for one in more["task_types"]] == [1, 2]
    assert more.keys() - plain.keys() == {"amojo_id", "drive_url", "task_types", "version", "users_groups", "uuid"}
    assert rest("GET", "/account", token=MEMBER).json()["current_user_id"] != plain["current_user_id"]


@pytest.mark.statement("S8.lead")
def test_a_lead_is_read_with_its_contacts_when_asked(rest, refused, chat):
    lead = rest("GET", f"/leads/{chat['lead_id']}").json()
    assert (lead["id"], lead["account_id"], lead["name"]) == (chat["lead_id"], 31337, f"Lead #{chat['lead_id']}")
    assert "contacts" not in lead["_embedded"]

    full = rest("GET", f"/leads/{chat['lead_id']}?with=contacts,source_id").json()

    assert [one["id"] for one in full["_embedded"]["contacts"]] == [chat["contact_id"]]
    refused(rest("GET", "/leads/5"), 404)


@pytest.mark.statement("S8.contact")
def test_a_contact_is_read_with_its_leads_when_asked(rest, refused, chat):
    contact = rest("GET", f"/contacts/{chat['contact_id']}?with=leads").json()

    assert contact["name"] == "anna"
    assert [one["id"] for one in contact["_embedded"]["leads"]] == [chat["lead_id"]]
    refused(rest("GET", "/contacts/5"), 404)


@pytest.mark.statement("S8.embedded")
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/leads", "leads"),
        ("/contacts", "contacts"),
        ("/contacts/chats", "chats"),
        ("/leads/pipelines", "pipelines"),
        ("/leads/custom_fields", "custom_fields"),
        ("/users", "users"),
        ("/talks", "talks"),
        ("/bots", "items"),
        ("/events", "events"),
        ("/events/types", "events_types"),
    ],
)
def test_a_list_comes_embedded_under_its_name_with_page_and_links(rest, chat, path, name):
    listed = rest("GET", path).json()

    assert listed.keys() == {"_page", "_links", "_embedded"}
    assert listed["_page"] == 1
    assert listed["_embedded"][name]
    assert listed["_links"]["self"]["href"].endswith(f"/api/v4{path}?page=1&limit=50")


@pytest.mark.statement("S8.204")
@pytest.mark.parametrize(
    "path",
    [
        "/leads?query=nobody-is-called-that",
        "/leads?filter[id][]=5",
        "/leads?page=9",
        "/contacts?query=zzz",
        "/contacts/chats?contact_id=5",
        "/companies/custom_fields",
        "/leads/tags",
        "/talks?filter[entity_id]=5",
        "/bots?filter[id][]=5",
        "/bots?filter[type_functionality][]=nps",
        "/events?filter[type]=task_added",
    ],
)
def test_nothing_found_is_204_without_a_body(rest, chat, path):
    answer = rest("GET", path)

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.statement("S9.page")
def test_more_than_250_on_a_page_are_422(rest, refused, chat):
    assert rest("GET", "/leads?limit=250").status_code == 200
    assert refused(rest("GET", "/leads?limit=251"), 422)["detail"] == "Limit 250 per page"


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "page=0", "page=-1"])
def test_a_page_that_is_no_number_from_1_is_400(rest, refused, chat, query):
    refused(rest("GET", f"/leads?{query}"), 400, "InvalidType", query.partition("=")[0])


@pytest.mark.statement("S9.page")
def test_a_list_goes_on_from_page_to_page(rest, sandbox):
    for number in range(5):
        sandbox.say(f"c{number}", "hi")

    pages = [rest("GET", f"/leads?limit=2&page={page}") for page in (1, 2, 3, 4)]

    assert [len(page.json()["_embedded"]["leads"]) for page in pages[:3]] == [2, 2, 1]
    assert pages[3].status_code == 204
    assert ["next" in page.json()["_links"] for page in pages[:3]] == [True, True, False]


@pytest.mark.statement("S8.search")
def test_leads_and_contacts_are_searched_and_filtered(rest, sandbox, chat):
    sandbox.say("ben", "hi")
    ben = sandbox.chat("ben")

    by_name = rest("GET", "/contacts?query=BEN").json()["_embedded"]["contacts"]
    by_number = rest("GET", f"/leads?filter[id][]={ben['lead_id']}").json()["_embedded"]["leads"]

    assert [one["id"] for one in by_name] == [ben["contact_id"]]
    assert [one["id"] for one in by_number] == [ben["lead_id"]]
    both = f"/leads?filter[id][]={ben['lead_id']}&filter[id][]={chat['lead_id']}"
    assert len(rest("GET", both).json()["_embedded"]["leads"]) == 2


def test_a_filter_that_is_not_known_is_refused_and_not_passed_over(rest, refused, chat):
    refused(rest("GET", "/leads?filter[colour]=red"), 400, "NotSupportedChoice", "filter[colour]")
    refused(rest("GET", "/events?filter[who]=me"), 400, "NotSupportedChoice", "filter[who]")
    refused(rest("GET", "/leads?filter[id]=abc"), 400, "InvalidType", "filter[id]")


@pytest.mark.statement("S8.chats")
def test_the_chats_of_a_contact_name_its_chat(rest, sandbox, chat):
    sandbox.say("ben", "hi")

    (found,) = rest("GET", f"/contacts/chats?contact_id={chat['contact_id']}").json()["_embedded"]["chats"]

    assert (found["contact_id"], len(found["chat_id"])) == (chat["contact_id"], 36)


@pytest.mark.statement("S8.pipelines")
def test_pipelines_have_statuses_and_won_and_lost_close_each(rest, refused):
    lines = rest("GET", "/leads/pipelines").json()["_embedded"]["pipelines"]
    assert [line["is_main"] for line in lines] == [True, False]

    for line in lines:
        statuses = rest("GET", f"/leads/pipelines/{line['id']}/statuses").json()["_embedded"]["statuses"]
        assert statuses == line["_embedded"]["statuses"]
        assert [one["id"] for one in statuses[-2:]] == [142, 143]
        assert rest("GET", f"/leads/pipelines/{line['id']}").json() == line
    refused(rest("GET", "/leads/pipelines/5/statuses"), 404)


@pytest.mark.statement("S8.fields")
def test_custom_fields_tell_type_code_and_choices(rest):
    contacts = rest("GET", "/contacts/custom_fields").json()["_embedded"]["custom_fields"]
    leads = rest("GET", "/leads/custom_fields").json()["_embedded"]["custom_fields"]

    assert {(one["code"], one["type"]) for one in contacts} >= {("PHONE", "multitext"), ("EMAIL", "multitext")}
    choice = next(one for one in leads if one["type"] == "select")
    assert [enum["value"] for enum in choice["enums"]] == ["Quick", "Thorough"]


@pytest.mark.statement("S8.users")
def test_users_are_listed_and_read_with_their_rights(rest, refused):
    users = rest("GET", "/users").json()["_embedded"]["users"]

    assert [user["rights"]["is_admin"] for user in users] == [True, False, False]
    assert rest("GET", f"/users/{users[1]['id']}").json() == users[1]
    refused(rest("GET", "/users/5"), 404)


@pytest.mark.statement("S8.events")
def test_events_are_listed_newest_first_and_filtered(rest, sandbox, chat):
    events = rest("GET", "/events").json()["_embedded"]["events"]
    assert [event["type"] for event in events] == ["incoming_chat_message", "lead_added"]

    one = rest("GET", f"/events?filter[type]=lead_added&filter[entity_id][]={chat['lead_id']}&filter[entity]=lead")

    assert [event["type"] for event in one.json()["_embedded"]["events"]] == ["lead_added"]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/leads"), ("POST", "/account"), ("PUT", "/talks")])
def test_another_method_is_405(rest, refused, method, path):
    refused(rest(method, path), 405)


@pytest.mark.statement("S9.request-id")
def test_every_answer_has_an_id_for_support(rest):
    ids = [rest("GET", path).headers["X-Request-Id"] for path in ("/account", "/leads", "/nowhere")]

    assert len(set(ids)) == 3


def test_calls_are_told_in_the_journal(rest, sandbox, chat):
    rest("GET", "/account")

    (entry,) = [entry for entry in sandbox.journal if entry["kind"] == "rest"]
    assert (entry["account"], entry["method"], entry["path"], entry["status"]) == (
        "demo",
        "GET",
        "/api/v4/account",
        200,
    )
