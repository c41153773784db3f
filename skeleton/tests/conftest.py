import klik_aula
import pytest


@pytest.fixture
def klik_plugin():
    return "aula", klik_aula
