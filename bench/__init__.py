"""Measurements, each by one command from the root of the checkout; what they found: docs/performance.md."""
