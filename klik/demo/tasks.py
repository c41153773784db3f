"""What KOMBIT has published in the demo: real titles, in the phases and themes they belong to.

Titles: seed 003 (themes and announced tasks) and KOMBIT's document library for KP (MI 01–MI 24). The texts
are klik's own.
"""

from __future__ import annotations

from dataclasses import dataclass

STEERING = "projektstyring-og-ledelse"
BENEFITS = "gevinster-og-vaerdier"
SKILLS = "viden-og-faerdigheder"
WORK = "organisering-og-arbejdsgange"
PHASING = "ud-indfasning"
ENVIRONMENT = "it-miljoe-og-infrastruktur"
SECURITY = "it-sikkerhed-og-aftaler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A task that every system's implementation has; texts in Markdown."""

    title: str
    phase: str
    theme: str
    purpose: str
    description: str
    result: str
    responsible: str | None = None
    executor: str | None = None
    appoints: str | None = None
    order: int


SHARED: tuple[Shared, ...] = (
    Shared(
        order=0,
        title="Udpeg projektejer",
        appoints="projektejer",
        phase="opstart",
        theme=STEERING,
        purpose="Projektet skal have en leder, der kan give tid og penge og træffe beslutninger.",
        description="Find den leder, der har ansvaret for fagområdet, og aftal rollen. "
        "Projektejeren skal kunne:\n\n- prioritere medarbejdernes tid\n- afgøre det, projektlederen ikke kan afgøre\n"
        "- stå på mål for resultatet",
        result="Projektejeren står i rollegalleriet.",
        responsible="projektejer",
        executor="kombit-programleder",
    ),
    Shared(
        order=1,
        title="Udpeg projektleder",
        appoints="projektleder",
        phase="opstart",
        theme=STEERING,
        purpose="KOMBIT skal have ét kontaktpunkt i kommunen, til systemet er i drift.",
        description="Udpeg en projektleder, der har tid til opgaven i hele perioden. Projektlederen fordeler "
        "KLIK-opgaverne, følger fristerne og er KOMBITs kontakt i fase 1-3.",
        result="Projektlederen står i rollegalleriet og er oprettet i klik.",
        responsible="projektejer",
        executor="projektejer",
    ),
    Shared(
        order=2,
        title="Identificer eget gevinstpotentiale",
        phase="opstart",
        theme=BENEFITS,
        purpose="Det skal være tydeligt, hvad systemet giver netop jeres kommune.",
        description="Gå de vigtigste arbejdsgange igennem sammen med fagområdet. Skriv for hver af dem, hvad der "
        "bliver lettere, hurtigere eller mere sikkert, og hvordan I kan måle det.",
        result="En liste over gevinster med en gevinstejer på hver.",
        responsible="gevinstejer",
        executor="projektleder",
    ),
    Shared(
        order=3,
        title="Alloker ressourcer til idriftsættelse",
        phase="forberedelse",
        theme=STEERING,
        purpose="De uger, hvor systemet tages i brug, kræver flere hænder end normalt.",
        description="Aftal med lederne, hvem der er fritaget for andre opgaver i ugerne omkring idriftsættelsen. "
        "Husk superbrugere, økonomi og it.",
        result="En bemandingsplan, som lederne har sagt ja til.",
        responsible="projektejer",
        executor="projektleder",
    ),
    Shared(
        order=4,
        title="Udpeg superbrugere",
        appoints="superbruger",
        phase="forberedelse",
        theme=SKILLS,
        purpose="Sagsbehandlerne skal kunne få hjælp af en kollega tæt på.",
        description="Udpeg mindst to superbrugere, så der altid er én på arbejde. En superbruger er første led i "
        "supporten: løser det, der kan løses, og sender resten videre.",
        result="Superbrugerne står i rollegalleriet og er tilmeldt uddannelsen.",
        responsible="projektleder",
        executor="projektleder",
    ),
    Shared(
        order=5,
        title="Planlæg uddannelse",
        phase="forberedelse",
        theme=SKILLS,
        purpose="Alle, der skal bruge systemet, skal kunne det den første dag.",
        description="Lav en plan for, hvem der skal lære hvad hvornår. Regn med, at viden glemmes: undervis tæt på "
        "idriftsættelsen.",
        result="En uddannelsesplan med datoer, lokaler og undervisere.",
        responsible="projektleder",
        executor="traener",
    ),
    Shared(
        order=6,
        title="Kortlæg to-be arbejdsgange",
        phase="forberedelse",
        theme=WORK,
        purpose="Systemet ændrer, hvem der gør hvad. Det skal være aftalt på forhånd.",
        description="Beskriv de nye arbejdsgange sammen med dem, der skal arbejde efter dem. Tag de hyppigste først, "
        "og se særligt på overgange mellem afdelinger.",
        result="Nye arbejdsgange er beskrevet og godkendt af fagområdets leder.",
        responsible="projektleder",
        executor="superbruger",
    ),
    Shared(
        order=7,
        title="Godkend databehandleraftale",
        phase="forberedelse",
        theme=SECURITY,
        purpose="Leverandøren må først behandle borgernes oplysninger, når aftalen er på plads.",
        description="Læs databehandleraftalen igennem med kommunens databeskyttelsesrådgiver, og godkend den.",
        result="Aftalen er underskrevet og journaliseret.",
        responsible="underskriftsberettiget",
        executor="projektleder",
    ),
    Shared(
        order=8,
        title="Godkend serviceaftale",
        phase="forberedelse",
        theme=SECURITY,
        purpose="Uden en godkendt serviceaftale må Serviceplatformen ikke sende data til systemet.",
        description="Leverandøren sætter aftalen i gang. Den underskriftsberettigede får en mail og godkender eller "
        "afviser den i Fælleskommunalt Administrationsmodul.",
        result="Serviceaftalen står som godkendt.",
        responsible="underskriftsberettiget",
        executor="infrastrukturansvarlig",
    ),
    Shared(
        order=9,
        title="Udpeg systemansvarlig",
        appoints="systemansvarlig",
        phase="forberedelse",
        theme=STEERING,
        purpose="Når projektet slutter, skal nogen have ansvaret i hverdagen.",
        description="Udpeg en systemansvarlig, der kan følge idriftsættelsen og tage over bagefter. Har I flere, skal "
        "én være primær. Den systemansvarlige skal være plusbruger i klik og knyttet til systemet.",
        result="Den systemansvarlige står som primær i rollegalleriet.",
        responsible="projektejer",
        executor="projektleder",
    ),
    Shared(
        order=10,
        title="Undervis brugere",
        phase="ibrugtagning",
        theme=SKILLS,
        purpose="Brugerne skal kunne løse deres opgaver i det nye system fra første dag.",
        description="Gennemfør undervisningen efter planen, og følg op på dem, der ikke nåede det.",
        result="Alle brugere har gennemført undervisningen.",
        responsible="projektleder",
        executor="traener",
    ),
    Shared(
        order=11,
        title="Etabler 1. level support",
        phase="ibrugtagning",
        theme=PHASING,
        purpose="Spørgsmål skal besvares hurtigt i de første uger.",
        description="Aftal, hvornår superbrugerne kan kontaktes, hvordan de gør det, de ikke selv kan løse, og hvem "
        "der følger med i leverandørens driftsmeddelelser.",
        result="Brugerne ved, hvem de skal spørge.",
        responsible="systemansvarlig",
        executor="superbruger",
    ),
    Shared(
        order=12,
        title="Etabler hyper-care",
        phase="ibrugtagning",
        theme=PHASING,
        purpose="De første uger afgør, om brugerne får tillid til systemet.",
        description="Hold et kort dagligt møde i de første uger med projektleder, superbrugere og økonomi. Tag de "
        "værste problemer først, og fortæl brugerne, hvad der sker.",
        result="Hyper-care er planlagt og bemandet.",
        responsible="projektleder",
        executor="superbruger",
    ),
    Shared(
        order=13,
        title="Realiser gevinstpotentiale",
        phase="forankring",
        theme=BENEFITS,
        purpose="Gevinsterne kommer ikke af sig selv, når systemet er i drift.",
        description="Tag listen over gevinster frem. Aftal for hver, hvad der skal ændres, og hvornår. Vent med "
        "besparelser, til driften har været stabil i mindst et halvt år.",
        result="Hver gevinst har en plan og en ansvarlig.",
        responsible="gevinstejer",
        executor="systemansvarlig",
    ),
    Shared(
        order=14,
        title="Dokumentér indfriet gevinstpotentiale",
        phase="forankring",
        theme=BENEFITS,
        purpose="Politikere og ledelse skal kunne se, hvad der er kommet ud af det.",
        description="Mål det samme som før idriftsættelsen, og skriv kort, hvad der er nået, og hvad der mangler.",
        result="Et notat til ledelsen.",
        responsible="gevinstejer",
        executor="systemansvarlig",
    ),
)

PROGRAMME: tuple[Shared, ...] = (
    Shared(
        order=0,
        title="Udpeg infrastrukturejer og infrastrukturansvarlig",
        phase="opstart",
        theme=STEERING,
        purpose="Den fælleskommunale infrastruktur skal have en ejer og en daglig ansvarlig i kommunen.",
        description="Udpeg en leder som infrastrukturejer og en medarbejder som infrastrukturansvarlig.",
        result="Begge står i rollegalleriet.",
        responsible="kombit-programleder",
        executor="kombit-programleder",
    ),
    Shared(
        order=1,
        title="Udpeg organisationsadministrator",
        appoints="organisationsadministrator",
        phase="forberedelse",
        theme=STEERING,
        purpose="Der er flere og mere komplekse opgaver i Fælleskommunalt Organisationssystem, og kommunen skal "
        "støttes i overgangen til drift og forvaltning.",
        description="Organisationsadministrator er en tværgående og navngiven rolle. Den, I udpeger, har ansvaret for, "
        "at kommunens oplysninger i Fælleskommunalt Organisationssystem er rigtige.",
        result="Organisationsadministratoren står i rollegalleriet.",
        responsible="kombit-programleder",
        executor="infrastrukturansvarlig",
    ),
    Shared(
        order=2,
        title="Tilslut kommunen til STS Administrationsmodulet",
        phase="forberedelse",
        theme=ENVIRONMENT,
        purpose="Kommunen styrer selv adgange og aftaler i administrationsmodulet.",
        description="Bestil tilslutningen, og opret de brugere, der skal arbejde i modulet.",
        result="Kommunens brugere kan logge ind i modulet.",
        responsible="infrastrukturansvarlig",
        executor="brugeradministrator",
    ),
    Shared(
        order=3,
        title="Vælg tværgående unikt bruger-id",
        phase="forberedelse",
        theme=ENVIRONMENT,
        purpose="En medarbejder skal være den samme i alle fælleskommunale systemer.",
        description="Beslut, hvilket id der følger medarbejderen på tværs af systemer, og kontroller, at det er "
        "entydigt over tid.",
        result="Beslutningen er skrevet ned og kendt af brugeradministrationen.",
        responsible="infrastrukturansvarlig",
        executor="brugeradministrator",
    ),
    Shared(
        order=4,
        title="Tilslut kommunens IdP til Context Handler 2",
        phase="ibrugtagning",
        theme=ENVIRONMENT,
        purpose="Context Handler 2 afløser den nuværende. Uden tilslutning kan medarbejderne ikke logge ind.",
        description="Opgaven har lang frist, fordi mange skal bestille hjælp hos deres leverandør. Begynd med at "
        "aftale, hvornår leverandøren kan.",
        result="Medarbejderne logger ind gennem Context Handler 2.",
        responsible="infrastrukturansvarlig",
        executor="brugeradministrator",
    ),
    Shared(
        order=5,
        title="Flyt sortimenter til Fælleskommunalt Klassifikationssystem",
        phase="forankring",
        theme=ENVIRONMENT,
        purpose="Sortimenterne får deres blivende plads, så økonomisystemerne henter dem samme sted.",
        description="Aftal med jeres leverandør af økonomisystem, hvornår de skifter. Der må ikke ændres i sortimenter "
        "i den frosne periode.",
        result="Økonomisystemet henter sortimenter fra klassifikationssystemet.",
        responsible="infrastrukturansvarlig",
        executor="oekonomimedarbejder",
    ),
)
