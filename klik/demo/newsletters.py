"""KOMBIT's newsletters in the demo: two sent, one on its way, one being written, and somebody outside who reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.models import Mail, NewsletterRecipient
from klik.services.newsletters import sending, subscribing, writing
from klik.services.newsletters.audience import Audience
from klik.services.newsletters.letter import Words
from klik.services.newsletters.links import Links
from klik.services.newsletters.sending import Post
from klik.services.notices.mails import Sender
from klik.services.work import Actor, Work

REGION = "Region Sjælland"
SUBSCRIBER = "karen.vinter@it-huset.example"
# These mails are past: they stand in the account, and no mail program ever opens their links.
POST = Post(Sender("klik@demo.example", "http://127.0.0.1:5000"), Links("http://127.0.0.1:5000", "fortid"))
RETURNED = "550 5.1.1 Modtageren findes ikke"

AUTUMN = Words(
    "Nyt fra KLIK: efterårets opgaver",
    """Kære kollegaer i kommunerne

Efteråret byder på nye opgaver i Kommunernes Pensionssystem og Kommunernes Ydelsessystem. Her er det vigtigste.

## Det skal I gøre nu

1. Se, om rollerne er besat. En ledig rolle betyder, at vigtig information ikke når frem.
2. Fordel opgaverne i fasen *Forberedelse*, og sæt en ansvarlig på hver.
3. Hent de opgaver fra KSD, der snart slettes.

## Hvorfor

> Vi kan se, at mange mails kommer retur, fordi medarbejdere har skiftet job. Bed jeres administrator rette adresserne.

Læs mere om roller og opgaver på [kombit.dk](https://kombit.dk).

Venlig hilsen
KOMBIT
""",
)
WEBINAR = Words(
    "Webinar om økonomi og afstemning",
    """Vi holder webinar for KOMBIT-programledere og andre, der arbejder med økonomi i implementeringen.

## Program

| Tid | Emne |
|---|---|
| 9.00 | Velkommen |
| 9.15 | Økonomi i implementeringen |
| 10.30 | Afstemning og kontering |
| 11.30 | Spørgsmål |

- Målgruppe: KOMBIT-programleder, it- og digitaliseringschef
- Tilmelding: skriv til [webinar@kombit.example](mailto:webinar@kombit.example)

Optagelsen kan ses bagefter.
""",
)
TODAY = Words(
    "Spørgetime om KP på torsdag",
    """Torsdag kl. 13 svarer KOMBIT på spørgsmål om Kommunernes Pensionssystem.

- Hvad skal være på plads før idriftsættelsen?
- Hvem gør hvad i forberedelsen?

Skriv gerne jeres spørgsmål på opgaven i klik inden onsdag.
""",
)
DRAFT = Words(
    "Rollegalleriet: bekræft jeres roller inden jul",
    """Hvert halve år beder vi jer bekræfte, at rollerne i rollegalleriet stadig holder.

- Er alle roller besat?
- Er der udpeget en **primær** systemansvarlig?
- Passer mailadresserne?
""",
)


def fill(work: Work, editor: Actor) -> None:
    """All of it, by KOMBIT's editor."""
    subscribing.confirm(replace(work, now=work.now - timedelta(days=60)), SUBSCRIBER, work.now)
    first = replace(work, now=work.now - timedelta(days=40), actor=editor)
    _leaving(work)
    _sent(first, AUTUMN, Audience(), public=True)
    leaders = Audience(levels=(Level.ADMINISTRATOR.value,), roles=("kombit-programleder",), subscribers=False)
    _sent(replace(first, now=work.now - timedelta(days=9)), WEBINAR, leaders)
    today = replace(work, actor=editor)
    # No mails are made of this one here: the worker makes them, with links that work, when the demo opens.
    near = writing.begin(
        today, TODAY, Audience(levels=(), roles=("kombit-programleder",), systems=("kp",), regions=(REGION,))
    )
    sending.send(today, near.id, near.version)
    writing.begin(today, DRAFT, Audience())


def _leaving(work: Work) -> None:
    """A reader said no long ago."""
    subscribing.leave(replace(work, now=work.now - timedelta(days=50)), "plusbruger@aarhus.example")


def _sent(work: Work, words: Words, audience: Audience, *, public: bool = False) -> None:
    row = writing.begin(work, words, audience)
    sending.send(work, row.id, row.version)
    if public:
        sending.make_public(work, row.id, public=True)
    while sending.make_mails(work, POST) is not None:
        pass
    carried = select(NewsletterRecipient.mail_id).where(NewsletterRecipient.newsletter_id == row.id)
    ids = sorted(work.session.scalars(carried.where(NewsletterRecipient.mail_id.is_not(None))))
    at = work.now + timedelta(minutes=3)
    work.session.execute(
        update(Mail).where(Mail.id.in_(ids)).values(state="sent", sent_at=at, attempts=1, reply="250 OK")
    )
    returned = ids[7::90]
    work.session.execute(
        update(Mail).where(Mail.id.in_(returned)).values(state="bounced", sent_at=None, reply=RETURNED)
    )
