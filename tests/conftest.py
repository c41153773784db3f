"""Fixtures every test may ask for."""

from tests.postgres import fresh_postgres_database, postgres_server, postgres_url

__all__ = ["fresh_postgres_database", "postgres_server", "postgres_url"]
