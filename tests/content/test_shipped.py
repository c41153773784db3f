"""The content folders that klik ships."""

from pathlib import Path

import pytest

from klik.content.loading import load
from klik.content.roles import Holders, RoleScope
from klik.domain import cpr
from klik.domain.markdown import render_markdown
from klik.domain.tasknumbers import TaskNumber

ROOT = Path(__file__).parents[2]
CONTENT = load(ROOT / "phases", ROOT / "roles")


def test_phases_are_those_of_the_implementation_model():
    assert [(phase.number, phase.slug, phase.name) for phase in CONTENT.phases] == [
        (1, "opstart", "Opstart"),
        (2, "forberedelse", "Forberedelse"),
        (3, "ibrugtagning", "Ibrugtagning"),
        (4, "forankring", "Forankring"),
    ]


def test_themes_are_those_of_the_implementation_model():
    assert [(theme.prefix, theme.slug, theme.name) for theme in CONTENT.themes] == [
        ("PL", "projektstyring-og-ledelse", "Projektstyring og -ledelse"),
        ("GV", "gevinster-og-vaerdier", "Gevinster og værdier"),
        ("VF", "viden-og-faerdigheder", "Viden og færdigheder"),
        ("OA", "organisering-og-arbejdsgange", "Organisering og arbejdsgange"),
        ("UI", "ud-indfasning", "Ud-/Indfasning"),
        ("MI", "it-miljoe-og-infrastruktur", "It-miljø og -infrastruktur"),
        ("SA", "it-sikkerhed-og-aftaler", "It-sikkerhed og -aftaler"),
    ]
    for theme in CONTENT.themes:
        assert TaskNumber(theme.prefix, 1).prefix == theme.prefix


def test_the_gallery_is_whole():
    assert len(CONTENT.roles) >= 18
    assert {path.stem for path in (ROOT / "roles").glob("*.toml")} == {role.slug for role in CONTENT.roles}


def test_every_phase_has_one_contact_for_kombit():
    contacts = {
        phase.slug: [role.slug for role in CONTENT.roles if phase.slug in role.spoc_phases]
        for phase in CONTENT.phases
    }
    assert contacts == {
        "opstart": ["projektleder"],
        "forberedelse": ["projektleder"],
        "ibrugtagning": ["projektleder"],
        "forankring": ["systemansvarlig"],
    }


def test_what_the_sources_say_of_single_roles():
    assert CONTENT.role("systemansvarlig").plus_user
    assert CONTENT.role("systemansvarlig").holders is Holders.ONE_PRIMARY
    assert CONTENT.role("organisationsadministrator").scope is RoleScope.MUNICIPALITY
    assert CONTENT.role("organisationsadministrator").holders is Holders.EXACTLY_ONE
    assert CONTENT.role("faglig-leder").systems == ("dubu",)
    assert CONTENT.role("ydelseschef").is_for("ksd")
    assert not CONTENT.role("ydelseschef").is_for("kp")
    assert CONTENT.role("superbruger").is_for("et-nyt-system")
    assert not CONTENT.role("kombit-programleder").is_for("ksd")


@pytest.mark.parametrize("described", [*CONTENT.phases, *CONTENT.themes], ids=lambda thing: thing.slug)
def test_every_phase_and_theme_says_something(described):
    assert len(described.definition) > 60
    assert len(described.typical_tasks) >= 3
    assert render_markdown(described.definition).startswith("<p>")


@pytest.mark.parametrize("role", CONTENT.roles, ids=lambda role: role.slug)
def test_every_role_says_something(role):
    assert len(role.description) > 100
    assert len(role.tasks) >= 3
    assert role.summary.endswith(".")
    assert role.contact.endswith(".")
    assert render_markdown(role.description).startswith("<p>")
    assert not cpr.find(role.description)


def test_an_unknown_slug_still_shows():
    assert CONTENT.phase("afvikling").name == "afvikling"
    assert CONTENT.phase("afvikling").is_retired
    assert CONTENT.phase("afvikling").number > CONTENT.phases[-1].number
    assert CONTENT.theme("nyt").is_retired
    assert CONTENT.role("kejser").is_retired
    assert CONTENT.role("kejser").name == "kejser"
    assert not CONTENT.role("projektleder").is_retired


def test_content_cannot_be_changed_at_run_time():
    with pytest.raises(AttributeError):
        CONTENT.phases[0].name = "Andet"
