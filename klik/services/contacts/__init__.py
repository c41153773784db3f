"""Whom KOMBIT turns to: contacts by system and phase, the card of a municipality, mailing lists and vCards."""
