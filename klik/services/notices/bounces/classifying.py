"""What an answer of a mail server means: the address is dead, or it may pass.

Only what says "this address does not exist" or "this mailbox is closed" is hard. Everything else is soft, final
or not: chromium-dashboard stopped mailing people after one bounce and had to undo it, because full mailboxes,
spam filters and servers being set up answer 5.x.x too. Three soft ones over three days make a hard one anyway.
"""

from __future__ import annotations

import re

HARD, SOFT = "haard", "blod"
# RFC 3463 and RFC 7505: no such mailbox, no such domain, not an address, ambiguous, moved, takes no mail; disabled.
# 5.1.7 and 5.1.8 are about klik's own address; 5.1.0 says nothing certain (Exchange gives it for a refused sender).
# 5.2.2 is a full mailbox and 5.7.x a policy: both may be gone tomorrow, and the person is still there.
_HARD_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1"})
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]|\w)")
# Exim says 5.0.0 whatever it was, qmail and old servers nothing at all: then the words decide, the soft ones first.
_SOFT_WORDS = re.compile(
    r"quota|full\b|try again|temporar|later|greylist|spam|block|policy|black ?list|too large|timed? ?out"
    r"|denied|reputation|rate limit|authenticat",
    re.IGNORECASE,
)
_HARD_WORDS = re.compile(
    r"(user|recipient|mailbox|address|account)\s+(is\s+)?(unknown|not found|disabled|inactive|invalid)"
    r"|(unknown|no such|invalid)\s+(local\s+)?(user|recipient|mailbox|address|person|domain)"
    r"|(does ?n.t|does not) exist|unrouteable address|no mailbox here|host (or domain name )?not found",
    re.IGNORECASE,
)


def codes(words: str) -> list[str]:
    """Every enhanced status code (RFC 3463) in the words, in order."""
    return [".".join(found) for found in _CODE.findall(words)]


def status_of(stated: str, diagnostic: str) -> str | None:
    """The code that says most: the server's own words before a stated "something", either before nothing."""
    found = [code for code in (*codes(stated), *codes(diagnostic)) if not code.startswith("2.")]
    telling = [code for code in found if not code.endswith(".0.0")]
    return (telling or found or [None])[0]


def classify(status: str | None, words: str) -> str:
    """HARD or SOFT, for a message that was given up."""
    if status in _HARD_CODES:
        return HARD
    unspecific = status is None or status == "5.0.0"
    if unspecific and _HARD_WORDS.search(words) and not _SOFT_WORDS.search(words):
        return HARD
    return SOFT


def refused_for_good(reply: str) -> bool:
    """Whether the relay's own answer ("550 5.1.1 …") says that the address is dead; without a code it does not."""
    return reply.startswith("5") and status_of("", reply) in _HARD_CODES
