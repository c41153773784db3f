"""The signed addresses that stand in newsletters: one to leave, one to confirm a sign-up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer

LEAVE, CONFIRM = "nyhedsbrev-frameld", "nyhedsbrev-tilmeld"
VALID_FOR = timedelta(days=7)
LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Links:
    """Where klik's pages lie, and the key that its links are signed with (KLIK_SECRET_KEY)."""

    base_url: str
    secret: str = field(repr=False)

    def letter(self, letter_id: int) -> str:
        """The letter's page in the archive."""
        return f"{self.base_url}/nyhedsbreve/{letter_id}"

    def leave(self, address: str) -> str:
        """Where the address is taken off the list; the link is as lasting as the mail it stands in."""
        return f"{self.base_url}/nyhedsbreve/frameld/{self._signer(LEAVE).dumps(address.casefold())}"

    def confirm(self, address: str, now: datetime) -> str:
        """Where a sign-up asked for ``now`` is confirmed, for seven days."""
        asked = [address.casefold(), int(now.timestamp())]
        return f"{self.base_url}/nyhedsbreve/bekraeft/{self._signer(CONFIRM).dumps(asked)}"

    def address_to_leave(self, token: str) -> str | None:
        """The address (small letters) that a link to leave is for; None for one that klik did not sign."""
        address = self._read(LEAVE, token)
        return address if isinstance(address, str) else None

    def address_to_confirm(self, token: str, now: datetime) -> tuple[str, datetime] | None:
        """The address and when it asked; None for a link that is too old or that klik did not sign."""
        match self._read(CONFIRM, token):
            case [str(address), int(asked)]:
                at = datetime.fromtimestamp(asked, UTC)
                return (address, at) if at + VALID_FOR > now else None
            case _:
                return None

    def _signer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=purpose)

    def _read(self, purpose: str, token: str) -> object:
        try:
            return self._signer(purpose).loads(token) if len(token) <= LONGEST else None
        except BadSignature:
            return None
