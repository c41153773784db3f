"""What klik stores of a password; the factories' people have cheap hashes, so this is where the real ones are held."""

from __future__ import annotations

from argon2 import Type, extract_parameters

from klik.services.people import passwords


def test_a_stored_hash_is_as_dear_as_owasp_asks_at_least() -> None:
    stored = passwords.hash_password("en lang sætning med heste")
    cost = extract_parameters(stored)
    assert cost.type is Type.ID
    assert (cost.memory_cost, cost.time_cost) >= (46 * 1024, 1)
    assert cost.memory_cost * cost.time_cost >= 3 * 64 * 1024
    assert (cost.hash_len, cost.salt_len) == (32, 16)
    assert passwords.matches("en lang sætning med heste", stored)
    assert not passwords.matches("en lang sætning med Heste", stored)


def test_an_unknown_account_is_answered_at_the_same_cost() -> None:
    assert extract_parameters(passwords._NOBODY) == extract_parameters(
        passwords.hash_password("hvem som helst")
    )
