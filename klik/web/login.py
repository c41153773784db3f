"""Flask-Login over klik's own session table: it reads the actor, and keeps no cookie of its own."""

from __future__ import annotations

from flask import Flask, Request, g
from flask_login import LoginManager, UserMixin

from klik.services.people import sessions
from klik.services.people.sessions import SignedIn
from klik.services.work import Actor
from klik.web.base import cookie_name


class User(UserMixin):
    """What Flask-Login calls a user: an open session and its actor."""

    def __init__(self, signed_in: SignedIn) -> None:
        self.actor: Actor = signed_in.actor
        self.session_id = signed_in.session_id
        self.seen_is_old = signed_in.seen_is_old
        self.stamps = signed_in.stamps
        self.unread = signed_in.unread
        self.elsewhere = signed_in.elsewhere
        self.faults = signed_in.faults

    def get_id(self) -> str:
        """The person's id."""
        return str(self.actor.person_id)


def set_up(app: Flask) -> None:
    """Let Flask-Login find the actor in the view's own transaction."""
    manager = LoginManager()

    @manager.request_loader
    def load(request: Request) -> User | None:
        session = g.get("klik_session")
        if session is None:
            return None
        found = sessions.find(session, request.cookies.get(cookie_name()), g.klik_now)
        return User(found) if found else None

    manager.init_app(app)
