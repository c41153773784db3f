"""WeasyPrint with everything shared between documents; imported only by the child process."""

import gc
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydyf
from weasyprint import CSS, HTML, Attachment
from weasyprint.html import UA
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

PLEX_FACES = {
    "IBMPlexSans-Regular": "font-weight: 400",
    "IBMPlexSans-Italic": "font-weight: 400; font-style: italic",
    "IBMPlexSans-SemiBold": "font-weight: 600",
}
FONT_SCHEME = "klik-font"
SIZE = 'data-size=""'
SHEET = '<div class="sheet"></div>'
PAGINATION = pydyf.Dictionary({"Type": "/Pagination"})
# WeasyPrint's own style sheet has five kinds of notes for every element, and a marker for each that is no list item:
# six more styles an element to be worked out, although klik prints no notes.
_NOTES = re.compile(r"^::(?:foot)?note-\w+ \{.*\}$", re.MULTILINE)
_MARKER = re.compile(r"^::marker \{", re.MULTILINE)
# Allocations between two looks for garbage: a document of one page makes some 50,000 objects that last till its end.
_GARBAGE_EVERY = 50_000
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


class Page(HTML):  # type: ignore[misc]
    """A page that is styled without what no document of klik's has."""

    _style = CSS(string=_MARKER.sub("li::marker {", _NOTES.sub("", UA)))

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        return [self._style]


class Engine:
    """Draws HTML as PDF/A-3a marked PDF/UA-1; fonts and style sheet are shared by all documents."""

    def __init__(self, fonts: Path | None, stylesheet: str) -> None:
        faces = read_faces(fonts)
        self._fonts = FontConfiguration()
        self._style = CSS(
            string=font_rules(faces) + stylesheet, font_config=self._fonts, url_fetcher=FontsFetched(faces)
        )
        # What is here now stays for good, and is never looked through again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE_EVERY, 20, 50)

    def pdf(self, description: dict[str, Any], page: str, embedded: bytes) -> bytes:
        """The PDF of a page; `description` is what `rendering.Renderer` sends with it."""
        attachments = [_attachment(description, embedded)] if embedded else None
        target = io.BytesIO()
        Page(string=page, url_fetcher=NothingFetched()).write_pdf(
            target,
            font_config=self._fonts,
            stylesheets=[self._style],
            attachments=attachments,
            pdf_variant="pdf/a-3a",
            pdf_identifier=description["identifier"].encode("ascii"),
            finisher=_finish,
        )
        return target.getvalue()

    def fitted(self, description: dict[str, Any], page: str, embedded: bytes) -> bytes:
        """The page in the roomiest of the sizes in which it is one page; in the tightest where none is."""
        sizes = description["sizes"]
        low, high = 0, len(sizes) - 1
        while low < high:
            middle = (low + high) // 2
            if self._pages(_sized(page, sizes[middle])) == 1:
                high = middle
            else:
                low = middle + 1
        return self.pdf(description, _sized(page, sizes[low]), embedded)

    def _pages(self, page: str) -> int:
        drawn = Page(string=page, url_fetcher=NothingFetched()).render(
            font_config=self._fonts, stylesheets=[self._style]
        )
        return len(drawn.pages)

    def join(self, description: dict[str, Any], page: str, content: bytes) -> bytes:
        """Parts that were drawn before as one PDF; ``page`` has one empty sheet, drawn as often as there are pages."""
        from klik.services.rendering_joining import joined  # few documents are so long

        parts, start = [], 0
        for length in description["parts"]:
            parts.append(content[start : start + length])
            start += length
        return joined(parts, lambda count: self.pdf(description, page.replace(SHEET, SHEET * count), b""))


def font_rules(faces: dict[str, bytes]) -> str:
    """The @font-face rules of the faces that were found."""
    return "".join(
        f"@font-face {{ font-family: IBM Plex Sans; {look}; src: url({FONT_SCHEME}:{name}) }}\n"
        for name, look in PLEX_FACES.items()
        if name in faces
    )


def read_faces(fonts: Path | None) -> dict[str, bytes]:
    """IBM Plex Sans by face from wherever below the folder it lies; without a folder nothing."""
    if fonts is None:
        return {}
    files = {name: sorted(fonts.rglob(f"{name}.woff2")) for name in PLEX_FACES}
    return {name: found[0].read_bytes() for name, found in files.items() if found}


def _sized(page: str, size: str) -> str:
    return page.replace(SIZE, f'data-size="{size}"', 1)


def _attachment(description: dict[str, Any], embedded: bytes) -> Attachment:
    exported_at = datetime.fromisoformat(description["exported_at"]).astimezone(UTC)
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
    if "AF" in pdf.catalog:  # WeasyPrint names each file twice
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))
    _mark_running_text_as_decoration(pdf)


def _mark_running_text_as_decoration(pdf: pydyf.PDF) -> None:
    """Headers and page numbers are outside the structure tree, so screen readers must pass them."""
    root = _object(pdf, pdf.catalog["StructTreeRoot"])
    in_tree = _references_below(pdf, root)
    marks_by_page = _object(pdf, root["ParentTree"])["Nums"][1::2]
    for page_reference, marks in zip(pdf.page_references, marks_by_page, strict=False):
        content = _object(pdf, _object(pdf, page_reference)["Contents"]).stream
        for place, part in enumerate(content):
            if isinstance(part, pydyf.Dictionary) and "MCID" in part and marks[part["MCID"]] not in in_tree:
                marks[part["MCID"]] = b"null"
                content[place - 1 : place + 1] = ["/Artifact", PAGINATION]


def _references_below(pdf: pydyf.PDF, root: pydyf.Dictionary) -> set[bytes]:
    found: set[bytes] = set()
    waiting = list(root["K"])
    while waiting:
        reference = waiting.pop()
        if isinstance(reference, bytes) and reference not in found:
            found.add(reference)
            waiting.extend(_object(pdf, reference).get("K", ()))
    return found


def _object(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
