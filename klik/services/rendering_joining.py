"""Parts of a long document put together: pages, structure, bookmarks and page numbers, in the child process."""

import io
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pikepdf
from pikepdf import Array, Dictionary, Name, OutlineItem, Pdf


def joined(parts: Sequence[bytes], numbers: Callable[[int], bytes]) -> bytes:
    """One document of its parts in order; ``numbers`` draws so many pages with nothing but their numbers.

    What stands once (metadata, colour profile, language) is the first part's. The same parts give the same bytes.
    """
    with ExitStack() as opened:
        first, *others = (opened.enter_context(pikepdf.open(io.BytesIO(part))) for part in parts)
        for other in others:
            _append(first, other)
        numbered = numbers(len(first.pages))
        _number(first, opened.enter_context(pikepdf.open(io.BytesIO(numbered))))
        target = io.BytesIO()
        first.save(target, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return target.getvalue()


def _append(target: Pdf, part: Pdf) -> None:
    before = len(target.pages)
    titles = _bookmarks(part)
    target.pages.extend(part.pages)
    _append_structure(target, target.copy_foreign(part.Root.StructTreeRoot), before)
    with target.open_outline() as outline:
        here = outline.root[0].children if outline.root else outline.root
        here.extend(OutlineItem(title, before + page) for title, page in titles)


def _append_structure(target: Pdf, added: pikepdf.Object, before: int) -> None:
    """The part's elements below the one document there is, under keys that come after those in use."""
    tree = target.Root.StructTreeRoot
    document, nums = tree.K[0], tree.ParentTree.Nums
    offset = int(nums[-2]) + 1 if len(nums) else 0
    for element in added.K[0].K:
        element.P = document
        document.K.append(element)
    more = added.ParentTree.Nums
    for place in range(0, len(more), 2):
        nums.append(int(more[place]) + offset)
        nums.append(more[place + 1])
    for page in list(target.pages)[before:]:
        page.obj.StructParents = int(page.obj.StructParents) + offset
        for annotation in page.obj.get("/Annots", Array()):
            if "/StructParent" in annotation:
                annotation.StructParent = int(annotation.StructParent) + offset


def _bookmarks(part: Pdf) -> list[tuple[str, int]]:
    """The headings of a part and the pages they stand on, whatever their level."""
    places = {page.obj.objgen: place for place, page in enumerate(part.pages)}
    found: list[tuple[str, int]] = []
    with part.open_outline() as outline:
        waiting = list(reversed(outline.root))
        while waiting:
            item = waiting.pop()
            if item.destination is not None:
                found.append((item.title, places[item.destination[0].objgen]))
            waiting.extend(reversed(item.children))
    return found


def _number(target: Pdf, numbers: Pdf) -> None:
    for place, (page, number) in enumerate(zip(target.pages, numbers.pages, strict=True)):
        drawn = target.copy_foreign(number.as_form_xobject())
        name = Name(f"/Number{place}")
        page.obj.Resources = Dictionary(page.obj.Resources)
        page.obj.Resources.XObject = Dictionary(page.obj.Resources.get("/XObject", Dictionary()))
        page.obj.Resources.XObject[name] = drawn
        page.contents_add(b"q\n", prepend=True)
        page.contents_add(f"\nQ q {name} Do Q\n".encode())
        page.contents_coalesce()
