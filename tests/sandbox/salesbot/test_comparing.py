"""Conditions, validations and choices as a Salesbot weighs them (protocol §3.2, §3.3)."""

import re

import pytest

from sandbox.salesbot.comparing import choose, compare, compiled, found_email, found_phone, validate
from sandbox.salesbot.handlers import Choice


@pytest.mark.statement("S3.2.operations")
@pytest.mark.parametrize(
    ("left", "operation", "right", "holds"),
    [
        ("a", "=", "a", True),
        ("a", "=", "A", False),
        ("a", "!=", "b", True),
        ("a", "!=", "a", False),
        ("b", "in", "a, b, c", True),
        ("d", "in", "a, b, c", False),
        ("d", "not_in", "a, b, c", True),
        ("b", "not_in", "a, b, c", False),
        ("5", "in_range", "1-10", True),
        ("10", "in_range", "1-10", True),
        ("11", "in_range", "1-10", False),
        ("-3", "in_range", "-5--1", True),
        ("2.5", "in_range", "2, 3", True),
        ("many", "in_range", "1-10", False),
        ("5", "in_range", "few", False),
    ],
)
def test_an_operation_holds_or_not(left, operation, right, holds):
    assert compare((left,), operation, (right,)) is holds


@pytest.mark.statement("S3.2.operations")
def test_a_term_with_several_values_holds_by_any_of_them():
    assert compare(("vip", "new"), "=", ("new",))
    assert compare(("vip", "new"), "in", ("old", "vip"))
    assert not compare(("vip", "new"), "!=", ("new",))
    assert not compare(("vip", "new"), "not_in", ("old", "vip"))
    assert compare(("7",), "in_range", ("1", "10"))


@pytest.mark.statement("S3.2.validations")
@pytest.mark.parametrize(
    ("kind", "condition", "good", "bad"),
    [
        ("email", "", ["a@b.co", " anna.b+c@mail.example.com "], ["", "a@b", "a b@c.de", "a@b@c.de", "write a@b.co"]),
        (
            "phone",
            "",
            ["+1 (555) 010-9999", "5550109999", " 020 7946 0000 "],
            ["", "12345", "1" * 20, "call me", "++1555"],
        ),
        ("regex", r"^\d{4}$", ["2026"], ["20265", "next year"]),
        ("regex", "/^yes$/iu", ["YES"], ["yes please"]),
        ("range_numbers", "1-5", ["1", "5", "3.5"], ["0", "6", "three", ""]),
    ],
    ids=["email", "phone", "regex", "regex with flags", "range"],
)
def test_a_validation_knows_good_from_bad(kind, condition, good, bad):
    assert [validate(value, kind=kind, operation="", condition=condition) for value in good] == [True] * len(good)
    assert [validate(value, kind=kind, operation="", condition=condition) for value in bad] == [False] * len(bad)


@pytest.mark.statement("S3.2.validations-simple")
@pytest.mark.parametrize(
    ("operation", "condition", "good", "bad"),
    [
        ("equal", "yes", "yes", "Yes"),
        ("not_equal", "no", "yes", "no"),
        ("length", "3", "abc", "ab"),
        ("contains", "tea", "green tea", "coffee"),
        ("not_contains", "tea", "coffee", "tea"),
    ],
)
def test_a_simple_validation_has_five_operations(operation, condition, good, bad):
    assert validate(good, kind="simple", operation=operation, condition=condition)
    assert not validate(bad, kind="simple", operation=operation, condition=condition)


YES = Choice(("Yes", "of course", "Да"), "", ())
NUMBER = Choice((), r"/^\d+$/u", ())
ELSE = Choice((), "", ())


@pytest.mark.statement("S3.2.buttons", "S3.3.synonyms")
@pytest.mark.parametrize(
    ("reply", "choice"),
    [("Yes", YES), (" yes ", YES), ("OF COURSE", YES), ("да", YES), ("42", NUMBER), ("yesterday", ELSE), ("", ELSE)],
)
def test_the_first_choice_that_fits_the_reply_is_taken_and_else_comes_last(reply, choice):
    assert choose((ELSE, YES, NUMBER), reply) is choice


@pytest.mark.statement("S3.2.buttons")
def test_without_an_else_nothing_may_fit():
    assert choose((YES, NUMBER), "maybe") is None


def test_a_pattern_may_stand_between_slashes_with_flags():
    assert compiled("/A.b/is").search("a\nB")
    assert not compiled("A.b").search("a\nB")
    with pytest.raises(re.error):
        compiled("(")


@pytest.mark.parametrize(
    ("text", "email", "phone"),
    [
        ("write to anna@mail.example or call +1 555 010 9999 please", "anna@mail.example", "+1 555 010 9999"),
        ("room 12, 3 nights", "", ""),
        ("", "", ""),
    ],
)
def test_address_and_number_are_found_in_a_message(text, email, phone):
    assert (found_email(text), found_phone(text)) == (email, phone)
