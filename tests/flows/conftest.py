"""The marker of the long tests here."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hard: takes long; run before a release")
