"""What a house's package does not hold, with the reason in Danish: a test asks it of every table."""

from __future__ import annotations

from collections.abc import Mapping

LEFT_OUT: Mapping[str, str] = {
    "audit_entries": "revisionssporet er husets eget regnskab, ikke kommunens indhold",
    "bounced_addresses": "hvilke mails der kom retur, hører til husets post",
    "bounces": "hvilke mails der kom retur, hører til husets post",
    "bulk_change_items": "det, der skal til for at fortryde mange ændringer på én gang; ændringerne står i historikken",
    "bulk_changes": "det, der skal til for at fortryde mange ændringer på én gang; ændringerne står i historikken",
    "calendar_feed_events": "kalenderadresser er hemmelige og personlige",
    "calendar_feeds": "kalenderadresser er hemmelige og personlige",
    "channel_routes": "kanalerne er KOMBITs",
    "control_reports": "den supplerende kontrol er husets eget regnskab",
    "data_stamps": "tal, som databasen selv fører",
    "departure_heirs": "hvem der overtager efter en fratrædelse, står i rollerne og opgaverne, når den er gennemført",
    "departures": "en fratrædelse, der ikke er gennemført, gælder kun i det hus, hvor den er skrevet",
    "discarded_files": "filer på vej til at blive fjernet",
    "export_proofs": "et hus kan kun stå inde for filer, det selv har lavet",
    "exports": "bestilte filer er midlertidige",
    "filter_uses": "stjerner og mails fra filtre er personlige",
    "gallery_lookups": "hvem der har slået personer op, er husets eget regnskab",
    "heartbeats": "husets drift",
    "job_runs": "husets drift",
    "last_meetings": "dagen for det sidste møde er personlig",
    "list_settings": "valg af kolonner er personlige",
    "login_attempts": "husets sikkerhed",
    "login_sessions": "husets sikkerhed",
    "mails": "varsler og mails er husets post, ikke kommunens indhold",
    "newsletter_addresses": "nyhedsbrevene er KOMBITs",
    "newsletter_recipients": "nyhedsbrevene er KOMBITs",
    "newsletters": "nyhedsbrevene er KOMBITs",
    "notice_settings": "hvornår man vil have mails, er personligt",
    "notices": "varsler og mails er husets post, ikke kommunens indhold",
    "plugin_announcements": "hvad udvidelserne har fortalt, er husets post",
    "plugin_events": "husets drift",
    "plugin_faults": "husets drift",
    "request_keys": "husets drift",
    "role_answers": "svarene på “Er det stadig dig?” står i rollerne som den dag, de sidst blev bekræftet",
    "role_editions": "rollernes beskrivelser hører til klik",
    "role_readings": "hvad man har læst, er personligt",
    "secret_tokens": "husets sikkerhed",
    "topic_subscriptions": "hvad man har tilmeldt sig, er personligt",
    "task_steps": "KOMBITs arbejde med en opgave, før og efter den blev udgivet",
}
# Said in every package, so that nobody has to find out.
NOT_IN = (
    "Varsler, mails og revisionssporet: de er husets regnskab, ikke kommunens indhold.",
    "Adgangskoder, kalenderadresser og personlige valg: personlige filtre, kolonner, stjerner og mødedage.",
    "KOMBITs kladder, planlagte rettelser, nyhedsbreve og valg af modtagere, og alt, der hører til andre kommuner.",
    "Andre kommuners spørgsmål og svar; de står i opgavernes PDF-filer, hvor KOMBIT har delt dem.",
    "Varslede sletninger, der ikke er gennemført; de gælder kun i det hus, hvor de er varslet.",
    "Udvidelsernes egne registre; deres felter er med, og deres paneler står i opgavernes PDF-filer.",
)
