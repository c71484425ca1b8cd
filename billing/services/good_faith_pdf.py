"""A Good Faith Estimate as a PDF: one column, embedded fonts, with its title and language for assistive technology."""

import io
import unicodedata
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from common.money import dollars

REGULAR, BOLD = "Vera", "VeraBd"
INK, SOFT, LINE, TINT = (colors.HexColor(each) for each in ("#1b2420", "#4a5650", "#c9d1cc", "#eef4f0"))


@lru_cache(maxsize=1)
def _fonts() -> TTFont:
    """Register the fonts that come with the library, once; returns the regular one."""
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return pdfmetrics.getFont(REGULAR)


def _written(text: object) -> str:
    """Markup-safe, and without letters that the font does not have: those lose their accents."""
    known = _fonts().face.charToGlyph
    plain = "".join(
        char if ord(char) in known else unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode() or "?"
        for char in str(text)
    )
    return escape(plain)


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    given = {"fontName": REGULAR, "fontSize": size, "leading": size * 1.4, "textColor": INK}
    return ParagraphStyle(name, **{**given, **more})


def _day(iso: str) -> str:
    return formats.date_format(date.fromisoformat(iso), "F j, Y")


def _money(text: str) -> str:
    return dollars(Decimal(text))


def write(content: dict[str, Any]) -> bytes:
    """The PDF of an estimate's ``content``, in US Letter. The same content gives the same bytes."""
    _fonts()
    with translation.override(settings.LANGUAGE_CODE):
        return _write(content)


def _write(content: dict[str, Any]) -> bytes:
    title = _("Good Faith Estimate")
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=letter,
        leftMargin=0.9 * inch,
        rightMargin=0.9 * inch,
        topMargin=0.7 * inch,
        bottomMargin=0.8 * inch,
        title=f"{title}, {_day(content['issued_on'])}",
        author=content["organisation"]["name"],
        subject=_("Expected charges for care that is not billed to insurance"),
        lang=settings.LANGUAGE_CODE,
        displayDocTitle=True,
        initialFontName=REGULAR,
        invariant=1,
    )
    heading = _style("heading", 11.5, fontName=BOLD, spaceBefore=10, spaceAfter=3, keepWithNext=1)
    body, small = _style("body", 9.5), _style("small", 8, textColor=SOFT)
    flow: list[Any] = [
        Paragraph(_written(title), _style("title", 20, fontName=BOLD, spaceAfter=2)),
        Paragraph(_written(_("For care that you pay for yourself, without your insurance")), body),
        Spacer(1, 10),
        _facts(content, body),
        Paragraph(_written(_("What we expect you will be charged")), heading),
        _items(content, body),
        Spacer(1, 6),
        Paragraph(_written(_scope(content)), body),
        Paragraph(_written(_("Who provides and bills it")), heading),
        _parties(content, body),
    ]
    flow += [
        KeepTogether([Paragraph(_written(each["title"]), heading), Paragraph(_written(each["text"]), body)])
        for each in content["statements"]
    ]
    flow += [Spacer(1, 12), Paragraph(_written(_questions(content)), small)]

    def footer(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setFont(REGULAR, 8)
        canvas.setFillColor(SOFT)
        canvas.drawString(page.leftMargin + 6, 0.55 * inch, _written(content["organisation"]["name"]))
        number = _("Page %(number)s") % {"number": canvas.getPageNumber()}
        canvas.drawRightString(page.pagesize[0] - page.rightMargin - 6, 0.55 * inch, number)
        canvas.restoreState()

    document.build(flow, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _facts(content: dict[str, Any], body: ParagraphStyle) -> Table:
    booked = ", ".join(_day(day) for day in content["booked"][:6]) or _("none yet")
    if len(content["booked"]) > 6:
        booked += " " + _("and %(count)s more") % {"count": len(content["booked"]) - 6}
    rows = [
        (_("Client"), content["client"]["name"]),
        (_("Date of birth"), _day(content["client"]["born"])),
        (_("Main service"), content["service"]),
        (_("Dates booked"), booked),
        (_("Asked for, issued"), _day(content["issued_on"])),
        (_("To be issued by"), _day(content["due_on"])),
    ]
    return _pairs(rows, body)


def _pairs(rows: list[tuple[str, str]], body: ParagraphStyle) -> Table:
    cells = [[Paragraph(f"<b>{_written(name)}</b>", body), Paragraph(_written(value), body)] for name, value in rows]
    table = Table(cells, colWidths=[1.7 * inch, 5 * inch], hAlign="LEFT")
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


def _items(content: dict[str, Any], body: ParagraphStyle) -> Table:
    right = ParagraphStyle("right", parent=body, alignment=2)
    head = [
        Paragraph(f"<b>{_written(words)}</b>", style)
        for words, style in (
            (_("Service"), body),
            (_("Service code (CPT)"), body),
            (_("Diagnosis code (ICD-10)"), body),
            (_("Number"), right),
            (_("Charge for each"), right),
            (_("Expected charges"), right),
        )
    ]
    rows = [
        [
            Paragraph(_written(item["service"]), body),
            Paragraph(_written(item["cpt"]), body),
            Paragraph(_written(", ".join(item["diagnoses"]) or _("none yet")), body),
            Paragraph(_written(item["count"]), right),
            Paragraph(_written(_money(item["charge"])), right),
            Paragraph(_written(_money(item["total"])), right),
        ]
        for item in content["items"]
    ]
    last = [
        Paragraph(f"<b>{_written(_('Total expected charges'))}</b>", body), "", "",
        "", "",
        Paragraph(f"<b>{_written(_money(content['total']))}</b>", right),
    ]  # fmt: skip
    widths = [1.75 * inch, 0.9 * inch, 1.1 * inch, 0.8 * inch, 0.95 * inch, 1.2 * inch]
    table = Table([head, *rows, last], colWidths=widths, repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), TINT),
                ("LINEBELOW", (0, 0), (-1, -2), 0.5, LINE),
                ("LINEABOVE", (0, -1), (-1, -1), 1, INK),
                ("SPAN", (0, -1), (4, -1)),
                ("LEFTPADDING", (0, 0), (-1, -1), 5),
                ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    return table


def _scope(content: dict[str, Any]) -> str:
    if content["sessions"] == 1:
        return _("One session, planned for %(day)s.") % {"day": _day(content["first_on"])}
    return _("%(often)s, %(count)s sessions in all, from %(first)s to %(last)s.") % {
        "often": content["frequency"],
        "count": content["sessions"],
        "first": _day(content["first_on"]),
        "last": _day(content["last_on"]),
    }


def _parties(content: dict[str, Any], body: ParagraphStyle) -> Table:
    provider, organisation = content["provider"], content["organisation"]
    return _pairs(
        [
            (
                _("Provider"),
                _("%(name)s, NPI %(npi)s, licensed in %(state)s")
                % {key: provider[key] for key in ("name", "npi", "state")},
            ),
            (_("Where"), provider["where"]),
            (
                _("Billed by"),
                _("%(name)s, NPI %(npi)s, taxpayer ID (TIN) %(tin)s")
                % {key: organisation[key] for key in ("name", "npi", "tin")},
            ),
            (_("Address"), organisation["address"]),
        ],
        body,
    )


def _questions(content: dict[str, Any]) -> str:
    organisation = content["organisation"]
    return _("Questions about this estimate: %(email)s or %(phone)s.") % {
        key: organisation[key] for key in ("email", "phone")
    }
