"""A document as text: JSON that can be used, or one line that says why not."""

import pytest

from bots.provisioning import WrongDocument, read_document


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b'{"accounts":\n [,]}', "line 2, column 3"),
        (b"", "line 1, column 1"),
        (b'{"a": "\xff"}', "must be UTF-8, and byte 8 isn't"),
        (b'{"a": NaN}', "NaN is not a number in JSON"),
        (b'{"a": 1, "a": 2}', "an object names 'a' twice"),
        (b"[" * 200_000, "must not be nested that deeply"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "can't be used"),
    ],
    ids=["a stray comma", "nothing", "bad UTF-8", "NaN", "a name twice", "very deep", "a number without end"],
)
def test_text_that_is_no_good_json_is_refused_with_the_place(raw: bytes, told: str):
    with pytest.raises(WrongDocument, match="the document: ") as caught:
        read_document(raw)
    assert told in str(caught.value)


def test_a_byte_order_mark_is_no_hindrance():
    assert read_document(b'\xef\xbb\xbf{"accounts": []}') == {"accounts": []}
