"""Changing many tasks in one go: what is wanted, what it would do, doing it, and undoing it."""
