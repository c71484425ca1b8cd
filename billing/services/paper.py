"""How our PDFs look: one column in US Letter, embedded fonts, with title and language for assistive technology.

Estimates, receipts, statements and superbills are drawn with it from plain values; the same values give the same bytes.
"""

import io
import unicodedata
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from common.money import dollars

REGULAR, BOLD = "Vera", "VeraBd"
INK, SOFT, LINE, TINT = (colors.HexColor(each) for each in ("#1b2420", "#4a5650", "#c9d1cc", "#eef4f0"))


def style(name: str, size: float, **more: Any) -> ParagraphStyle:
    given = {"fontName": REGULAR, "fontSize": size, "leading": size * 1.4, "textColor": INK}
    return ParagraphStyle(name, **{**given, **more})


TITLE = style("title", 20, fontName=BOLD, spaceAfter=2)
HEADING = style("heading", 11.5, fontName=BOLD, spaceBefore=10, spaceAfter=3, keepWithNext=1)
BODY = style("body", 9.5)
RIGHT = ParagraphStyle("right", parent=BODY, alignment=2)
SMALL = style("small", 8, textColor=SOFT)


@lru_cache(maxsize=1)
def _fonts() -> TTFont:
    """Register the fonts that come with the library, once; returns the regular one."""
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return pdfmetrics.getFont(REGULAR)


def written(text: object) -> str:
    """Markup-safe, and without letters that the font does not have: those lose their accents."""
    known = _fonts().face.charToGlyph
    plain = "".join(
        char if ord(char) in known else unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode() or "?"
        for char in str(text)
    )
    return escape(plain)


def say(text: object, look: ParagraphStyle = BODY) -> Paragraph:
    """A paragraph of plain text."""
    return Paragraph(written(text), look)


def strong(text: object, look: ParagraphStyle = BODY) -> Paragraph:
    """A paragraph in bold."""
    return Paragraph(f"<b>{written(text)}</b>", look)


def day(iso: str) -> str:
    """ "2026-11-03" → "November 3, 2026"."""
    return formats.date_format(date.fromisoformat(iso), "F j, Y")


def short_day(iso: str) -> str:
    """ "2026-11-03" → "Nov 3, 2026", for tables."""
    return formats.date_format(date.fromisoformat(iso), "M j, Y")


def money(text: str) -> str:
    """ "42.10" → "$42.10"."""
    return dollars(Decimal(text))


def organisation() -> dict[str, str]:
    """Who issues our papers, as plain values."""
    return {
        "name": settings.ORG_NAME,
        "npi": settings.ORG_NPI,
        "tin": f"{settings.ORG_TAX_ID[:2]}-{settings.ORG_TAX_ID[2:]}",
        "address": f"{settings.ORG_ADDRESS_LINE}, {settings.ORG_CITY}, {settings.ORG_STATE} {settings.ORG_ZIP[:5]}",
        "email": settings.SUPPORT_EMAIL,
        "phone": settings.SUPPORT_PHONE,
    }


def build(
    flow: Sequence[Flowable], *, title: str, subject: str, organisation: str, footer: str = "", wide: bool = False
) -> bytes:
    """The PDF of ``flow``. ``footer`` stands beside the page number after ``organisation``, on every page."""
    _fonts()
    out = io.BytesIO()
    margin = (0.6 if wide else 0.9) * inch
    document = SimpleDocTemplate(
        out,
        pagesize=letter,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=0.7 * inch,
        bottomMargin=0.8 * inch,
        title=title,
        author=organisation,
        subject=subject,
        lang=settings.LANGUAGE_CODE,
        displayDocTitle=True,
        initialFontName=REGULAR,
        invariant=1,
    )

    def foot(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setFont(REGULAR, 8)
        canvas.setFillColor(SOFT)
        canvas.drawString(
            page.leftMargin + 6, 0.55 * inch, " · ".join(filter(None, (written(organisation), written(footer))))
        )
        number = _("Page %(number)s") % {"number": canvas.getPageNumber()}
        canvas.drawRightString(page.pagesize[0] - page.rightMargin - 6, 0.55 * inch, number)
        canvas.restoreState()

    document.build(list(flow), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def pairs(rows: Sequence[tuple[str, str]], width: float = 6.7) -> Table:
    """Names and values, one pair a line; ``width`` in inches."""
    cells = [[strong(name), say(value)] for name, value in rows]
    table = Table(cells, colWidths=[1.7 * inch, (width - 1.7) * inch], hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
            ]
        )
    )
    return table


def figures(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    numbers: Collection[int],
    total: tuple[str, Sequence[str]] | None = None,
) -> Table:
    """A table. ``widths`` in inches; ``numbers``: the columns of figures, set to the right.

    ``total``: a last line in bold, whose label takes the room of the columns that its figures leave.
    """
    looks = [RIGHT if column in numbers else BODY for column in range(len(head))]
    cells = [[strong(name, look) for name, look in zip(head, looks, strict=True)]]
    cells += [[say(value, look) for value, look in zip(row, looks, strict=True)] for row in rows]
    lines = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), TINT),
        ("LINEBELOW", (0, 0), (-1, -1 if total is None else -2), 0.5, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
    ]
    if total is not None:
        label, values = total
        room = len(head) - len(values)
        cells.append([strong(label), *[""] * (room - 1), *(strong(value, RIGHT) for value in values)])
        lines += [("LINEABOVE", (0, -1), (-1, -1), 1, INK), ("SPAN", (0, -1), (room - 1, -1))]
    table = Table(cells, colWidths=[width * inch for width in widths], repeatRows=1, hAlign="LEFT")
    table.setStyle(TableStyle(lines))
    return table
