"""Which files may be attached to a task, and whether a file is what its name says."""

import codecs
import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from klik.domain.errors import InputError

LARGEST = 25 * 1024 * 1024
LARGEST_SHOWN = "25 MB"
MOST_MEMBERS = 1_000
LARGEST_EXPANDED = 200 * 1000 * 1000
TEXT_START = 512

MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
}
ALLOWED = ", ".join(MEDIA_TYPES)
_MAIN_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
_BINARY_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "gammel eller krypteret Office-fil"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"GIF8", "gif"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"{\\rtf", "rtf"),
    (b"RIFF", "lyd eller billede"),
)
_MARKUP_STARTS = ("<!doctype", "<html", "<script", "<svg", "<?xml", "<body", "<head", "<iframe")


class FileError(InputError):
    """A file that cannot be attached, said in Danish with the limit and what was found."""


def extension(name: str) -> str:
    """The ending of a file name, in small letters; jpeg counts as jpg."""
    ending = PurePosixPath(name).suffix.removeprefix(".").casefold()
    return "jpg" if ending == "jpeg" else ending


def check(name: str, content: bytes) -> str:
    """The media type of a file that may be attached; raises `FileError`.

    The name's ending must be on the list and agree with the content. An office file is a zip of at most 1,000
    members and 200 MB unpacked, told from its directory before anything is unpacked.
    """
    ending = extension(name)
    if ending not in MEDIA_TYPES:
        shown = f"“.{ending[:20]}”" if ending else "uden endelse"
        raise FileError(f"En fil {shown} kan ikke vedhæftes. Vælg en af disse typer: {ALLOWED}.")
    if not content:
        raise FileError("Filen er tom (0 byte).")
    if len(content) > LARGEST:
        megabytes = f"{len(content) / 1024 / 1024:.1f}".replace(".", ",")
        raise FileError(f"Filen fylder {megabytes} MB og må højst fylde {LARGEST_SHOWN}.")
    found = _found(content)
    if ending in _MAIN_PARTS:
        if found != "zip":
            raise _disagrees(ending, found)
        _check_office(ending, content)
    elif found != ("tekst" if ending in ("txt", "csv") else ending):
        raise _disagrees(ending, found)
    return MEDIA_TYPES[ending]


def _disagrees(ending: str, found: str) -> FileError:
    return FileError(f"Filens navn siger {ending}, men indholdet er: {found}. Gem filen igen som {ending}.")


def _found(content: bytes) -> str:
    """What the bytes are, as a word people read."""
    for start, kind in _BINARY_STARTS:
        if content.startswith(start):
            return kind
    text = _as_text(content)
    if text is None:
        return "ukendt indhold"
    if text.lstrip("\ufeff \t\r\n").casefold().startswith(_MARKUP_STARTS):
        return "en webside (html eller xml)"
    return "tekst"


def _as_text(content: bytes) -> str | None:
    """The beginning of a text file, or None when the bytes are no text in any way Danish offices write it."""
    encodings = ["utf-8-sig", "cp1252"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(character < " " and character not in "\t\r\n\f" for character in text):
            return None
        return text[:TEXT_START]
    return None


def _check_office(ending: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileError("Filen er beskadiget: den kan ikke åbnes som en Office-fil.") from None
    if len(members) > MOST_MEMBERS:
        raise FileError(f"Filen består af {len(members)} dele og må højst bestå af {MOST_MEMBERS}.")
    expanded = sum(member.file_size for member in members)
    if expanded > LARGEST_EXPANDED:
        raise FileError(f"Filen fylder {expanded // 1_000_000} MB pakket ud og må højst fylde 200 MB.")
    if any(member.flag_bits & 0x1 for member in members):
        raise FileError("Filen er beskyttet med en adgangskode. Gem den uden, og prøv igen.")
    names = [member.filename for member in members]
    if any(name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") for name in names):
        raise FileError("Filen indeholder stier, der peger ud af filen, og kan ikke vedhæftes.")
    if any(name.casefold().endswith("vbaproject.bin") for name in names):
        raise FileError(f"Filen indeholder makroer. Gem den som en almindelig {ending} uden makroer.")
    if "[Content_Types].xml" not in names or _MAIN_PARTS[ending] not in names:
        known = next((kind for kind, part in _MAIN_PARTS.items() if part in names), "zip")
        raise _disagrees(ending, known)
