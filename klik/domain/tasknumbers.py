"""Task numbers such as MI 15: the theme's prefix and a running number (seed 003; KOMBIT's KP documents)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from klik.domain.errors import InputError

HIGHEST = 9999

_PREFIX = re.compile(r"[A-ZÆØÅ]{2,4}")
_WRITTEN = re.compile(r"([A-ZÆØÅ]{2,4})[ -]*([0-9]{1,9})")


class TaskNumberError(InputError):
    """A text that is no task number, said in Danish."""


@dataclass(frozen=True, slots=True, order=True)
class TaskNumber:
    """A prefix of two to four capital letters and a number from 1 to 9999; sorts by prefix, then number."""

    prefix: str
    number: int

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise TaskNumberError(
                f"“{self.prefix[:20]}” er ikke et forbogstav til et opgavenummer; brug fx MI."
            )
        if not 1 <= self.number <= HIGHEST:
            raise TaskNumberError(f"Opgavenummeret skal ligge fra 1 til {HIGHEST}.")

    def __str__(self) -> str:
        return f"{self.prefix} {self.number:02d}"

    @classmethod
    def parse(cls, text: str) -> "TaskNumber":
        """Read MI 15, mi15, MI-15 or (MI 15); raises `TaskNumberError`."""
        typed = " ".join(text.split())
        found = _WRITTEN.fullmatch(typed.removeprefix("(").removesuffix(")").upper())
        if not found:
            raise TaskNumberError(
                f"“{typed[:20]}” er ikke et opgavenummer. Skriv to bogstaver og et tal, fx MI 15."
            )
        return cls(found[1], int(found[2]))


def next_free(prefix: str, existing: Iterable[str]) -> TaskNumber:
    """The number after the highest in use with this prefix; gaps stay, so a number keeps its meaning."""
    taken = [0]
    for text in existing:
        try:
            number = TaskNumber.parse(text)
        except TaskNumberError:
            continue  # a local task may carry a number of the municipality's own making
        if number.prefix == prefix.upper():
            taken.append(number.number)
    if max(taken) >= HIGHEST:
        raise TaskNumberError(f"Der er ikke flere ledige opgavenumre, der begynder med {prefix.upper()}.")
    return TaskNumber(prefix.upper(), max(taken) + 1)
