import pytest

from sandbox.placeholders import Values, resolve, resolve_all, unresolved


def values(**json):
    return Values({"lead.id": "5", "contact.name": "Anna"}, message_text="Hola", json=json)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{{message_text}}", "Hola"),
        ("{{contact.name}} #{{lead.id}}", "Anna #5"),
        ("{{json.a}}{{json.b}}", "one2"),
        ("{{talk.id}} {{contact.phone}}", "{{talk.id}} {{contact.phone}}"),
        ("{{ lead.id }}", "{{ lead.id }}"),
        ("{{json.missing}}", "{{json.missing}}"),
        ("{{json.empty}}", "{{json.empty}}"),
        ("{{json.null}} {{json.list}}", "{{json.null}} {{json.list}}"),
        ("{{json.yes}} {{json.no}} {{json.zero}}", "1 {{json.no}} 0"),
        ("{lead.id} {{}}", "{lead.id} {{}}"),
    ],
)
def test_placeholders_are_filled_and_unknown_ones_stay(template, filled):
    known = values(a="one", b=2, empty="", null=None, list=[1], yes=True, no=False, zero=0)

    assert resolve(template, known) == filled


def test_an_empty_customer_message_is_filled_with_nothing():
    assert resolve("[{{message_text}}]", Values({})) == "[]"


def test_a_placeholder_in_an_answer_is_filled_too():
    assert resolve("{{json.message}}", values(message="Lead {{lead.id}}, {{nobody}}")) == "Lead 5, {{nobody}}"


def test_an_answer_that_names_itself_stays_small():
    message = "{{json.message}}" * 4_000

    assert len(resolve("{{json.message}}", values(message=message))) < 60 * len(message)


def test_texts_inside_objects_and_lists_are_filled():
    raw = {"a": ["{{lead.id}}", {"b": "{{message_text}}"}], "n": 5, "none": None}

    assert resolve_all(raw, values()) == {"a": ["5", {"b": "Hola"}], "n": 5, "none": None}


def test_what_stays_unfilled_is_listed():
    assert unresolved("a {{b.c}} {d} {{json.e}}") == ("{{b.c}}", "{{json.e}}")
