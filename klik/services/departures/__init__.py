"""Somebody leaves a municipality: what they have, who takes it over, and the day on which it happens."""
