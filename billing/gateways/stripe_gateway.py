"""The one door to Stripe: plain values in, plain values out.

Every call that moves money carries an idempotency key of the caller's and a ``reference`` (our row's opaque id, kept in
the object's metadata), is sent once, and ends in a result, in :class:`OutcomeUnknown` (it may have happened), or in an
error that means nothing happened. Stripe is told amounts, opaque ids and an e-mail address: no names, no health
information; what the card statement shows is the product's name.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from billing.gateways.results import (
    BadSignature,
    Card,
    CardRefused,
    ChargeResult,
    ChargeState,
    Event,
    GatewayBusy,
    GatewayRefused,
    OutcomeUnknown,
    RefundResult,
    RefundState,
    SetupResult,
    SetupState,
)
from common.money import from_cents, to_cents

API_VERSION = "2026-10-28.endive"
"""Pinned: an upgrade of the library does not change what Stripe answers."""

CURRENCY = "usd"
STATEMENT_TEXT = "Headway"
"""The only description Stripe, the bank and the card statement ever get."""

CONNECT_SECONDS = 5.0
READ_SECONDS = 25.0
WEBHOOK_TOLERANCE_SECONDS = 300
PAGE = 100

_PAYMENT_STATES = {
    "succeeded": ChargeState.SUCCEEDED,
    "processing": ChargeState.PROCESSING,
    "requires_capture": ChargeState.PROCESSING,
    "requires_action": ChargeState.REQUIRES_ACTION,
    "requires_confirmation": ChargeState.OPEN,
    "canceled": ChargeState.CANCELED,
}
_SETUP_STATES = {
    "succeeded": SetupState.SUCCEEDED,
    "requires_action": SetupState.REQUIRES_ACTION,
    "canceled": SetupState.CANCELED,
}
_REFUND_STATES = {
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
_HTTP_CONFLICT = 409
_HTTP_SERVER_ERROR = 500


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into ours. Card errors pass: each call knows what a refusal means for it."""
    try:
        yield
    except stripe.CardError:
        raise
    except stripe.RateLimitError as error:
        raise GatewayBusy("Stripe is busy") from error
    except stripe.APIConnectionError as error:
        raise OutcomeUnknown("no answer from Stripe") from error
    except stripe.StripeError as error:
        status = error.http_status
        if status is None or status >= _HTTP_SERVER_ERROR or status == _HTTP_CONFLICT:
            # 409: a request with this key is still under way; its outcome is ours too.
            raise OutcomeUnknown(f"Stripe answered {status or 'something unreadable'}") from error
        raise GatewayRefused(error.user_message or str(error), error.code) from error


def id_of(value: object) -> str | None:
    """The id of a field that Stripe may give as an id or as the whole object."""
    if value is None or isinstance(value, str):
        return value or None
    return str(getattr(value, "id"))  # noqa: B009 - an expanded object of any type


def _metadata(reference: str, more: Mapping[str, str] | None) -> dict[str, str]:
    return {**(more or {}), "reference": reference}


def _positive_cents(amount: Decimal) -> int:
    cents = to_cents(amount)
    if cents <= 0:
        raise ValueError(f"cannot move {amount}")
    return cents


class Gateway:
    """Stripe, or what stands in for it at ``api_base``.

    One instance serves all threads. ``timeout`` is (connect, read) seconds; nothing is retried here, because the
    caller keeps a row for each attempt and knows when to ask.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str = "",
        webhook_secret: str = "",
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self._webhook_secret = webhook_secret
        self.client = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": base, "files": base} if (base := api_base.rstrip("/")) else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=timeout),
        )

    # Customers and their cards

    def create_customer(self, *, reference: str, key: str, email: str | None = None) -> str:
        """Make a customer and return its id; ``reference`` is the client's opaque id."""
        params: stripe.params.CustomerCreateParams = {"metadata": _metadata(reference, None)}
        if email:
            params["email"] = email
        with translated():
            return self.client.v1.customers.create(params, {"idempotency_key": key}).id

    def create_setup_intent(self, customer: str, *, key: str) -> SetupResult:
        """Begin saving a card for charges made when the client is absent; the browser finishes it."""
        with translated():
            intent = self.client.v1.setup_intents.create(
                {"customer": customer, "usage": "off_session", "allowed_payment_method_types": ["card"]},
                {"idempotency_key": key},
            )
        return _setup(intent)

    def retrieve_setup_intent(self, setup_intent: str) -> SetupResult:
        """The state of one saving of a card, and the card when it is saved."""
        with translated():
            return _setup(self.client.v1.setup_intents.retrieve(setup_intent))

    def attach_payment_method(self, payment_method: str, customer: str, *, key: str) -> Card:
        """Give ``customer`` a card. Raises :class:`CardRefused` when the bank says no."""
        try:
            with translated():
                return _card(
                    self.client.v1.payment_methods.attach(
                        payment_method, {"customer": customer}, {"idempotency_key": key}
                    )
                )
        except stripe.CardError as error:
            raise CardRefused(error.user_message or "", _decline_code(error.error)) from error

    def detach_payment_method(self, payment_method: str, *, key: str) -> None:
        """Take a card away from its customer: it can never be charged again."""
        with translated():
            self.client.v1.payment_methods.detach(payment_method, {}, {"idempotency_key": key})

    def list_payment_methods(self, customer: str) -> list[Card]:
        """All cards saved for ``customer``, the newest first."""
        with translated():
            page = self.client.v1.payment_methods.list({"customer": customer, "type": "card", "limit": PAGE})
            return [_card(method) for method in page.auto_paging_iter()]

    def retrieve_payment_method(self, payment_method: str) -> Card:
        """One card: brand, last four digits, expiry."""
        with translated():
            return _card(self.client.v1.payment_methods.retrieve(payment_method))

    # Payments

    def charge_off_session(
        self,
        *,
        customer: str,
        payment_method: str,
        amount: Decimal,
        reference: str,
        key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> ChargeResult:
        """Charge a saved card while the client is absent. ``amount`` in dollars, above zero.

        A bank's refusal is a result (``declined``, or ``requires_action`` when it wants the cardholder herself), not an
        error. Raises :class:`OutcomeUnknown`, :class:`GatewayBusy` or :class:`GatewayRefused`.
        """
        try:
            with translated():
                intent = self.client.v1.payment_intents.create(
                    {
                        "amount": _positive_cents(amount),
                        "currency": CURRENCY,
                        "customer": customer,
                        "payment_method": payment_method,
                        "allowed_payment_method_types": ["card"],
                        "off_session": True,
                        "confirm": True,
                        "description": STATEMENT_TEXT,
                        "metadata": _metadata(reference, metadata),
                    },
                    {"idempotency_key": key},
                )
        except stripe.CardError as error:
            return _refused_payment(error)
        return _payment(intent)

    def create_payment_intent(
        self,
        *,
        customer: str,
        amount: Decimal,
        reference: str,
        key: str,
        save_card: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> ChargeResult:
        """Begin a payment that the client finishes in her browser with ``client_secret``. ``amount`` in dollars.

        ``save_card`` keeps a newly typed card for later charges (only with the client's consent).
        """
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": _positive_cents(amount),
            "currency": CURRENCY,
            "customer": customer,
            "allowed_payment_method_types": ["card"],
            "description": STATEMENT_TEXT,
            "metadata": _metadata(reference, metadata),
        }
        if save_card:
            params["setup_future_usage"] = "off_session"
        with translated():
            return _payment(self.client.v1.payment_intents.create(params, {"idempotency_key": key}))

    def retrieve_payment_intent(self, payment_intent: str) -> ChargeResult:
        """The payment as it stands now."""
        with translated():
            return _payment(self.client.v1.payment_intents.retrieve(payment_intent))

    def cancel_payment_intent(self, payment_intent: str, *, key: str) -> ChargeResult:
        """Close a payment that nobody will finish. One already paid or closed is returned as it stands."""
        try:
            with translated():
                return _payment(self.client.v1.payment_intents.cancel(payment_intent, {}, {"idempotency_key": key}))
        except GatewayRefused as error:
            if error.code != "payment_intent_unexpected_state":
                raise
            return self.retrieve_payment_intent(payment_intent)

    def find_payment(
        self, *, customer: str, reference: str, created_after: datetime | None = None
    ) -> ChargeResult | None:
        """The payment made for ``reference``, or None when Stripe has none: how an unknown attempt is settled.

        Reads the customer's list, which is up to date, and not Stripe's search, which lags by up to a minute. None is
        final only when the attempt's request can no longer be on its way (wait longer than its timeout).
        """
        params: stripe.params.PaymentIntentListParams = {"customer": customer, "limit": PAGE}
        if created_after is not None:
            params["created"] = {"gte": int(created_after.timestamp())}
        with translated():
            page = self.client.v1.payment_intents.list(params)
            for intent in page.auto_paging_iter():
                if _reference(intent.metadata) == reference:
                    return _payment(intent)
        return None

    # Refunds

    def refund(
        self,
        *,
        payment_intent: str,
        amount: Decimal,
        reference: str,
        key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> RefundResult:
        """Give back ``amount`` dollars of one payment.

        Raises :class:`GatewayRefused` when more is asked than is left of it (``code`` ``charge_already_refunded`` when
        nothing is left).
        """
        with translated():
            return _refund(
                self.client.v1.refunds.create(
                    {
                        "payment_intent": payment_intent,
                        "amount": _positive_cents(amount),
                        "metadata": _metadata(reference, metadata),
                    },
                    {"idempotency_key": key},
                )
            )

    def retrieve_refund(self, refund: str) -> RefundResult:
        """The refund as it stands now; a succeeded one may still fail days later, when the bank sends it back."""
        with translated():
            return _refund(self.client.v1.refunds.retrieve(refund))

    def find_refund(self, *, payment_intent: str, reference: str) -> RefundResult | None:
        """The refund made for ``reference``, or None when Stripe has none: how an unknown refund is settled."""
        with translated():
            page = self.client.v1.refunds.list({"payment_intent": payment_intent, "limit": PAGE})
            for found in page.auto_paging_iter():
                if _reference(found.metadata) == reference:
                    return _refund(found)
        return None

    # Events

    def parse_webhook(self, payload: bytes, signature: str) -> Event:
        """Read a webhook's body; ``signature`` is the ``Stripe-Signature`` header. Raises :class:`BadSignature`."""
        try:
            stripe.WebhookSignature.verify_header(payload, signature, self._webhook_secret, WEBHOOK_TOLERANCE_SECONDS)
            return _event(json.loads(payload))
        except stripe.SignatureVerificationError as error:
            raise BadSignature(error.user_message or "bad signature") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadSignature("the message cannot be read") from error

    def retrieve_event(self, event: str) -> Event:
        """One event by id, while Stripe keeps it (30 days)."""
        with translated():
            found = self.client.v1.events.retrieve(event)
        return _event(
            {
                "id": found.id,
                "type": found.type,
                "created": found.created,
                "data": {"object": {"object": found.data.object["object"], "id": found.data.object["id"]}},
            }
        )


def _setup(intent: stripe.SetupIntent) -> SetupResult:
    return SetupResult(
        setup_intent=intent.id,
        state=_SETUP_STATES.get(intent.status or "", SetupState.OPEN),
        client_secret=intent.client_secret or "",
        customer=id_of(intent.customer),
        payment_method=id_of(intent.payment_method),
    )


def _card(method: stripe.PaymentMethod) -> Card:
    card = method.card
    if card is None:
        raise GatewayRefused(f"{method.id} is not a card")
    return Card(
        payment_method=method.id,
        brand=card.brand,
        last4=card.last4 or "",
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        customer=id_of(method.customer),
    )


def _reference(metadata: Any) -> str | None:
    return metadata["reference"] if metadata and "reference" in metadata else None


def _decline_code(error: Any) -> str | None:
    """The bank's reason, or Stripe's own code where the bank gave none."""
    if error is None:
        return None
    return getattr(error, "decline_code", None) or getattr(error, "code", None)


def _payment(intent: stripe.PaymentIntent) -> ChargeResult:
    error = intent.last_payment_error
    code = _decline_code(error)
    if intent.status == "requires_payment_method":
        # Without an error the client has not typed a card yet. With one, the last try was refused; a bank that only
        # wants the cardholder herself has not said no.
        wants_cardholder = code == "authentication_required"
        refused = ChargeState.REQUIRES_ACTION if wants_cardholder else ChargeState.DECLINED
        state = refused if error else ChargeState.OPEN
    else:
        state = _PAYMENT_STATES.get(intent.status, ChargeState.PROCESSING)
    method = id_of(intent.payment_method)
    if method is None and error is not None:
        method = id_of(getattr(error, "payment_method", None))
    shown = error is not None and state in (ChargeState.DECLINED, ChargeState.REQUIRES_ACTION)
    return ChargeResult(
        state=state,
        payment_intent=intent.id,
        amount=from_cents(intent.amount),
        client_secret=intent.client_secret,
        customer=id_of(intent.customer),
        payment_method=method,
        charge=id_of(intent.latest_charge),
        decline_code=code if shown else None,
        message=(getattr(error, "message", None) or "") if shown else "",
        reference=_reference(intent.metadata),
    )


def _refused_payment(error: stripe.CardError) -> ChargeResult:
    """The payment inside a bank's refusal."""
    intent = error.error.payment_intent if error.error is not None else None
    if intent is None:
        raise GatewayRefused(error.user_message or str(error), error.code) from error
    return _payment(intent)


def _refund(refund: stripe.Refund) -> RefundResult:
    return RefundResult(
        state=_REFUND_STATES.get(refund.status or "", RefundState.IN_TRANSIT),
        refund=refund.id,
        amount=from_cents(refund.amount),
        payment_intent=id_of(refund.payment_intent),
        failure_reason=getattr(refund, "failure_reason", None),
        reference=_reference(refund.metadata),
        bank_reference=_bank_reference(refund),
    )


def _bank_reference(refund: stripe.Refund) -> str | None:
    """Where Stripe shows the acquirer's number of a refund to a card, once it has it."""
    card = getattr(getattr(refund, "destination_details", None), "card", None)
    return getattr(card, "reference", None) or None


def _event(body: Mapping[str, Any]) -> Event:
    about = body["data"]["object"]
    return Event(
        id=str(body["id"]),
        type=str(body["type"]),
        object_type=str(about["object"]),
        object_id=str(about["id"]),
        created=datetime.fromtimestamp(int(body["created"]), tz=UTC),
    )


@lru_cache(maxsize=1)
def gateway() -> Gateway:
    """The gateway that settings name: ``STRIPE_SECRET_KEY``, ``STRIPE_API_BASE``, ``STRIPE_WEBHOOK_SECRET``."""
    return Gateway(
        settings.STRIPE_SECRET_KEY,
        api_base=settings.STRIPE_API_BASE,
        webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
    )
