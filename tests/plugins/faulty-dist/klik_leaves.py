"""Wants to end the program while it is imported."""

raise SystemExit(3)
