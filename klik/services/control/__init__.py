"""The supplementary control: what should have been told, reckoned anew, against the ledger (seed 003).

``examine`` only reads, ``heal`` mends what it found, ``check`` does both in one transaction.
"""

from __future__ import annotations

from klik.services.control import broken, comparing, happened, reporting
from klik.services.control.findings import Findings
from klik.services.control.healing import heal
from klik.services.control.reporting import Account
from klik.services.work import Work

LEADER_DAYS = 5

__all__ = ["LEADER_DAYS", "Account", "Findings", "check", "examine", "heal"]


def examine(work: Work, *, leader_days: int = LEADER_DAYS) -> Findings:
    """Look at everything; ``leader_days`` working days after a deadline the leader hears of a red task (0: never)."""
    found = Findings(work.today)
    broken.look(work, found)
    comparing.compare(work, found, leader_days)
    happened.look(work, found)
    return found


def check(work: Work, *, heal_too: bool = True, leader_days: int = LEADER_DAYS) -> Account:
    """Examine, and with ``heal_too`` mend and enter what is wrong."""
    found = examine(work, leader_days=leader_days)
    if heal_too:
        heal(work, found)
    return reporting.account_of(found)
