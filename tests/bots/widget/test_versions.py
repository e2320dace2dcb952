"""Versions grow with content, and only then."""

import pytest

from bots.widget import FIRST_VERSION, is_older, is_version, next_version, raised


@pytest.mark.parametrize("nothing", [None, ""])
def test_the_first_zip_is_1_0_0(nothing):
    assert next_version(nothing, nothing, "abc") == FIRST_VERSION == "1.0.0"


def test_the_same_content_keeps_its_version():
    assert next_version("1.4.9", "abc", "abc") == "1.4.9"


@pytest.mark.parametrize(
    ("previous", "following"), [("1.0.0", "1.0.1"), ("1.0.9", "1.0.10"), ("1.9.99", "1.9.100"), ("12.0.0", "12.0.1")]
)
def test_other_content_raises_the_last_number(previous, following):
    assert next_version(previous, "abc", "def") == following
    assert raised(previous) == following


@pytest.mark.parametrize("unknown", [None, ""])
def test_a_version_whose_content_is_unknown_is_raised(unknown):
    assert next_version("1.0.3", unknown, "abc") == "1.0.4"


@pytest.mark.parametrize("wrong", ["1.0", "v1.0.0", "1.0.0\n", "1.0.0.0", "١.0.0", "1.-1.0"])
def test_what_is_no_version_is_refused(wrong):
    assert not is_version(wrong)
    with pytest.raises(ValueError, match="is not a version"):
        next_version(wrong, "abc", "def")
    with pytest.raises(ValueError, match="is not a version"):
        raised(wrong)


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [
        ("1.0.9", "1.0.10", True),
        ("1.0.10", "1.0.9", False),
        ("1.9.0", "1.10.0", True),
        ("9.0.0", "10.0.0", True),
        ("1.0.0", "1.0.0", False),
        ("2.0.0", "1.9.9", False),
    ],
)
def test_versions_compare_as_numbers(version, than, older):
    assert is_older(version, than=than) is older


@pytest.mark.parametrize(("version", "than"), [("1.0", "1.0.0"), ("1.0.0", ""), ("sandbox", "1.0.0")])
def test_what_is_no_version_is_not_compared(version, than):
    with pytest.raises(ValueError, match="is not a version such as"):
        is_older(version, than=than)
