"""Payment plans: what is due now, in three monthly parts with the card on file; no interest, no fees.

A part takes what was agreed or what is left, whichever is less: what the client pays beside the plan, and what the
sessions turn out to cost less, is saved from the last part on. Worked figures: ``docs/payment-plans.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain import instalments
from billing.gateways.results import SMALLEST_CHARGE
from billing.models import (
    AutopayNotice,
    Instalment,
    Payment,
    PaymentCard,
    PaymentPart,
    PaymentPlan,
    PaymentPlanPart,
)
from billing.services import payments
from billing.services.balances import client_balances, left_of_plan, total_planned
from billing.services.cards import default_card
from billing.services.plan_ends import active_plan, finish
from care.models import Session
from common import clock
from common.errors import DomainError
from common.hurry import hurry
from common.money import ZERO, dollars
from notifications import messages, outbox
from people.models import Client

TEXT_VERSION = "2026-11"
NOTICE = timedelta(days=3)
"""How long before each later part the client is told."""


class NoPlan(DomainError):
    """A payment plan cannot begin: nothing to share out, no card, one under way, or another sum than was shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a plan, in dollars. ``amount``: what is taken, or will be as things stand; ``agreed``: at most."""

    number: int
    due_on: date
    agreed: Decimal
    amount: Decimal
    payment: Payment | None = None

    @property
    def is_coming(self) -> bool:
        """Not tried yet."""
        return self.payment is None

    @property
    def tried_again_on(self) -> date | None:
        """When a declined part is tried once more; the client may pay it before."""
        failed = self.payment is not None and self.payment.state == Payment.State.FAILED
        return self.payment.retry_on if self.payment is not None and failed else None


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan that may begin today."""

    total: Decimal
    parts: tuple[Part, ...]
    sessions: tuple[Session, ...]
    card: PaymentCard | None

    @property
    def text(self) -> str:
        """What the client agrees to; without a card nothing can be agreed to."""
        return consent_text(self.total, self.parts, self.card) if self.card else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an active plan stands: its parts, and what is left in those to come."""

    plan: PaymentPlan
    parts: tuple[Part, ...]
    left: Decimal

    @property
    def next(self) -> Part | None:
        """The part that is charged next, if any is left."""
        return next((part for part in self.parts if part.is_coming and part.amount > ZERO), None)


def consent_text(total: Decimal, parts: Sequence[Part], card: PaymentCard) -> str:
    """The words of the agreement; shown above the button, kept with the plan, copied by e-mail."""
    listed = "\n".join(f"{date_format(part.due_on, 'j F Y')}: {dollars(part.agreed)}" for part in parts)
    return _(
        "I pay %(total)s in %(count)s parts, without interest or fees:\n%(listed)s\n\n"
        "I allow %(product)s to charge each part on its day to %(card)s, or to the card I put in its place. "
        "I am told by e-mail 3 days before each later part. A part that is declined may be tried up to two more times. "
        "I am never charged more than is left to pay. I can pay earlier, and I can end this plan at any time; "
        "what is left is then due."
    ) % {
        "total": dollars(total),
        "count": len(parts),
        "listed": listed,
        "product": settings.PRODUCT_NAME,
        "card": card,
    }


def offer(client: Client) -> Offer | None:
    """The plan that the client may begin today; ``None`` when too little is due or one is under way."""
    due = _due(client)
    total = sum(due.values(), ZERO)
    if total < settings.PAYMENT_PLAN_MINIMUM or active_plan(client) is not None:
        return None
    days, amounts = instalments.monthly(clock.today()), instalments.split(total)
    parts = tuple(
        Part(number, day, amount, amount) for number, (day, amount) in enumerate(zip(days, amounts, strict=True), 1)
    )
    sessions = Session.objects.filter(pk__in=due).select_related("provider").order_by("starts_at", "pk")
    return Offer(total, parts, tuple(sessions), default_card(client))


def _due(client: Client) -> dict[int, Decimal]:
    return {session: each.due for session, each in client_balances(client).items() if each.due > ZERO}


@transaction.atomic
def agree(client: Client, *, shown: Decimal, first_on: date | None = None) -> PaymentPlan:
    """Begin a plan for everything that is due; its first part is charged at once.

    ``shown`` is the sum the client agreed to, ``first_on`` the first day in the words agreed to (``None``: today).
    Sending the form twice begins one plan. Raises :class:`NoPlan`.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    active = active_plan(client)
    if active is not None and active.total == shown:
        return active
    if active is not None:
        raise NoPlan(_("You have a payment plan already. Please end it first if you want another one."))
    offered = offer(client)
    if offered is None:
        raise NoPlan(_("There is nothing to share out: a payment plan needs a larger sum to pay."))
    if offered.total != shown:
        raise NoPlan(_("What you owe has changed since this page was shown. Please look at it again."))
    if first_on is not None and first_on != offered.parts[0].due_on:
        raise NoPlan(_("The days of the parts have moved since this page was shown. Please look at them again."))
    if offered.card is None:
        raise NoPlan(_("A payment plan needs a card on file. Please add one first."))
    due = _due(client)
    if payments.waiting_attempts(client, due):
        raise NoPlan(_("Another payment for the same session has just begun. Please look at it again."))
    plan = PaymentPlan.objects.create(
        client=client, card=offered.card, total=offered.total, text_version=TEXT_VERSION, text=offered.text
    )
    PaymentPlanPart.objects.bulk_create(
        PaymentPlanPart(plan=plan, session=session, amount=due[session.pk]) for session in offered.sessions
    )
    parts = Instalment.objects.bulk_create(
        Instalment(plan=plan, number=part.number, due_on=part.due_on, amount=part.agreed) for part in offered.parts
    )
    AutopayNotice.objects.filter(session__in=due, payment=None, cancelled_at=None).update(
        cancelled_at=clock.now(), cancel_reason=_("It is paid by a payment plan.")
    )
    # What was declined before is paid by the plan now.
    declined = Payment.objects.filter(parts__session__in=due, state=Payment.State.FAILED, retry_on__isnull=False)
    Payment.objects.filter(pk__in=declined.values("pk")).update(retry_on=None)
    _charge(parts[0], plan)
    outbox.enqueue(
        messages.PaymentPlanAgreed(
            client_name=client.called,
            planned=tuple(messages.PlannedPart(part.due_on, part.agreed) for part in offered.parts),
            card=str(plan.card),
            consent_text=plan.text,
            url=_page(),
        ),
        to=client.email,
        recipient=client.user,
        key=f"payment_plan:{plan.pk}",
    )
    return plan


def _page() -> str:
    return f"{settings.PUBLIC_URL}/payments/plan/"


def standing(plan: PaymentPlan) -> Standing:
    """How a plan stands. Seven queries."""
    left = total_planned(client_balances(plan.client)) if plan.state == PaymentPlan.State.ACTIVE else ZERO
    rows = list(plan.instalments.select_related("payment").order_by("number"))
    coming = [row for row in rows if row.payment is None]
    amounts = dict(
        zip((row.pk for row in coming), instalments.to_come([row.amount for row in coming], left), strict=True)
    )
    parts = tuple(
        Part(
            row.number,
            row.due_on,
            row.amount,
            amounts.get(row.pk, row.payment.amount if row.payment else ZERO),
            row.payment,
        )
        for row in rows
    )
    return Standing(plan, parts, left)


# --- The sweep --------------------------------------------------------------------------------------------------------


def to_announce() -> list[int]:
    """Parts whose time to be announced has come."""
    return list(
        Instalment.objects.filter(
            plan__state=PaymentPlan.State.ACTIVE,
            payment=None,
            noticed_at=None,
            due_on__lte=clock.today() + NOTICE,
        ).values_list("pk", flat=True)
    )


@transaction.atomic
def announce(instalment_id: int) -> None:
    """Tell the client that a part is charged in three days, and how much it will be as things stand."""
    found = _locked(instalment_id)
    if found is None or found.noticed_at is not None:
        return
    client = found.plan.client
    amount = _amount(found)
    if amount == ZERO:
        finish(found.plan)
        return
    Instalment.objects.filter(pk=found.pk).update(noticed_at=clock.now())
    outbox.enqueue(
        messages.InstalmentComing(
            client_name=client.called,
            amount=amount,
            # When the news comes late, so does the charge: the three days are the client's.
            charge_on=max(found.due_on, clock.today() + NOTICE),
            card=str(found.plan.card),
            url=_page(),
        ),
        to=client.email,
        recipient=client.user,
        key=f"instalment_coming:{found.pk}",
    )


def to_charge() -> list[int]:
    """Parts whose day has come and that were announced in time; none outside of charging hours."""
    if not payments.is_charging_hour():
        return []
    return list(
        Instalment.objects.filter(
            plan__state=PaymentPlan.State.ACTIVE,
            payment=None,
            due_on__lte=clock.today(),
            noticed_at__lte=clock.now() - NOTICE,
        ).values_list("pk", flat=True)
    )


@transaction.atomic
def charge(instalment_id: int) -> None:
    """Write the payment of a part that is due; it is sent after the commit. Two workers write one.

    While the client is in the middle of paying for one of its sessions, it waits.
    """
    found = _locked(instalment_id)
    if found is None:
        return
    if payments.waiting_attempts(found.plan.client, list(left_of_plan(found.plan))):
        return
    _charge(found, found.plan)


def _locked(instalment_id: int) -> Instalment | None:
    """A part that nobody has tried to charge yet, of an active plan, under its client's lock."""
    client = Client.objects.get(payment_plans__instalments=instalment_id)
    Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    return (
        Instalment.objects.select_related("plan__client", "plan__card")
        .filter(pk=instalment_id, payment=None, plan__state=PaymentPlan.State.ACTIVE)
        .first()
    )


def _amount(found: Instalment) -> Decimal:
    """What this part takes as things stand, in dollars."""
    return next(part.amount for part in standing(found.plan).parts if part.number == found.number)


def _charge(found: Instalment, plan: PaymentPlan) -> None:
    """Write the payment of a part, for the oldest sessions first. The caller holds the client's lock."""
    balances = client_balances(plan.client)
    planned = {session: balances[session].planned for session in left_of_plan(plan) if session in balances}
    amount = _amount(found)
    if amount < SMALLEST_CHARGE:
        finish(plan)
        return
    payment = Payment.objects.create(
        client=plan.client, card=plan.card, purpose=Payment.Purpose.INSTALMENT, amount=amount
    )
    PaymentPart.objects.bulk_create(
        PaymentPart(payment=payment, session_id=session, amount=part)
        for session, part in instalments.spread(amount, planned).items()
    )
    Instalment.objects.filter(pk=found.pk).update(payment=payment)
    hurry("billing.tasks.charge", payment.pk)
