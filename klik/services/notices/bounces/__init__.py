"""Mails that come back: read, matched with what was sent, and acted on."""
