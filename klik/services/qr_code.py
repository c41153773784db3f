"""An address as a QR code to print: a drawing with its description, nothing fetched and nothing scripted."""

import segno
from markupsafe import Markup, escape

QUIET = 4  # modules of white around the code, as ISO/IEC 18004 wants it


def drawing(address: str, title: str) -> Markup:
    """An SVG one unit a module; ``title`` is read aloud in its place."""
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    side = len(rows) + 2 * QUIET
    path = "".join(_runs(row, place + QUIET) for place, row in enumerate(rows))
    return Markup(  # numbers of our own, and the title escaped
        f'<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img">'
        f'<title>{escape(title)}</title><path fill="#000" d="{path}"/></svg>'
    )


def _runs(row: list[int], y: int) -> str:
    """A row's dark modules as rectangles, neighbours as one, so that no seam shows between them."""
    found, start = "", None
    for x, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            found += f"M{start + QUIET} {y}h{x - start}v1h{start - x}z"
            start = None
    return found
