import pytest

from sandbox.salesbot.placeholders import Values, resolve, resolve_all, unresolved


def values(**json):
    return Values({"lead.id": "5", "contact.name": "Anna"}, message_text="Hola", json=json)


@pytest.mark.statement("S3.4.literal", "S2.3.braces")
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


@pytest.mark.statement("S2.3.inside")
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


@pytest.mark.statement("S3.4.message")
def test_address_and_number_in_the_message_have_placeholders():
    told = Values({}, message_text="I am anna@mail.example, +1 555 010 9999")

    assert resolve("{{message_text.email}} {{message_text.phone}}", told) == "anna@mail.example +1 555 010 9999"
    assert resolve("{{message_text.email}}", Values({}, message_text="hi")) == "{{message_text.email}}"


@pytest.mark.statement("S3.4.random")
def test_random_placeholders_are_drawn_anew():
    drawn = {resolve("{{rand}} {{short_rand}}", Values({})) for _ in range(20)}

    assert len(drawn) == 20
    assert all(1111 <= int(resolve("{{short_rand_num}}", Values({}))) <= 9999 for _ in range(50))


@pytest.mark.statement("S3.4.regexp")
@pytest.mark.parametrize(
    ("template", "filled"),
    [
        (r"{{regexp./\d+/}}", "42"),
        (r"{{regexp./room (\d+)/i}}", "42"),
        (r"{{regexp./suite/}}", r"{{regexp./suite/}}"),
        (r"{{regexp./(/}}", r"{{regexp./(/}}"),
    ],
    ids=["whole", "group", "nothing", "no pattern"],
)
def test_a_pattern_takes_a_piece_of_the_message(template, filled):
    assert resolve(template, Values({}, message_text="Room 42, please")) == filled
