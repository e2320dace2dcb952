"""Words of English, Spanish and Russian: which of them a text is in, and what is left of a word without its ending.

Plain rules, no dictionary: enough to find a passage about "доставка" for somebody who asks "доставляете ли вы".
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Language = Literal["en", "es", "ru"]

STEM_CHARS = 6  # longer words of one family differ after that
SHORTEST_STEM = 3

_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z]")
_SPANISH_SIGNS = re.compile(r"[ñ¿¡áéíóúü]", re.IGNORECASE)
_SPANISH_WORDS = """
hola gracias por para como cuanto cuesta donde cuando que quiero necesito tienen tiene hay los las del una con el la es
son esta estan buenos buenas dias tardes precio envio pedido comprar puedo puede mi su favor sobre
"""
_ENGLISH_WORDS = """
the a is are do does you your i we my can what when where how much to of for and it have has with please hello hi want
need price about not this that there
"""
_STOP_WORDS = """
a an the and or of to in on at is are be do does you your i we my me it for with can how what when where much many this
that there have has please about as by from if not any will would could should
el la los las un una de del y o en por para con que es son mi su me se lo le como cuanto cuando donde hay al no si
и в во на с со к ко по о об от до за из у а но что как где когда ли же бы не вы мы я он она они это этот эта мне вас вам
вами нас нам ваш ваша ваши мой моя мои есть для или то так там тут сколько какой какая какие
"""
_ALL_ENDINGS = """
ing ings edly ed ies es s ly e y ion ions ment ments
os as o a ar ir ando iendo cion ciones mente ada ado idas idos
ами ями ого его ому ему ыми ими ах ях ов ев ей ой ый ий ии ия ию ая яя ое ее ую юю ые ие ам ям ом ем ы и а я у ю е о ь
ть ти ит ет ут ют ат ят ишь ешь ите ете ла ло ли ка ки ку ке кой ок ость ости остью ение ения ении
"""
SPANISH_WORDS = frozenset(_SPANISH_WORDS.split())
ENGLISH_WORDS = frozenset(_ENGLISH_WORDS.split())


def language_of(text: str) -> Language:
    """Guess the language of a customer's text; English when nothing speaks against it."""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if cyrillic > latin / 2 and cyrillic:
        return "ru"
    words = {_without_accents(word) for word in _WORD.findall(text.casefold())}
    spanish = len(words & SPANISH_WORDS) + 2 * len(set(_SPANISH_SIGNS.findall(text)))
    return "es" if spanish > len(words & ENGLISH_WORDS) else "en"


def stems_of(text: str) -> list[str]:
    """The text's words in order, folded, without accents, stop words and endings."""
    words = (_without_accents(word) for word in _WORD.findall(text.casefold()))
    return [stem(word) for word in words if word not in STOP_WORDS]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Cut the ending off a folded word.

    Args:
        word: lower case, without accents.
    """
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    return word[:STEM_CHARS]


@lru_cache(maxsize=20_000)
def _without_accents(word: str) -> str:
    """Letters alone: é becomes e, ё becomes е."""
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


# Folded like the words that they are compared with: й has lost its sign by then.
STOP_WORDS = frozenset(_without_accents(word) for word in _STOP_WORDS.split())
ENDINGS = tuple(sorted({_without_accents(word) for word in _ALL_ENDINGS.split()}, key=len, reverse=True))
