"""Contacts, the card on one page, and mailing lists."""
