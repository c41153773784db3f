"""Newsletters: written by KOMBIT, sent once to a frozen list of addresses, kept in an archive, and easy to leave."""
