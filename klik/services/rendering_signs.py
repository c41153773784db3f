"""The signs of a text that klik's own typeface does not have, and that a machine may be unable to draw."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from klik import paths

TYPEFACE = "IBM Plex Sans"
MOST_NAMED = 40
_FOLDER = paths.PACKAGE / "static" / "vendor" / "dkfds" / "fonts"
# Letters of Western Europe: not worth opening the typeface for.
_PLAIN = frozenset(map(chr, range(0x180)))
# Spaces, joiners, marks of direction and of variants show nothing by themselves.
_INVISIBLE = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})


def beyond_typeface(text: str) -> tuple[str, ...]:
    """Such signs in the order of Unicode, as people look them up: ("U+1F680",)."""
    unusual = set(text) - _PLAIN
    if not unusual:
        return ()
    unknown = (sign for sign in unusual - _drawn() if unicodedata.category(sign) not in _INVISIBLE)
    return tuple(f"U+{ord(sign):04X}" for sign in sorted(unknown))


def sentence(signs: Iterable[str]) -> str:
    """What the PDF says of them, or nothing."""
    named = list(signs)
    if not named:
        return ""
    more = f" og {len(named) - MOST_NAMED} andre" if len(named) > MOST_NAMED else ""
    return (
        f"Teksten har tegn, som skriften {TYPEFACE} ikke har: {', '.join(named[:MOST_NAMED])}{more}. "
        "De er tegnet med en anden skrift. Står der en tom firkant, kunne tegnet ikke tegnes; "
        "det kan alligevel kopieres og søges."
    )


@lru_cache(maxsize=1)
def _drawn() -> frozenset[str]:
    from fontTools.ttLib import TTFont

    files = sorted(_FOLDER.rglob("IBMPlexSans-Regular.woff2"))
    if not files:
        return frozenset()
    with TTFont(files[0], lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))
