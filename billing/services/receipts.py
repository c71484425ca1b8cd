"""Itemised receipts: what a payment was for, fit to be handed to an HSA or FSA.

Such an account asks for the patient, the provider, the date and kind of service, and what the patient had to pay that
no insurance pays (IRS Publications 502 and 969; Prop. Treas. Reg. 1.125-6(b)). A receipt is drawn when it is asked for,
with what insurers have paid and we have given back by then, and says so.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, Spacer

from billing.ledger.posting import Book, balances_by_session
from billing.models import Dispute, Payment, Refund, SessionCost
from billing.services import paper
from billing.services.costs import current_costs
from billing.services.good_faith_estimate import words_for
from billing.services.paper import HEADING, SMALL, TITLE, day, money, say, short_day, strong
from billing.services.payments import receipt_number
from care.models import Session
from common import clock
from common.errors import DomainError
from common.money import ZERO, plain
from insurance.models import Adjudication

GIVEN = (Refund.State.SUCCEEDED, Refund.State.EXTERNAL)
"""Refunds that a receipt takes off."""


class NoReceipt(DomainError):
    """Only a payment that went through has a receipt."""


def insurers_paid(sessions: "list[int]") -> dict[int, Decimal]:
    """Session → what insurers have paid for it so far, in dollars; sessions without any result are left out."""
    rows = (
        Adjudication.objects.filter(claim__session__in=sessions, posted_at__isnull=False)
        .order_by()
        .values_list("claim__session")
        .annotate(so_far=Sum("paid"))
    )
    return dict(rows)


def content(payment: Payment) -> dict[str, Any]:
    """All that a receipt says, as plain JSON values. Eight queries, nine after a lost dispute.

    Raises :class:`NoReceipt`.
    """
    if payment.state != Payment.State.SUCCEEDED or payment.settled_at is None:
        raise NoReceipt(_("This payment did not go through, so there is no receipt for it."))
    parts = list(
        payment.parts.select_related("session__provider")
        .prefetch_related("session__lines")
        .order_by("session__date", "pk")
    )
    sessions = [part.session for part in parts]
    costs, insured = current_costs(sessions), insurers_paid([session.pk for session in sessions])
    given = list(payment.refunds.filter(state__in=GIVEN).select_related("session").order_by("processed_at", "pk"))
    taken_on, taken = _taken_by_the_bank(payment)
    back = sum((refund.amount for refund in given), ZERO) + sum(taken.values(), ZERO)
    return {
        "number": receipt_number(payment),
        "paid_on": clock.business_date(payment.settled_at).isoformat(),
        "as_of": clock.today().isoformat(),
        "card": str(payment.card) if payment.card else "",
        "patient": {"name": str(payment.client), "born": payment.client.birth_date.isoformat()},
        "organisation": paper.organisation(),
        "items": [
            _item(part.session, part.amount, costs.get(part.session_id), insured.get(part.session_id)) for part in parts
        ],
        "amount": plain(payment.amount),
        "refunds": [
            {
                "on": clock.business_date(refund.processed_at).isoformat(),
                "session": refund.session.date.isoformat(),
                "amount": plain(refund.amount),
                "how": refund.external_reference,
            }
            for refund in given
            if refund.processed_at is not None
        ]
        + [
            {
                "on": taken_on.isoformat(),
                "session": session.date.isoformat(),
                "amount": plain(taken[session.pk]),
                "how": _("By the card's bank, after a dispute"),
            }
            for session in sessions
            if session.pk in taken and taken_on is not None
        ],
        "net": plain(payment.amount - back),
    }


def _taken_by_the_bank(payment: Payment) -> tuple[date | None, dict[int, Decimal]]:
    """The day on which the client's bank gave the payment back in a dispute, and how much of it by session."""
    lost = dict(payment.disputes.filter(state=Dispute.State.LOST).order_by("pk").values_list("pk", "closed_at"))
    days = [clock.business_date(closed) for closed in lost.values() if closed is not None]
    if not days:
        return None, {}
    key = rf"^(reversal:)?dispute_lost:({'|'.join(map(str, lost))}):"
    return max(days), balances_by_session(Book.CLIENT_RECEIVABLE, entry__key__regex=key, client=payment.client_id)


def _item(session: Session, paid: Decimal, cost: SessionCost | None, insured: Decimal | None) -> dict[str, Any]:
    provider = session.provider
    return {
        "date": session.date.isoformat(),
        "service": [words_for(line.cpt) for line in session.lines.all()],
        "codes": [str(line) for line in session.lines.all()],
        "place": str(session.get_place_display()),
        "provider": {"name": provider.full_name, "licence": str(provider.get_licence_display())}
        | {"npi": provider.npi, "state": provider.state},
        "charge": plain(session.charge),
        "insurance_paid": plain(insured or ZERO),
        "share": plain(cost.amount) if cost else None,
        "final": cost is not None and cost.basis == SessionCost.Basis.FINAL,
        "paid": plain(paid),
    }


def write(content: dict[str, Any]) -> bytes:
    """The PDF of a receipt's ``content``."""
    with translation.override(settings.LANGUAGE_CODE):
        return _write(content)


def _write(content: dict[str, Any]) -> bytes:
    title, organisation = _("Receipt"), content["organisation"]
    flow: list[Flowable] = [
        say(title, TITLE),
        say(_("%(amount)s paid on %(day)s") % {"amount": money(content["amount"]), "day": day(content["paid_on"])}),
        Spacer(1, 10),
        paper.pairs(
            [
                (_("Receipt number"), content["number"]),
                (_("Patient"), content["patient"]["name"]),
                (_("Date of birth"), day(content["patient"]["born"])),
                (_("Paid with"), content["card"] or _("A card typed for this payment")),
                (_("Paid to"), _("%(name)s, taxpayer ID (TIN) %(tin)s, NPI %(npi)s") % organisation),
                (_("Address"), organisation["address"]),
            ]
        ),
        say(_("What it is for"), HEADING),
        _items(content),
        Spacer(1, 6),
        *(say(line) for line in _services(content)),
        say(_("What the columns mean"), HEADING),
        say(_meaning(content)),
    ]
    if content["refunds"]:
        flow += [say(_("Given back since"), HEADING), _refunds(content), Spacer(1, 6)]
        flow.append(strong(_("Paid in the end: %(net)s") % {"net": money(content["net"])}))
    told = _("As known on %(day)s. Questions: %(email)s or %(phone)s.")
    flow += [Spacer(1, 12), say(told % {"day": day(content["as_of"]), **organisation}, SMALL)]
    return paper.build(
        flow,
        title=f"{title} {content['number']}",
        subject=_("Itemized receipt for a payment"),
        organisation=organisation["name"],
        footer=content["number"],
    )


def _items(content: dict[str, Any]) -> Flowable:
    head = (
        _("Date of service"),
        _("Service and provider"),
        _("Charge"),
        _("Insurance paid"),
        _("Patient's share"),
        _("Paid with this"),
    )
    rows = [
        (
            short_day(item["date"]),
            _("%(service)s, %(provider)s")
            % {"service": ", ".join(item["service"]), "provider": item["provider"]["name"]},
            money(item["charge"]),
            money(item["insurance_paid"]),
            _share(item),
            money(item["paid"]),
        )
        for item in content["items"]
    ]
    total = (_("Total"), [money(content["amount"])])
    return paper.figures(head, rows, (1.0, 2.1, 0.85, 0.9, 0.95, 0.9), numbers={2, 3, 4, 5}, total=total)


def _share(item: dict[str, Any]) -> str:
    if item["share"] is None:
        return _("not known")
    return money(item["share"]) + ("" if item["final"] else "*")


def _services(content: dict[str, Any]) -> list[str]:
    """One line a provider: who they are, and the codes of what they did."""
    told: dict[str, list[str]] = {}
    for item in content["items"]:
        who = _("%(name)s, %(licence)s, licensed in %(state)s, NPI %(npi)s") % item["provider"]
        codes = told.setdefault(who, [])
        codes += [code for code in item["codes"] if code not in codes]
    return [
        _("%(who)s. Service code (CPT): %(codes)s.") % {"who": who, "codes": ", ".join(c)} for who, c in told.items()
    ]


def _meaning(content: dict[str, Any]) -> str:
    words = [
        _(
            "The charge is the full price. Where insurance is billed, its contract lowers the price: the difference is "
            "asked of nobody. The patient's share is what is left to the patient after the contract and the insurance."
        )
    ]
    if not all(item["final"] for item in content["items"]):
        words.append(
            _("* An estimate: not every plan has answered yet. What is paid above the final share is given back.")
        )
    return " ".join(words)


def _refunds(content: dict[str, Any]) -> Flowable:
    head = (_("Given back on"), _("For the session of"), _("How"), _("Amount"))
    rows = [
        (short_day(each["on"]), short_day(each["session"]), each["how"] or _("To the card"), money(each["amount"]))
        for each in content["refunds"]
    ]
    return paper.figures(head, rows, (1.6, 1.8, 2.2, 1.1), numbers={3})
