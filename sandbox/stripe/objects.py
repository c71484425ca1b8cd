"""Stripe's nouns over localstripe: what each object looks like; customers, their cards, the saving of a card.

Each operation takes the request's parameters as a nested dict and returns the object as Stripe shows it, or raises
:class:`Refusal`. Parameters that Stripe does not have are refused, as Stripe refuses them.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from sandbox.stripe import cards
from sandbox.stripe.engine import Engine, Json, Refusal
from sandbox.stripe.store import Store

Emit = Callable[[str, Json], None]

_CARD_FIELDS = {"number", "exp_month", "exp_year", "cvc"}
UNFINISHED = ("requires_payment_method", "requires_confirmation", "requires_action")
CONFIRM_PARAMS = {
    "payment_method",
    "payment_method_data",
    "client_secret",
    "off_session",
    "return_url",
    "use_stripe_sdk",
    "expand",
    "setup_future_usage",
    "expected_payment_method_type",
}


def check(params: Json, known: set[str], required: tuple[str, ...] = ()) -> None:
    """Refuse a parameter that Stripe does not know and the lack of one that it needs."""
    for name in params:
        if name not in known:
            raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    for name in required:
        if params.get(name) in (None, ""):
            raise Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


def integer(params: Json, name: str) -> int:
    try:
        return int(params[name])
    except (TypeError, ValueError):
        raise Refusal(400, f"Invalid integer: {params[name]}", code="parameter_invalid_integer", param=name) from None


def true(value: object) -> bool:
    return value is True or value == "true"


def action() -> Json:
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": ""}}


class Objects:
    """Customers and cards. ``emit(type, object)`` announces an event; ``settle_seconds`` is how long a bank takes."""

    def __init__(self, engine: Engine, store: Store, emit: Emit, settle_seconds: float) -> None:
        self._engine = engine
        self._store = store
        self._emit = emit
        self._settle_seconds = settle_seconds

    # How objects look

    def _shown(self, found: Json, *hidden: str) -> Json:
        extra = {name: value for name, value in self._store.fields(found["id"]).items() if not name.startswith("_")}
        return {**{name: value for name, value in found.items() if name not in hidden}, **extra}

    async def customer(self, ident: str) -> Json:
        found = await self._engine.get(f"customers/{ident}")
        return self._shown(found, "account_balance", "sources", "subscriptions", "tax_ids", "currency")

    async def payment_method(self, ident: str) -> Json:
        if ident in cards.TOKENS:
            raise Refusal(404, f"No such PaymentMethod: '{ident}'", code="resource_missing", param="payment_method")
        return self._shown(await self._engine.get(f"payment_methods/{ident}"))

    async def setup_intent(self, ident: str) -> Json:
        return self._shown(await self._engine.get(f"setup_intents/{ident}"))

    async def payment_intent(self, ident: str) -> Json:
        # localstripe goes through all it holds to show an intent, so its part is remembered until it changes.
        found = self._store.fields(ident).get("_engine")
        if found is None:
            found = await self._engine.get(f"payment_intents/{ident}")
            charge = found.pop("latest_charge")
            found = {name: value for name, value in found.items() if name not in ("charges", "invoice")}
            found["latest_charge"] = charge["id"] if charge else None
            self._store.set_fields(ident, _engine=found)
        return self._shown(found)

    async def charge(self, ident: str) -> Json:
        return self._shown(await self._engine.get(f"charges/{ident}"), "refunds")

    async def refund(self, ident: str) -> Json:
        return self._shown(await self._engine.get(f"refunds/{ident}"), "date")

    # Customers and cards

    async def create_customer(self, params: Json) -> Json:
        check(params, {"email", "name", "description", "metadata", "expand"})
        made = await self._engine.post("customers", {k: v for k, v in params.items() if k != "expand"})
        shown = await self.customer(made["id"])
        self._emit("customer.created", shown)
        return shown

    async def update_customer(self, ident: str, params: Json) -> Json:
        check(params, {"email", "name", "description", "metadata", "invoice_settings", "expand"})
        await self._engine.post(f"customers/{ident}", {k: v for k, v in params.items() if k != "expand"})
        shown = await self.customer(ident)
        self._emit("customer.updated", shown)
        return shown

    async def create_payment_method(self, params: Json) -> Json:
        """A card by its number (as Stripe.js sends it)."""
        check(params, {"type", "card", "billing_details", "metadata", "expand"}, ("type", "card"))
        card = params["card"]
        if params["type"] != "card" or not isinstance(card, dict):
            raise Refusal(400, "Only cards are supported here", param="type")
        check(card, _CARD_FIELDS, ("number", "exp_month", "exp_year"))
        number = re.sub(r"\s", "", str(card["number"]))
        if not cards.passes_luhn(number):
            raise card_refusal("incorrect_number", "Your card number is incorrect.", "number")
        month, year = integer(card, "exp_month"), integer(card, "exp_year")
        year += 2000 if year < 100 else 0
        today = time.gmtime()
        if not 1 <= month <= 12:
            raise card_refusal("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
        if (year, month) < (today.tm_year, today.tm_mon):
            raise card_refusal("invalid_expiry_year", "Your card's expiration year is in the past.", "exp_year")
        if "cvc" in card and not re.fullmatch(r"\d{3,4}", str(card["cvc"])):
            raise card_refusal("invalid_cvc", "Your card's security code is invalid.", "cvc")
        # localstripe knows only cards of 16 digits, and keeps no security code
        made = await self._engine.post(
            "payment_methods",
            {
                "type": "card",
                "card": {"number": number.zfill(16)[-16:], "exp_month": month, "exp_year": year, "cvc": "123"},
                "billing_details": params.get("billing_details") or {},
                "metadata": params.get("metadata") or {},
            },
        )
        shown_card = {**made["card"], "brand": cards.brand(number), "country": "US"}
        self._store.set_fields(made["id"], card=shown_card, _number=number)
        return await self.payment_method(made["id"])

    async def _resolve(self, ident: str) -> Json:
        """A card by id, or a new one for a token such as ``pm_card_visa``."""
        number = cards.TOKENS.get(ident)
        if number is None:
            return await self.payment_method(ident)
        year = time.gmtime().tm_year + 4
        return await self.create_payment_method(
            {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": year, "cvc": "123"}}
        )

    def _behaviour(self, method: str) -> cards.Behaviour:
        return cards.behaviour(self._store.fields(method).get("_number", ""))

    async def attach(self, ident: str, params: Json) -> Json:
        check(params, {"customer", "expand"}, ("customer",))
        method = await self._resolve(ident)
        behaviour = self._behaviour(method["id"])
        if behaviour.decline_saving and behaviour.decline:
            error = cards.decline_error(behaviour.decline)
            raise Refusal(402, error["message"], **error)
        return await self._give(method["id"], params["customer"])

    async def _give(self, method: str, customer: str) -> Json:
        shown = await self.payment_method(method)
        if shown["customer"] == customer:
            return shown
        if shown["customer"]:
            raise Refusal(400, "The payment method you provided has already been attached to a customer.")
        await self._engine.post(f"payment_methods/{method}/attach", {"customer": customer})
        shown = await self.payment_method(method)
        self._store.list_object(method, "payment_method", customer, int(time.time()))
        self._emit("payment_method.attached", shown)
        return shown

    async def detach(self, ident: str, params: Json) -> Json:
        check(params, {"expand"})
        await self._engine.post(f"payment_methods/{ident}/detach", {})
        shown = await self.payment_method(ident)
        self._emit("payment_method.detached", shown)
        return shown

    # Saving a card

    async def create_setup_intent(self, params: Json) -> Json:
        check(
            params,
            {"customer", "usage", "allowed_payment_method_types", "metadata", "description", "expand"},
        )
        body: Json = {"payment_method_types": ["card"], "metadata": params.get("metadata") or {}}
        if params.get("customer"):
            await self.customer(params["customer"])
            body["customer"] = params["customer"]
        if params.get("usage"):
            body["usage"] = params["usage"]
        made = await self._engine.post("setup_intents", body)
        self._store.set_fields(made["id"], last_setup_error=None, description=params.get("description"))
        return await self.setup_intent(made["id"])

    async def confirm_setup_intent(self, ident: str, params: Json, *, authenticated: bool = False) -> Json:
        check(params, CONFIRM_PARAMS | {"mandate_data"})
        intent = await self.setup_intent(ident)
        check_secret(intent, params)
        if intent["status"] not in UNFINISHED:
            raise unexpected("setup_intent", intent)
        method = await self._chosen(intent, params)
        behaviour = self._behaviour(method)
        if behaviour.decline_saving and behaviour.decline:
            error = cards.decline_error(behaviour.decline)
            shown = await self._setup_changed(
                ident, status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error
            )
            self._emit("setup_intent.setup_failed", shown)
            raise Refusal(402, error["message"], **{**error, "setup_intent": shown})
        if behaviour.authenticate != "never" and not authenticated:
            shown = await self._setup_changed(
                ident, status="requires_action", payment_method=method, next_action=action(), last_setup_error=None
            )
            self._emit("setup_intent.requires_action", shown)
            return shown
        done = await self._engine.post(f"setup_intents/{ident}/confirm", {"payment_method": method})
        if done["status"] == "requires_action":
            await self._engine.post(f"setup_intents/{ident}/confirm", {"use_stripe_sdk": True})
        self._store.set_fields(method, _set_up=True)
        if intent["customer"]:
            await self._give(method, intent["customer"])
        shown = await self._setup_changed(
            ident, status="succeeded", payment_method=method, next_action=None, last_setup_error=None
        )
        self._emit("setup_intent.succeeded", shown)
        return shown

    async def authenticate_setup_intent(self, ident: str, params: Json) -> Json:
        """The holder's answer to her bank, as the challenge page of Stripe.js sends it."""
        check(params, {"client_secret", "success"}, ("client_secret", "success"))
        intent = await self.setup_intent(ident)
        check_secret(intent, params)
        if intent["status"] != "requires_action":
            raise unexpected("setup_intent", intent)
        if true(params["success"]):
            return await self.confirm_setup_intent(ident, {}, authenticated=True)
        error = authentication_failed("setup_intent")
        shown = await self._setup_changed(
            ident, status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error
        )
        self._emit("setup_intent.setup_failed", shown)
        return shown

    async def cancel_setup_intent(self, ident: str, params: Json) -> Json:
        check(params, {"cancellation_reason", "expand"})
        intent = await self.setup_intent(ident)
        if intent["status"] not in UNFINISHED:
            raise unexpected("setup_intent", intent)
        await self._engine.post(f"setup_intents/{ident}/cancel", {})
        shown = await self._setup_changed(ident, status="canceled", next_action=None)
        self._emit("setup_intent.canceled", shown)
        return shown

    async def _setup_changed(self, ident: str, **fields: Any) -> Json:
        self._store.set_fields(ident, **fields)
        return await self.setup_intent(ident)

    async def _chosen(self, intent: Json, params: Json) -> str:
        """The card a confirmation is about: named, typed, or the one the intent already has."""
        if params.get("payment_method"):
            return str((await self._resolve(params["payment_method"]))["id"])
        if params.get("payment_method_data"):
            return str((await self.create_payment_method(params["payment_method_data"]))["id"])
        if intent["payment_method"]:
            return str(intent["payment_method"])
        raise Refusal(
            400,
            "You cannot confirm this intent because it's missing a payment method.",
            code=f"{intent['object']}_unexpected_state",
            **{intent["object"]: intent},
        )


def card_refusal(code: str, message: str, param: str) -> Refusal:
    return Refusal(402, message, type="card_error", code=code, param=param)


def authentication_failed(noun: str) -> Json:
    return {
        "type": "invalid_request_error",
        "code": f"{noun}_authentication_failure",
        "message": "We are unable to authenticate your payment method. Please choose a different payment method"
        " and try again.",
    }


def unexpected(noun: str, intent: Json) -> Refusal:
    return Refusal(
        400,
        f"This object cannot be changed this way because it has a status of {intent['status']}.",
        code=f"{noun}_unexpected_state",
        **{noun: intent},
    )


def check_secret(intent: Json, params: Json) -> None:
    secret = params.get("client_secret")
    if secret is not None and secret != intent["client_secret"]:
        raise Refusal(
            400, "The client_secret provided does not match the client_secret associated with this object.",
            param="client_secret",
        )  # fmt: skip
