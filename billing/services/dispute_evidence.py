"""The answer to a dispute, from our own records: what the client agreed to, what took place, what they were told.

As little about health as will do: that an appointment took place and when, never with whom, why or what was done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _
from reportlab.platypus import Table

from billing.models import CardConsent, Dispute, Payment
from billing.services import paper
from care.models import Session
from common import clock
from common.money import dollars
from notifications.models import Email

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """``fields``: Stripe's names of evidence and our texts for them. ``history``: what happened, when, the oldest
    first; ``attended``: appointment dates, what was recorded, what of the payment is for each."""

    fields: dict[str, str]
    consent: tuple[tuple[str, str], ...]
    attended: tuple[Row, ...]
    history: tuple[Row, ...]


def gather(dispute: Dispute) -> Evidence:
    """Everything we have to show. Eight queries, whatever the number of sessions."""
    payment = Payment.objects.select_related("client", "card").get(pk=dispute.payment_id)
    parts = list(payment.parts.select_related("session").order_by("session__starts_at", "pk"))
    consent = _consent(payment)
    attended = tuple((_long(part.session.date), _attendance(part.session), dollars(part.amount)) for part in parts)
    history = _history(payment, consent)
    told_consent = _told_consent(consent)
    dates = [_long(part.session.date) for part in parts]
    terms = _terms()
    fields = {
        "customer_email_address": payment.client.email,
        "product_description": _(
            "Appointments with a health care provider, booked and kept through %(product)s. The payment is what the "
            "client's insurance leaves to the client."
        )
        % {"product": settings.PRODUCT_NAME},
        "service_date": "; ".join(dates),
        "refund_policy_disclosure": terms,
        "access_activity_log": "\n".join(" · ".join(row) for row in history),
        "uncategorized_text": "\n\n".join(
            [
                *(f"{name}: {value}" for name, value in told_consent),
                *(f"{when}: {what} ({amount})" for when, what, amount in attended),
            ]
        ),
    }
    return Evidence({name: text for name, text in fields.items() if text}, told_consent, attended, history)


def _consent(payment: Payment) -> CardConsent | None:
    """The newest consent that was given before the payment was asked for."""
    given = CardConsent.objects.filter(client=payment.client_id, created_at__lte=payment.created_at)
    if payment.card_id is not None:
        given = given.filter(card=payment.card_id)
    return given.order_by("-pk").first()


def _told_consent(consent: CardConsent | None) -> tuple[tuple[str, str], ...]:
    if consent is None:
        paid = _("The client paid by typing in the card, on a page that named the sessions and the sum.")
        return ((_("Consent"), paid),)
    return (
        (_("The client agreed"), consent.text),
        (_("When"), _stamp(consent.created_at)),
        (_("Version of the text"), consent.text_version),
    )


def _attendance(session: Session) -> str:
    if session.status == Session.Status.CONFIRMED and session.confirmed_at is not None:
        return _("Kept; the provider confirmed it on %(when)s") % {"when": _stamp(session.confirmed_at)}
    return str(session.get_status_display())


def _history(payment: Payment, consent: CardConsent | None) -> tuple[Row, ...]:
    """Consent, the charge, what was e-mailed, what was given back; and earlier payments with the same card."""
    events: list[tuple[datetime, str]] = []
    if consent is not None:
        events.append((consent.created_at, _("The client saved the card and agreed to be charged")))
    if payment.settled_at is not None:
        how = _("Charged: %(amount)s") % {"amount": dollars(payment.amount)}
        events.append((payment.settled_at, how))
    receipt = f"receipt:{payment.pk}"
    mails = Email.objects.filter(Q(key=receipt) | Q(key__startswith=f"{receipt}:"), sent_at__isnull=False)
    for subject, to, sent_at in mails.values_list("subject", "to", "sent_at"):
        assert sent_at is not None
        events.append((sent_at, _("Receipt e-mailed to %(to)s: “%(subject)s”") % {"to": to, "subject": subject}))
    for refund in payment.refunds.filter(processed_at__isnull=False):
        assert refund.processed_at is not None
        events.append((refund.processed_at, _("Given back: %(amount)s") % {"amount": dollars(refund.amount)}))
    earlier = Payment.objects.filter(
        client=payment.client_id, state=Payment.State.SUCCEEDED, pk__lt=payment.pk, settled_at__isnull=False
    ).exclude(disputes__isnull=False)
    if payment.card_id is not None:
        earlier = earlier.filter(card=payment.card_id)
    for amount, settled_at in earlier.order_by("-pk").values_list("amount", "settled_at")[:20]:
        assert settled_at is not None
        words = _("An earlier payment with the same card, not disputed: %(amount)s")
        events.append((settled_at, words % {"amount": dollars(amount)}))
    return tuple((_stamp(when), what) for when, what in sorted(events))


def _terms() -> str:
    return _(
        "The card is charged once the provider has confirmed that the appointment was kept; one that is cancelled is "
        "not charged. When insurance has decided, what was paid too much goes back to the same card by itself: the "
        "client is e-mailed the date of the appointment and the sum, and sees each refund on the payments page."
    )


def _long(day: date) -> str:
    return formats.date_format(day, "F j, Y")


def _stamp(moment: datetime) -> str:
    """ "Nov 3, 2026, 14:05 New York time"."""
    local = moment.astimezone(clock.BUSINESS_ZONE)
    return _("%(day)s, %(time)s New York time") % {
        "day": formats.date_format(local, "M j, Y"),
        "time": formats.date_format(local, "H:i"),
    }


def write(dispute: Dispute, evidence: Evidence) -> bytes:
    """The same as a PDF for the bank. The same evidence gives the same bytes."""
    product = settings.PRODUCT_NAME
    title = _("Answer to dispute %(id)s") % {"id": dispute.dispute_id}
    flow = [
        paper.say(title, paper.TITLE),
        paper.pairs(
            [
                (_("Merchant"), product),
                (_("Disputed"), dollars(dispute.amount)),
                (_("Reason given"), dispute.reason.replace("_", " ")),
                (_("Payment"), dispute.payment.payment_intent_id or ""),
                (_("Client's e-mail"), evidence.fields["customer_email_address"]),
            ]
        ),
        paper.say(_("What was bought"), paper.HEADING),
        paper.say(evidence.fields["product_description"]),
        paper.say(_("What the client agreed to"), paper.HEADING),
        paper.pairs(list(evidence.consent)),
        paper.say(_("What took place"), paper.HEADING),
        _table((_("Appointment"), _("Our record"), _("Of this payment")), evidence.attended, (1.6, 3.9, 1.2), {2}),
        paper.say(_("What happened, in order"), paper.HEADING),
        _table((_("When"), _("What")), evidence.history, (2.4, 4.3), set()),
        paper.say(_("Refunds and cancelling"), paper.HEADING),
        paper.say(evidence.fields["refund_policy_disclosure"]),
    ]
    return paper.build(flow, title=title, subject=_("Evidence for a disputed payment"), organisation=product)


def _table(head: Row, rows: Sequence[Row], widths: tuple[float, ...], numbers: set[int]) -> Table:
    return paper.figures(head, rows or [tuple(_("none") for _column in head)], widths, numbers=numbers)
