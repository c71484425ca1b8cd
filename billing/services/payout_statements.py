"""What a payout pays for, line by line: told once for the page, the PDF, the CSV file and the API.

Files that leave the portal name clients by their initials.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, Spacer

from billing.models import EarningAdjustment, PayoutLine, ProviderEarning, ProviderPayout
from billing.services import paper, payouts
from billing.services.paper import HEADING, SMALL, TITLE, say
from common import clock
from common.money import ZERO, dollars, plain
from common.spreadsheet import harmless
from people.models import Client, Provider


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the session it is about (none for a payout that came back), what it is in words, signed dollars."""

    session: int | None
    day: date | None
    client: Client | None
    what: str
    note: str
    amount: Decimal

    @property
    def is_change(self) -> bool:
        """A correction, rather than what a session earned at first."""
        return bool(self.note) or self.amount < ZERO or self.session is None


def of_earning(earning: ProviderEarning) -> Line:
    """What a session earned. ``earning`` comes with its session, client and insurer."""
    session = earning.session
    what = _("Rate of %(payer)s") % {"payer": earning.coverage.payer}
    return Line(session.pk, session.date, session.client, what, "", earning.amount)


def of_adjustment(row: EarningAdjustment) -> Line:
    """A change of what a session earned, with its reason; or a payout that came back."""
    session = row.session
    return Line(
        session.pk if session else None,
        session.date if session else None,
        session.client if session else None,
        str(row.get_reason_display()),
        row.note,
        row.amount,
    )


def lines(payout: ProviderPayout) -> list[Line]:
    """What a payout is made of, by the session's day, in two queries."""
    return [_line(each) for each in payouts.lines(payout)]


def _line(row: PayoutLine) -> Line:
    if row.earning is not None:
        return of_earning(row.earning)
    assert row.adjustment is not None, "a line is of one thing"
    return of_adjustment(row.adjustment)


def clients_of(found: Iterable[Line]) -> set[int]:
    """Ids of the clients whose sessions these lines name."""
    return {each.client.pk for each in found if each.client is not None}


def number(payout: ProviderPayout) -> str:
    """How a statement is called: the run's last day and the payout."""
    return f"P{payout.run.through:%Y%m%d}-{payout.pk}"


def file_name(payout: ProviderPayout, ending: str) -> str:
    return f"payout-{payout.run.through.isoformat()}.{ending}"


def as_csv(payout: ProviderPayout, found: list[Line]) -> str:
    """The lines and their sum as CSV (RFC 4180), amounts as plain numbers."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["statement", "session", "date of service", "client", "what", "note", "amount"])
    for each in found:
        rows.writerow(
            [
                number(payout),
                each.session or "",
                each.day.isoformat() if each.day else "",
                each.client.initials if each.client else "",
                harmless(each.what),
                harmless(each.note),
                plain(each.amount),
            ]
        )
    rows.writerow([number(payout), "", "", "", "total", "", plain(payout.amount)])
    return out.getvalue()


def as_pdf(payout: ProviderPayout, found: list[Line]) -> bytes:
    """The statement as a PDF; the same payout gives the same bytes."""
    with translation.override(settings.LANGUAGE_CODE):
        return _draw(payout, found)


def _long(day: date) -> str:
    return formats.date_format(day, "F j, Y")


def _short(day: date) -> str:
    return formats.date_format(day, "M j, Y")


def _draw(payout: ProviderPayout, found: list[Line]) -> bytes:
    title, run = _("Payout statement"), payout.run
    through = _("Through %(day)s") % {"day": _long(run.through)}
    flow: list[Flowable] = [
        say(title, TITLE),
        say(through),
        Spacer(1, 10),
        paper.pairs(
            [
                (
                    _("For"),
                    _("%(name)s, NPI %(npi)s") % {"name": payout.provider.full_name, "npi": payout.provider.npi},
                ),
                (_("Statement number"), number(payout)),
                (_("State"), payout.status),
                (_("Paid to"), str(payout.bank_account)),
                *([] if payout.returned_at else [(_("In your account by"), _long(run.pay_on))]),
                (
                    _("From"),
                    f"{settings.ORG_NAME}, {settings.ORG_ADDRESS_LINE}, {settings.ORG_CITY}, {settings.ORG_STATE}",
                ),
            ]
        ),
        say(_("What it pays for"), HEADING),
        paper.figures(
            (_("Session"), _("Client"), _("What"), _("Amount")),
            [
                (
                    _short(each.day) if each.day else "",
                    each.client.initials if each.client else "",
                    f"{each.what}: {each.note}" if each.note else each.what,
                    dollars(each.amount),
                )
                for each in found
            ],
            (1.2, 0.8, 3.5, 1.2),
            numbers={3},
            total=(_("Payout"), [dollars(payout.amount)]),
        ),
        Spacer(1, 12),
        say(
            _(
                "You earn the contracted rate of the plan that pays first. What a second plan pays does not change it. "
                "Amounts with a minus sign were taken back. Questions: %(email)s or %(phone)s."
            )
            % {"email": settings.SUPPORT_EMAIL, "phone": settings.SUPPORT_PHONE},
            SMALL,
        ),
    ]
    return paper.build(
        flow,
        title=f"{title}, {_long(run.through)}",
        subject=_("What a payout is made of"),
        organisation=settings.ORG_NAME,
        footer=number(payout),
    )


# --- What waits for the next payout -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outlook:
    """What waits for a provider's next payout, ``unpaid`` in signed dollars; when it is paid if nothing holds it up.

    ``changes``: the corrections among it, the newest first.
    """

    unpaid: Decimal
    pay_on: date
    changes: tuple[Line, ...]


def outlook(provider: Provider) -> Outlook:
    """What no payout of a provider holds yet, in three queries."""
    owed = payouts.unpaid().of(provider)
    changes = owed.adjustments.select_related("session__client").order_by("-pk")
    return Outlook(
        unpaid=owed.total(),
        pay_on=payouts.next_pay_day(clock.today()),
        changes=tuple(of_adjustment(each) for each in changes),
    )
