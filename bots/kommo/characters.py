"""Which characters may stay: in what comes in, so that any database takes it, and in what goes out to a customer."""

import re

# A lone half of a surrogate pair can't be encoded, and PostgreSQL takes no NUL in a text.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"

LINE_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
# Controls but tab and line feed, soft hyphen, joiner and filler characters, direction overrides, invisible operators,
# annotation marks, noncharacters, variation selectors for ideographs, and tags (which can carry a whole hidden text).
UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u17b4\u17b5\u180b-\u180f\u200b\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e0fff]"
)
PICTURE = (
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]"
)
LETTER_THAT_JOINS = "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff\ua800-\ua8ff\ufb50-\ufdff\ufe70-\ufefc]"
SKIN = "[\U0001f3fb-\U0001f3ff]"
ONE_PICTURE = f"{PICTURE}[\ufe0e\ufe0f]?{SKIN}?"
# Invisible characters that mean something in their place: three flags made of tags, keycaps, joined pictures, and
# joiners between letters of scripts that need them. Whatever of the kind stands elsewhere goes.
JOINED = re.compile(
    "(\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f)"
    f"|{ONE_PICTURE}(?:\u200d{ONE_PICTURE})*"
    "|[0-9#*]\ufe0f\u20e3"
    f"|(?<={LETTER_THAT_JOINS})[\u200c\u200d](?={LETTER_THAT_JOINS}))"
    "|[\u200c\u200d\ufe0e\ufe0f\U000e0000-\U000e007f]"
)
CONTEXTUAL = re.compile("[\u200c\u200d\ufe0e\ufe0f\U000e0000-\U000e007f]")


def storable(text: str) -> str:
    """Take NUL out and replace lone surrogates, so that every database and encoder takes the text."""
    return LONE_SURROGATE.sub(REPLACEMENT, text.replace("\x00", ""))


def presentable(text: str) -> str:
    """Take out what a reader doesn't see but a machine does.

    Line breaks of every kind become a line feed. Emoji sequences, joiners of scripts that need them, and marks for
    the direction of writing stay. Applying it twice changes nothing more.
    """
    text = UNWANTED.sub("", LONE_SURROGATE.sub(REPLACEMENT, LINE_BREAKS.sub("\n", text)))
    if CONTEXTUAL.search(text) is None:
        return text
    return JOINED.sub(lambda found: found[1] or "", text)
