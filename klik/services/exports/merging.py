"""Several PDFs as one document to read and to print, with a bookmark a task.

Tags and the marks of PDF/A and PDF/UA belong to each part and are not carried over: for an archive the parts
themselves are taken (the ZIP), and the name of the merged file says so.
"""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
from pikepdf import AttachedFileSpec, Dictionary, Name, OutlineItem, Pdf

from klik.services import packing


class Merged:
    """A document that grows by whole documents; the index is put before them at the end."""

    def __init__(self) -> None:
        self._document = Pdf.new()
        self._parts: list[tuple[str, int]] = []
        # Pages are copied when the whole is written: until then each source stays open.
        self._sources: list[Pdf] = []

    def add(self, title: str, content: bytes) -> None:
        """A task's PDF at the end."""
        source = pikepdf.open(io.BytesIO(content))
        self._sources.append(source)
        self._parts.append((title, len(self._document.pages)))
        self._document.pages.extend(source.pages)

    def write(self, target: Path, title: str, index: bytes, manifest: bytes) -> None:
        """Put the index first and write the file, with bookmarks and the manifest attached."""
        document = self._document
        first = pikepdf.open(io.BytesIO(index))
        ahead = len(first.pages)
        for place, page in enumerate(first.pages):
            document.pages.insert(place, page)
        for page in document.pages:
            _untag(page.obj)
        with document.open_outline() as outline:
            outline.root.append(OutlineItem("Indhold", 0))
            outline.root.extend(OutlineItem(name, ahead + place) for name, place in self._parts)
        document.Root.Lang = pikepdf.String("da")
        document.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        document.docinfo[Name.Title] = title
        document.attachments[packing.MANIFEST] = AttachedFileSpec(
            document,
            manifest,
            description="Pakkens manifest med SHA-256",
            filename=packing.MANIFEST,
            mime_type="application/json",
            creation_date="",
            mod_date="",
        )
        document.save(target, deterministic_id=True)
        for source in (first, *self._sources):
            source.close()


def _untag(page: pikepdf.Object) -> None:
    """Take away a page's places in a structure tree that is not there."""
    for holder in (page, *(page.get(Name.Annots) or ())):
        for key in (Name.StructParents, Name.StructParent):
            if key in holder:
                del holder[key]
