"""A monthly statement as a PDF, drawn from what it says."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, Spacer

from billing.models import ClientStatement
from billing.services import paper
from billing.services.paper import HEADING, SMALL, TITLE, day, say, short_day
from common.money import ZERO, dollars


def write(statement: ClientStatement) -> bytes:
    """The PDF of a statement; the same statement gives the same bytes."""
    with translation.override(settings.LANGUAGE_CODE):
        return _write(statement.content, formats.date_format(statement.month, "F Y"))


def balance_words(closing: Decimal) -> str:
    """What a month's last balance means."""
    if closing > ZERO:
        return _("To pay: %(amount)s. Your payments page shows what of it is already on its way.") % {
            "amount": dollars(closing)
        }
    if closing < ZERO:
        return _("We owe you %(amount)s. It goes back to the card you paid with; there is nothing you need to do.") % {
            "amount": dollars(-closing)
        }
    return _("Nothing was left to pay at the end of the month.")


def _write(content: dict[str, Any], month: str) -> bytes:
    title, organisation = _("Statement"), content["organisation"]
    flow: list[Flowable] = [
        say(title, TITLE),
        say(month),
        Spacer(1, 10),
        paper.pairs(
            [
                (_("For"), content["client"]["name"]),
                (_("Address"), content["client"]["address"]),
                (_("Statement number"), content["number"]),
                (_("Issued on"), day(content["issued_on"])),
                (_("From"), "{name}, {address}".format(**organisation)),
            ]
        ),
        say(_("In short"), HEADING),
        paper.figures(
            (_("What"), _("Amount")),
            [
                (_("Balance at the beginning of the month"), _signed(content["opening"])),
                (_("Charged"), _signed(content["charged"])),
                (_("Paid"), _signed(content["paid"], turned=True)),
                (_("Given back to you"), _signed(content["refunded"])),
            ],
            (5.1, 1.6),
            numbers={1},
            total=(_("Balance on %(day)s") % {"day": day(content["last_day"])}, [_signed(content["closing"])]),
        ),
        Spacer(1, 6),
        say(balance_words(Decimal(content["closing"]))),
        say(_("Everything that happened"), HEADING),
        _rows(content),
        Spacer(1, 12),
        say(
            _(
                "A minus sign makes you owe less. Days are those on which something was entered in our books. "
                "This is not a bill. Questions: %(email)s or %(phone)s."
            )
            % organisation,
            SMALL,
        ),
    ]
    return paper.build(
        flow,
        title=f"{title}, {month}",
        subject=_("What was charged, paid and given back in a month"),
        organisation=organisation["name"],
        footer=content["number"],
    )


def _signed(text: str, *, turned: bool = False) -> str:
    return dollars(-Decimal(text) if turned else Decimal(text))


def _rows(content: dict[str, Any]) -> Flowable:
    head = (_("Day"), _("What"), _("Session"), _("Amount"))
    rows = [
        (
            short_day(row["on"]),
            row["what"] + (f". {row['note']}" if row["note"] else ""),
            "; ".join(f"{short_day(each['date'])}, {each['provider']}" for each in row["sessions"]),
            _signed(row["amount"]),
        )
        for row in content["rows"]
    ]
    return paper.figures(head, rows, (1.05, 2.75, 1.95, 0.95), numbers={3})
