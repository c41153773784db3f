"""Telling people: the ledger of notices, who is told, the mails that carry them, and the account of it all."""
