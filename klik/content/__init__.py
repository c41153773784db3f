"""Phases, themes and the role gallery, read from files that people without programming skills edit."""
