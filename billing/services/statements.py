"""Monthly statements: what was charged, paid and given back in a month, as the books had it at the month's end.

A month's events are those posted in it, by business time, whatever day they are about: so a month that is over never
changes, and its closing is the next one's opening. Issued once, kept as issued: ``docs/statements.md``.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing.domain.statements import after, before, kind_of, month_of, totals
from billing.ledger.posting import Book, balance, lines_of
from billing.models import ClientStatement, Payment, Refund, SessionCost
from billing.services import paper
from billing.services.payments import receipt_number
from care.models import Session
from common import clock
from common.errors import DomainError
from common.money import ZERO, dollars, plain
from notifications import messages, outbox
from people.models import Client

log = structlog.get_logger(__name__)

SCHEMA = 1

GRACE = timedelta(hours=1)
"""After a month's end: what was begun before midnight is in the books by then."""

AT_ONCE = 200
"""Statements that one sweep issues."""


class NoStatement(DomainError):
    """There is no statement to be had of this month."""


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=clock.BUSINESS_ZONE)


def last_month() -> date:
    """The newest month that can be issued, by its first day."""
    return before(month_of(clock.business_date(clock.now() - GRACE)))


def _receivable(month: date, **concerning: Any) -> Any:
    """The month's lines of clients' receivables, in the order in which they were posted."""
    return lines_of(
        account=Book.CLIENT_RECEIVABLE.value,
        entry__created_at__gte=_midnight(month),
        entry__created_at__lt=_midnight(after(month)),
        **concerning,
    )


def to_issue(month: date, limit: int = AT_ONCE) -> list[int]:
    """Ids of clients with activity in the month and no statement of it yet. One query."""
    issued = ClientStatement.objects.filter(month=month).values("client")
    active = _receivable(month).exclude(client__in=issued).order_by().values_list("client", flat=True)
    return list(active.distinct()[:limit])


@transaction.atomic
def issue(client_id: int, month: date) -> ClientStatement:
    """Issue a client's statement of a month and tell the client that it can be read; a second time gives the first one.

    Raises :class:`NoStatement` for a month that is not over or in which nothing happened. As many queries for a
    client of ten years as for a new one.
    """
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("user").get(pk=client_id)
    found = ClientStatement.objects.filter(client=client, month=month).first()
    if found is not None:
        return found
    if month > last_month():
        raise NoStatement(_("This month is not over."))
    opening = balance(Book.CLIENT_RECEIVABLE, client=client, entry__created_at__lt=_midnight(month))
    entries = _entries(client, month)
    if not entries:
        raise NoStatement(_("Nothing happened on this account in that month."))
    sums = totals(opening, [(kind_of(each.key), each.amount) for each in entries])
    with translation.override(settings.LANGUAGE_CODE):
        content = _content(client, month, entries)
    content |= {
        "opening": plain(sums.opening),
        "charged": plain(sums.charged),
        "paid": plain(sums.paid),
        "refunded": plain(sums.refunded),
        "closing": plain(sums.closing),
    }
    statement = ClientStatement.objects.create(
        client=client,
        month=month,
        opening=sums.opening,
        charged=sums.charged,
        paid=sums.paid,
        refunded=sums.refunded,
        closing=sums.closing,
        content=content,
    )
    outbox.enqueue(
        messages.StatementReady(
            client_name=client.called,
            month=messages.StatementReady.named(month),
            url=f"{settings.PUBLIC_URL}/payments/statements/{statement.pk}/",
        ),
        to=client.email,
        recipient=client.user,
        key=f"statement:{statement.pk}",
    )
    return statement


def issue_due() -> int:
    """Issue last month's statements that are missing, for the sweep; returns how many. One failure stops no other."""
    month, count = last_month(), 0
    for client in to_issue(month):
        try:
            issue(client, month)
        except Exception:
            # Anything may be wrong with one client's rows; it is tried again at the next sweep.
            log.exception("statement_failed", client=client, month=month.isoformat())
        else:
            count += 1
    return count


# --- What it says -----------------------------------------------------------------------------------------------------


class _Moved:
    """One entry of the books as it moved the client's receivable, with the sessions that it is about."""

    def __init__(self, key: str, posted: datetime) -> None:
        self.key, self.posted = key, posted
        self.by_session: dict[int, Decimal] = defaultdict(lambda: ZERO)

    @property
    def amount(self) -> Decimal:
        return sum(self.by_session.values(), ZERO)

    @property
    def event(self) -> str:
        return self.key.removeprefix("reversal:").partition(":")[0]

    @property
    def row(self) -> int | None:
        """The id of the row whose event it is."""
        number = self.key.removeprefix("reversal:").split(":")[1]
        return int(number) if number.isdigit() else None


def _entries(client: Client, month: date) -> list[_Moved]:
    found: dict[int, _Moved] = {}
    for line in _receivable(month, client=client):
        moved = found.setdefault(line.entry_id, _Moved(line.entry.key, line.entry.created_at))
        moved.by_session[line.session_id] += line.amount
    return [each for each in found.values() if each.amount != ZERO]


def _content(client: Client, month: date, entries: Sequence[_Moved]) -> dict[str, Any]:
    sessions = {
        session.pk: session
        for session in Session.objects.filter(pk__in={pk for each in entries for pk in each.by_session})
        .select_related("provider")
        .order_by("date", "pk")
    }
    costs = SessionCost.objects.in_bulk([each.row for each in entries if each.event == "cost" and each.row])
    paid = [each.row for each in entries if each.event == "payment" and each.row]
    payments = Payment.objects.select_related("card").in_bulk(paid)
    given = [each.row for each in entries if each.event in ("refund", "refund_external") and each.row]
    refunds = Refund.objects.select_related("payment__card").in_bulk(given)
    rows = []
    for each in entries:
        what, note = _words(each, costs, payments, refunds)
        rows.append(
            {
                "on": clock.business_date(each.posted).isoformat(),
                "kind": kind_of(each.key).value,
                "what": what,
                "note": note,
                "sessions": [
                    {"id": pk, "date": session.date.isoformat(), "provider": session.provider.full_name}
                    for pk, session in sessions.items()
                    if pk in each.by_session
                ],
                "amount": plain(each.amount),
            }
        )
    return {
        "schema": SCHEMA,
        "number": f"S-{month:%Y%m}-{client.pk}",
        "month": month.isoformat(),
        "last_day": (after(month) - timedelta(days=1)).isoformat(),
        "issued_on": clock.today().isoformat(),
        "client": {
            "name": str(client),
            "address": f"{client.address_line}, {client.city}, {client.state} {client.zip_code[:5]}",
        },
        "organisation": paper.organisation(),
        "rows": rows,
    }


def _words(
    moved: _Moved, costs: Mapping[int, SessionCost], payments: Mapping[int, Payment], refunds: Mapping[int, Refund]
) -> tuple[str, str]:
    """What an event is called on a statement, and a note to it."""
    if moved.key.startswith("reversal:"):
        return _("Taken back: %(what)s") % {"what": _words_of_its_own(moved, costs, payments, refunds)[0].lower()}, ""
    return _words_of_its_own(moved, costs, payments, refunds)


def _words_of_its_own(
    moved: _Moved, costs: Mapping[int, SessionCost], payments: Mapping[int, Payment], refunds: Mapping[int, Refund]
) -> tuple[str, str]:
    row = moved.row or 0
    match moved.event:
        case "cost":
            return _words_of_cost(costs.get(row), moved.amount)
        case "payment":
            payment = payments.get(row)
            card = str(payment.card) if payment and payment.card else _("a card")
            number = _("Receipt %(number)s") % {"number": receipt_number(payment)} if payment else ""
            return _("Payment with %(card)s") % {"card": card}, number
        case "refund":
            refund = refunds.get(row)
            card = str(refund.payment.card) if refund and refund.payment.card else _("your card")
            return _("Refund to %(card)s") % {"card": card}, ""
        case "refund_external":
            refund = refunds.get(row)
            return _("Refund sent another way"), refund.external_reference if refund else ""
        case "dispute_lost":
            return _("Your bank gave a payment back to you"), _("It decided a dispute for you.")
        case "write_off":
            if moved.amount < ZERO:
                return _("We do not ask for this part"), ""
            return _("Taken back: a part that we did not ask for"), ""
        case _:
            return _("Your share of a session"), ""


def _words_of_cost(cost: SessionCost | None, amount: Decimal) -> tuple[str, str]:
    if cost is None or cost.basis == SessionCost.Basis.ESTIMATE:
        if amount > ZERO:
            return _("Your share of a session"), _("An estimate: your plans had not answered yet.")
        return _("Your share of a session is lower"), _("Our estimate was put right.")
    if cost.reason == SessionCost.Reason.SESSION_CHANGED:
        return _("A session was taken back"), _("It was confirmed by mistake and costs you nothing.")
    if cost.amount == amount:
        return _("Your share of a session"), _("Final: every plan has answered.")
    told = _("Every plan has answered: your final share is %(amount)s.") % {"amount": dollars(cost.amount)}
    if amount < ZERO:
        return _("Your share of a session is lower"), told
    return _("Your share of a session is higher"), told
