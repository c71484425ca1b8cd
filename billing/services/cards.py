"""Cards on file: saved by the client in the browser, with consent; charged later while the client is absent."""

import uuid
from calendar import monthrange
from datetime import date, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from billing.gateways.results import GatewayError, SetupState
from billing.gateways.stripe_gateway import gateway
from billing.models import Autopay, CardConsent, Payment, PaymentCard, PaymentPlan, StripeCustomer
from common import clock
from common.errors import DomainError
from notifications import messages, outbox
from notifications.models import Email
from people.models import Client

log = structlog.get_logger(__name__)

CONSENT_VERSION = "2026-11b"
REMIND_BEFORE = timedelta(days=30)
"""How long before its last day the client is told that the card ends."""


class CardNotSaved(DomainError):
    """The card could not be saved, or is not this client's."""


class CardInUse(DomainError):
    """A payment with the card is under way, or payments to come need it, so it cannot be removed yet."""


def consent_text() -> str:
    """What the client agrees to when saving a card; shown beside the button and copied by e-mail."""
    return _(
        "I allow %(product)s to keep this card and to charge it for what my sessions cost me: the estimate when my "
        "provider confirms a session, and never more without asking me. A charge that is declined may be tried up to "
        "two more times. I can remove the card at any time."
    ) % {"product": settings.PRODUCT_NAME}


def ensure_customer(client: Client) -> StripeCustomer:
    """The client's counterpart at Stripe, made on first need. Safe to repeat: the key is the client's own."""
    known = StripeCustomer.objects.filter(client=client).first()
    if known is not None:
        return known
    customer_id = gateway().create_customer(
        reference=f"client:{client.pk}", key=f"customer:{client.pk}:{_epoch(client)}"
    )
    customer, _created = StripeCustomer.objects.get_or_create(client=client, defaults={"customer_id": customer_id})
    return customer


def _epoch(client: Client) -> int:
    """Part of the key, so that a database made anew never meets an old one's keys."""
    return int(client.created_at.timestamp() * 1000)


def start_saving(client: Client) -> str:
    """Begin to save a card; returns the client secret for the browser."""
    customer = ensure_customer(client)
    return gateway().create_setup_intent(customer.customer_id, key=str(uuid.uuid4())).client_secret


def finish_saving(client: Client, setup_intent: str) -> PaymentCard:
    """Keep the card that the browser saved, with the consent given for it. Repeating it keeps it once.

    Raises :class:`CardNotSaved` when Stripe has not saved it or saved it for somebody else.
    """
    result = gateway().retrieve_setup_intent(setup_intent)
    customer = ensure_customer(client)
    if result.customer != customer.customer_id:
        raise CardNotSaved(_("This card was not saved for you. Please start again."))
    if result.state != SetupState.SUCCEEDED or result.payment_method is None:
        raise CardNotSaved(_("The card was not saved. Please try again or use another card."))
    return keep(client, result.payment_method)


def keep(client: Client, payment_method: str) -> PaymentCard:
    """Record a card that Stripe holds for the client and make it the default."""
    found = gateway().retrieve_payment_method(payment_method)
    text = consent_text()
    with transaction.atomic():
        client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        known = PaymentCard.objects.filter(payment_method_id=found.payment_method).first()
        if known is not None:
            return known
        PaymentCard.objects.filter(client=client, is_default=True).update(is_default=False)
        card = PaymentCard.objects.create(
            client=client,
            payment_method_id=found.payment_method,
            brand=found.brand,
            last4=found.last4,
            exp_month=found.exp_month,
            exp_year=found.exp_year,
            is_default=True,
        )
        _charge_plans_to(card)
        CardConsent.objects.create(client=client, card=card, text_version=CONSENT_VERSION, text=text)
        outbox.enqueue(
            messages.CardSaved(
                client_name=client.called,
                card=str(card),
                consent_text=text,
                url=f"{settings.PUBLIC_URL}/payments/",
            ),
            to=client.email,
            recipient=client.user,
            key=f"card_saved:{card.pk}",
        )
    return card


def default_card(client: Client) -> PaymentCard | None:
    """The card to charge, if there is one that has not expired."""
    card = PaymentCard.objects.filter(client=client, is_default=True, removed_at=None).first()
    today = clock.today()
    if card is None or (card.exp_year, card.exp_month) < (today.year, today.month):
        return None
    return card


@transaction.atomic
def choose_default(card: PaymentCard) -> PaymentCard:
    """Charge this card from now on. Raises :class:`CardNotSaved` for one that is no longer on file."""
    Client.objects.select_for_update(no_key=True).get(pk=card.client_id)
    card.refresh_from_db()
    if card.removed_at is not None:
        raise CardNotSaved(_("This card is no longer on file."))
    PaymentCard.objects.filter(client=card.client_id, is_default=True).exclude(pk=card.pk).update(is_default=False)
    card.is_default = True
    card.save(update_fields=["is_default"])
    _charge_plans_to(card)
    return card


def _charge_plans_to(card: PaymentCard) -> None:
    """A payment plan goes on with the card that took the old one's place, as its words say."""
    PaymentPlan.objects.filter(client=card.client_id, state=PaymentPlan.State.ACTIVE).update(card=card)


def needed_by(card: PaymentCard) -> str:
    """Why the client's last card has to stay for now, as a sentence; empty when it may go or is not the last."""
    client = card.client_id
    if PaymentCard.objects.filter(client=client, removed_at=None).exclude(pk=card.pk).exists():
        return ""
    if PaymentPlan.objects.filter(client=client, state=PaymentPlan.State.ACTIVE).exists():
        return _("Your payment plan is charged to this card. Please add another card first, or end the plan.")
    if Autopay.objects.filter(client=client, ended_at=None).exists():
        return _("Autopay is charged to this card. Please add another card first, or turn autopay off.")
    return ""


def remove_card(card: PaymentCard) -> PaymentCard | None:
    """Take a card off the account; its payments and the consent stay. Returns the card that is charged from now on.

    Another card on file, the newest, takes its place when it was the default. Repeating it changes nothing. Raises
    :class:`CardInUse` while a payment with it is under way, and for the last card while a payment plan or autopay
    needs one.
    """
    with transaction.atomic():
        Client.objects.select_for_update(no_key=True).get(pk=card.client_id)
        card.refresh_from_db()
        if Payment.objects.filter(card=card, state__in=Payment.IN_MOTION).exists():
            raise CardInUse(_("A payment with this card is under way. Please remove the card when it is finished."))
        if card.removed_at is None and (needed := needed_by(card)):
            raise CardInUse(needed)
        on_file = PaymentCard.objects.filter(client=card.client_id, removed_at=None)
        was_here = card.removed_at is None
        if was_here:
            PaymentCard.objects.filter(pk=card.pk).update(removed_at=clock.now(), is_default=False)
        if not on_file.filter(is_default=True).exists():
            newest = on_file.order_by("-pk").first()
            if newest is not None:
                PaymentCard.objects.filter(pk=newest.pk).update(is_default=True)
                _charge_plans_to(newest)
    if was_here:
        try:
            gateway().detach_payment_method(card.payment_method_id, key=f"detach:{card.payment_method_id}")
        except GatewayError as error:
            # We charge only cards on file here, so the card is out of use whatever Stripe still keeps.
            log.warning("card_not_detached", card=card.pk, error=str(error))
    card.refresh_from_db()
    return on_file.filter(is_default=True).first()


def last_day(card: PaymentCard) -> date:
    """The last day on which the card works: a card is good through the end of its month."""
    return date(card.exp_year, card.exp_month, monthrange(card.exp_year, card.exp_month)[1])


def to_remind() -> list[int]:
    """Cards that are charged for sessions and end within ``REMIND_BEFORE``, their clients not told yet."""
    today = clock.today()
    soon = today + REMIND_BEFORE
    months = Q(exp_year=today.year, exp_month=today.month) | Q(exp_year=soon.year, exp_month=soon.month)
    told = Email.objects.filter(key=Concat(Value(_EXPIRING), Cast(OuterRef("pk"), CharField())))
    cards = PaymentCard.objects.filter(months, ~Exists(told), is_default=True, removed_at=None)
    return [card.pk for card in cards if last_day(card) <= soon]


_EXPIRING = "card_expiring:"


def remind(card_id: int) -> None:
    """Ask the client for the card that takes the place of one that ends soon; once per card."""
    card = PaymentCard.objects.select_related("client__user").get(pk=card_id)
    outbox.enqueue(
        messages.CardExpiring(
            client_name=card.client.called,
            card=str(card),
            last_day=last_day(card),
            url=f"{settings.PUBLIC_URL}/payments/cards/add/",
        ),
        to=card.client.email,
        recipient=card.client.user,
        key=f"{_EXPIRING}{card.pk}",
    )
