"""Task and role texts in Markdown: measured before they are stored, then turned into safe HTML."""

import html
from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from klik.domain.texts import TextError

LIMIT = 20_000
TABLE_ROWS = 200
TABLE_CELLS = 5_000
NESTING = 20
WORD_LIMIT = 2_000

_TAGS = frozenset(
    {"p", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "s", "a", "code", "pre", "blockquote"}
    | {"ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"}
)
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = frozenset({"http", "https", "mailto"})
_FIRST_HEADING = 3
_LAST_HEADING = 6


def _is_allowed_link(address: str) -> bool:
    return address.lower().startswith(("http://", "https://", "mailto:"))


def _parser() -> MarkdownIt:
    # The parser drops text below its nesting limit in silence, so that limit lies above ours: a text that
    # comes near it is refused, never cut.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING + 4})
    parser.enable(["table", "strikethrough"]).disable("image")
    # A link that is not allowed stays in the text as it was written.
    parser.validateLink = _is_allowed_link  # type: ignore[method-assign, assignment]
    return parser


_PARSER = _parser()


def check_markdown(text: str, field: str) -> None:
    """Raise `TextError` naming `field` and the measure when a text is too large or too tangled to be shown.

    Limits: 20,000 characters, 2,000 characters a word, 200 table rows, 5,000 table cells, 20 levels of
    nesting (a list counts for two).
    """
    if problem := _size_problem(text) or _tangle_problem(_PARSER.parse(text)):
        raise TextError(f"{field}: {problem}")


def render_markdown(text: str) -> str:
    """Safe HTML: no raw HTML, no images, links to http, https and mailto only, headings from h3 down.

    A text beyond the limits of `check_markdown` is shown as it was typed, so that nothing of it is lost.
    """
    tokens = parse_markdown(text)
    return _as_typed(text) if tokens is None else render_tokens(tokens)


def parse_markdown(text: str) -> list[Token] | None:
    """The text's tokens with headings from h3 down; None beyond the limits of `check_markdown`."""
    if _size_problem(text):
        return None
    tokens = _PARSER.parse(text)
    if _tangle_problem(tokens):
        return None
    _lower_headings(tokens)
    return tokens


def render_tokens(tokens: Sequence[Token]) -> str:
    """Safe HTML of whole blocks of tokens."""
    rendered = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return nh3.clean(
        rendered,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )


def _size_problem(text: str) -> str | None:
    if len(text) > LIMIT:
        return f"teksten fylder {_count(len(text))} tegn, højst {_count(LIMIT)}."
    longest = max((len(word) for word in text.split()), default=0)
    if longest > WORD_LIMIT:
        return f"et ord fylder {_count(longest)} tegn, højst {_count(WORD_LIMIT)}."
    return None


def _tangle_problem(tokens: Sequence[Token]) -> str | None:
    rows = sum(token.type == "tr_open" for token in tokens)
    if rows > TABLE_ROWS:
        return f"tabellerne har {_count(rows)} rækker, højst {_count(TABLE_ROWS)}."
    cells = sum(token.type in {"td_open", "th_open"} for token in tokens)
    if cells > TABLE_CELLS:
        return f"tabellerne har {_count(cells)} felter, højst {_count(TABLE_CELLS)}."
    if _depth(tokens) > NESTING:
        return (
            f"lister, citater og fremhævninger ligger mere end {NESTING} niveauer inde i hinanden "
            "(en liste tæller for to)."
        )
    return None


def _depth(tokens: Sequence[Token]) -> int:
    return max((token.level + _depth(token.children or ()) for token in tokens), default=0)


def _lower_headings(tokens: Sequence[Token]) -> None:
    """The page owns h1 and h2; the text's own levels follow from h3 without a gap."""
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    used = sorted({token.tag for token in headings})
    for token in headings:
        token.tag = f"h{min(_FIRST_HEADING + used.index(token.tag), _LAST_HEADING)}"


def _as_typed(text: str) -> str:
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>\n" for part in paragraphs)


def _count(number: int) -> str:
    return f"{number:,}".replace(",", ".")
