"""WeasyPrint with everything shared between documents; imported only by the child process."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydyf
from weasyprint import CSS, HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

PLEX_FACES = {
    "IBMPlexSans-Regular": "font-weight: 400",
    "IBMPlexSans-Italic": "font-weight: 400; font-style: italic",
    "IBMPlexSans-SemiBold": "font-weight: 600",
}
FONT_SCHEME = "klik-font"
# PDF/A allows only metadata it knows or that is described; the mark of PDF/UA has to be described.
ACCESSIBLE_MARK = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">\
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">\
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">\
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>\
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Part of ISO 14289</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF>"""


class NothingFetched(URLFetcher):
    """Refuses every address: a document brings all it needs with it."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        raise PermissionError("documents may not fetch anything")


class FontsFetched(URLFetcher):
    """Answers with klik's own fonts, which were read before the first document, and with nothing else."""

    def __init__(self, fonts: dict[str, bytes]) -> None:
        super().__init__()
        self._fonts = fonts

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        address = urlsplit(url)
        if address.scheme != FONT_SCHEME:
            raise PermissionError("only fonts may be fetched")
        return URLFetcherResponse(url, self._fonts[address.path], {"Content-Type": "font/woff2"})


class Engine:
    """Draws HTML as PDF/A-3a marked PDF/UA-1, with one font configuration and style sheet for all documents."""

    def __init__(self, fonts: Path | None, stylesheet: str) -> None:
        faces = _read_faces(fonts)
        rules = "".join(
            f'@font-face {{ font-family: "IBM Plex Sans"; {PLEX_FACES[name]}; src: url({FONT_SCHEME}:{name}) }}\n'
            for name in faces
        )
        self._fonts = FontConfiguration()
        self._style = CSS(string=rules + stylesheet, font_config=self._fonts, url_fetcher=FontsFetched(faces))

    def pdf(self, description: dict[str, Any], page: str, embedded: bytes) -> bytes:
        """The PDF of a page; `description` has identifier, exported_at and the embedded file's name and words."""
        attachments = [_attachment(description, embedded)] if embedded else None
        target = io.BytesIO()
        HTML(string=page, url_fetcher=NothingFetched()).write_pdf(
            target,
            font_config=self._fonts,
            stylesheets=[self._style],
            attachments=attachments,
            pdf_variant="pdf/a-3a",
            pdf_identifier=description["identifier"].encode("ascii"),
            finisher=_finish,
        )
        return target.getvalue()


def _read_faces(fonts: Path | None) -> dict[str, bytes]:
    if fonts is None:
        return {}
    files = {name: sorted(fonts.rglob(f"{name}.woff2")) for name in PLEX_FACES}
    return {name: found[0].read_bytes() for name, found in files.items() if found}


def _attachment(description: dict[str, Any], embedded: bytes) -> Attachment:
    exported_at = datetime.fromisoformat(description["exported_at"])
    return Attachment(
        string=embedded,
        name=description["embedded_name"],
        description=description["embedded_description"],
        created=exported_at,
        modified=exported_at,
        relationship="Data",
    )


def _finish(document: Any, pdf: pydyf.PDF) -> None:
    """What PDF/A-3a and PDF/UA-1 ask for beyond what WeasyPrint writes."""
    metadata = _object(pdf, pdf.catalog["Metadata"])
    metadata.stream = [b"\n".join(metadata.stream).replace(b"</rdf:RDF>", ACCESSIBLE_MARK)]
    metadata.compress = False
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _object(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
