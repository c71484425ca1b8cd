"""Cards on file: saved by the client in the browser, with consent; charged later while the client is absent."""

import uuid

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.gateways.results import SetupState
from billing.gateways.stripe_gateway import gateway
from billing.models import CardConsent, PaymentCard, StripeCustomer
from common import clock
from common.errors import DomainError
from notifications import messages, outbox
from people.models import Client

CONSENT_VERSION = "2026-11"


class CardNotSaved(DomainError):
    """The card could not be saved, or is not this client's."""


def consent_text() -> str:
    """What the client agrees to when saving a card; shown beside the button and copied by e-mail."""
    return _(
        "I allow %(product)s to keep this card and to charge it for what my sessions cost me: the estimate when my "
        "provider confirms a session, and never more without asking me. I can remove the card at any time."
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
