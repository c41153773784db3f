"""The feed a calendar fetches: nobody signs in, the secret in the address is the key."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, request

from klik.services import calendar_feeds
from klik.services.calendar_file import feed_as_ics
from klik.services.errors import NotFoundError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, access, installation

blueprint = Blueprint("calendar_feed", __name__)
SECONDS_KEPT = 900


@blueprint.get("/kalender/<secret>.ics")
@access(None)
def fetch(work: Work, secret: str) -> Afterwards:
    """The deadlines of the feed's filter, as its person may see them now."""
    house, now = installation(), work.now

    def make() -> Any:
        try:
            # It is noted what the calendar was told, so that it can be told what is gone.
            with house.writing(now) as writing:
                feed = calendar_feeds.fetch(writing, secret)
        except NotFoundError:
            return _quiet(make_response(errors.page(404)))
        except calendar_feeds.FeedGoneError:
            return _quiet(Response("Kalenderen er lukket. Lav en ny i klik.\n", 410, mimetype="text/plain"))
        except calendar_feeds.TooOftenError as often:
            answer = Response(
                "Kalenderen er hentet for ofte. Prøv igen senere.\n", 429, mimetype="text/plain"
            )
            answer.headers["Retry-After"] = str(often.seconds)
            return _quiet(answer)
        base = house.settings.base_url
        content = feed_as_ics(
            feed.name,
            feed.days,
            feed.cancelled,
            urlsplit(base).hostname or "klik",
            lambda task_id: f"{base}/opgaver/{task_id}",
            several=feed.several,
        )
        answer = Response(content, mimetype="text/calendar")
        answer.headers["Cache-Control"] = f"private, max-age={SECONDS_KEPT}"
        answer.add_etag()
        return _quiet(answer.make_conditional(request))

    return Afterwards(make)


def _quiet(answer: Any) -> Any:
    """The address is a key: it must not travel on as a referrer."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
