"""What each column of a package is called and means, in Danish: the headings of the CSV files and their description."""

from __future__ import annotations

from dataclasses import dataclass

_WORDS = """
active aktiv Om den stadig er i brug
added_at vedhaeftet_den Hvornår filen blev vedhæftet
added_by vedhaeftet_af Den person, der vedhæftede filen
announced_at varslet_den Hvornår sletningen blev varslet
anonymised_at anonymiseret_den Hvornår personens navn blev fjernet
answer svar Svaret; for en afvigelse foelg eller behold
answered_at besvaret_den Hvornår der blev svaret
answered_by besvaret_af Den, der svarede
appoints_role udpeger_rolle Den rolle, opgaven handler om at udpege
archive_sha256 arkivfil_sha256 Arkivfilens fingeraftryk
archive_size arkivfil_bytes Arkivfilens størrelse i byte
archived_at arkiveret_den Hvornår arkivfilen blev lavet
asked_at spurgt_den Hvornår der blev spurgt
asked_by spurgt_af Den, der spurgte
at tidspunkt Hvornår det skete
author forfatter Den, der skrev
case_number sagsnummer Kommunens sagsnummer på modtagelsen
central_new kombits_nye KOMBITs nye værdi
central_old kombits_gamle KOMBITs tidligere værdi
change_note rettelse Hvad KOMBIT skrev om rettelsen
changed_at aendret_den Hvornår der sidst blev ændret
changed_by aendret_af Den, der sidst ændrede
close_reason lukket_fordi Hvorfor spørgsmålet blev lukket
closed_at lukket_den Hvornår spørgsmålet blev lukket
code kode Systemets korte navn
completed_on fuldfoert_den Den dag opgaven blev fuldført
confirmed_at bekraeftet_den Hvornår rollen sidst blev bekræftet
contact kontakt Hvem der kan spørges
created_at oprettet_den Hvornår rækken blev oprettet; for en person udefra tomt
current_number nyeste_version Nummeret på den nyeste udgivne version
deadline deadline Sidste dag
deadline_is_own egen_deadline Om kommunen selv har sat sin deadline
deadline_parameter deadlineregel_vaerdi Hvad deadlinereglen fik at regne på
deadline_rule deadlineregel Den regel, deadline regnes efter
deadline_version deadline_gange Hvor mange gange deadline er sat
decided_by besluttet_af Hvem der besluttede sletningen
decided_on besluttet_den Dagen for beslutningen
deletion sletning Den sletning, opgaven hørte til
description beskrivelse Beskrivelse (Markdown)
done_at afkrydset_den Hvornår linjen blev krydset af
done_by afkrydset_af Den, der krydsede af
edited_at redigeret_den Hvornår teksten sidst blev ændret
email mail Mailadresse; for en person udefra udefra/ og navnet
ended_on ophoert_den Dagen, adgangen ophørte
erased_at slettet_den Hvornår opgaven blev slettet
executor udfoerer Den person, der udfører
executor_role udfoerer_rolle Den rolle, der udfører
fetched_at hentet_den Hvornår kommunen hentede opgaven
fetched_by hentet_af Den, der hentede
fetched_sha256 hentet_sha256 Fingeraftrykket af den fil, der blev hentet
field felt Feltets navn
for_information til_orientering Om deadline var gået, før kommunen fik opgaven
go_live ibrugtagning Dagen, systemet tages i brug
heading overskrift Overskrift
how_to saadan Sådan gør man (Markdown)
id kommunekode Kommunens officielle kode
infrastructure infrastruktur Om opgaven hører til STS/Infrastruktur
inhabitants indbyggere Antal indbyggere
is_primary primaer Om indehaveren er den primære
kind slags indehaver eller stedfortraeder
last_day sidste_dag Den sidste dag, opgaven kunne hentes
legal_basis kassationshjemmel Hjemlen for sletningen
level niveau Rettighedsniveau
local kommunens_egen Kommunens egen værdi
local_text lokal_tekst Den lokale opgaves tekst (Markdown)
mailbox postkasse Funktionspostkasse
material materiale Materiale (Markdown)
media_type medietype Filens type
membership medlemskab Det medlemskab, rækken hører til
municipal_task opgave Den af kommunens opgaver, rækken hører til
name navn Navn
named naevnt_kommune Om andre kommuner må se, hvem der spurgte
needs_task forudsaetter Den KLIK-opgave, der skal være gjort først
new ny Den nye værdi, som den blev vist
not_relevant_reason ikke_relevant_fordi Hvorfor opgaven ikke er relevant
note bemaerkning Bemærkning
notified_at varslet_kommunen_den Hvornår varslet nåede kommunen
number nummer Løbenummer
old gammel Den tidligere værdi, som den blev vist
opened_at aabnet_den Hvornår runden blev åbnet
organisation organisation Organisation
person person Personen
phase fase Fasens korte navn
phone telefon Telefonnummer
position plads Plads i rækkefølgen
prerequisites forudsaetninger Forudsætninger (Markdown)
priority prioritet hoej, normal eller lav
private kun_for_kommunen Om kommentaren kun er for kommunen
project projekt Projektet
published_at udgivet_den Hvornår opgaven blev udgivet
purpose formaal Formål (Markdown)
query filter Filteret, som det står i adressen
receipted_at kvitteret_den Hvornår kommunen kvitterede
receipted_by kvitteret_af Den, der kvitterede
region region Region
responsible ansvarlig Den person, der er ansvarlig
responsible_role ansvarlig_rolle Den rolle, der er ansvarlig
result resultat Resultat (Markdown)
role rolle Rollens korte navn
round runde Rundens nummer
saved_filter filter Det gemte filter
seen_at set_den Hvornår opgaven sidst blev set
settled_at afgjort_den Hvornår afvigelsen blev afgjort
settled_by afgjort_af Den, der afgjorde
sha256 sha256 Filens fingeraftryk
shared delt_med Hvem filteret er delt med
since siden Den dag adgangen begyndte
size bytes Størrelse i byte
slug kort_navn Fast kort navn
start_date startdato Startdato
state tilstand Tilstand
status status ikke-paabegyndt, i-gang, fuldfoert eller ikke-relevant
supplier leverandoer Leverandør
system_code system It-systemets korte navn
task klik_opgave KOMBITs KLIK-opgave; tom for en lokal opgave og for en slettet
task_number opgavenummer Opgavens nummer, fx MI 15
task_version version Den version af KLIK-opgaven, der gælder
text tekst Teksten
theme tema Temaets korte navn
title titel Titel
until indtil Det tidspunkt, tilstanden gjaldt indtil
valid_from fra Første dag
valid_to til Sidste dag
value vaerdi Feltets værdi
archive_kept_until arkiveret_til Den sidste dag, arkivfilen lå i det klik, pakken er fra
verified_at efterproevet_den Hvornår arkivfilen blev læst igen
via via Hvordan ændringen kom
wave boelge Bølgen
withdrawal_reason trukket_tilbage_fordi Hvorfor opgaven blev trukket tilbage
withdrawn_at trukket_tilbage_den Hvornår opgaven blev trukket tilbage
working_day arbejdsdag Om en fridag flyttes: uaendret, foer eller efter
yellow_from gul_fra Første gule dag
"""


@dataclass(frozen=True, slots=True)
class ColumnWord:
    """A column's heading and what it means."""

    name: str
    text: str


_COLUMNS = {
    column: ColumnWord(name, text)
    for column, name, text in (line.split(" ", 2) for line in _WORDS.strip().splitlines())
}


def of_column(label: str) -> ColumnWord:
    """The words of a column by its name in the package; raises KeyError for one nobody has described."""
    return _COLUMNS[label]
