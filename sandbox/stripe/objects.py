"""Stripe's nouns over localstripe: what each request does, what each object looks like.

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

MINIMUM_CENTS = 50
FEE_RATE_PER_MILLE = 29
FEE_FIXED_CENTS = 30
_CARD_FIELDS = {"number", "exp_month", "exp_year", "cvc"}
_PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CONFIRM = {
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


def _integer(params: Json, name: str) -> int:
    try:
        return int(params[name])
    except (TypeError, ValueError):
        raise Refusal(400, f"Invalid integer: {params[name]}", code="parameter_invalid_integer", param=name) from None


def _true(value: object) -> bool:
    return value is True or value == "true"


def _action() -> Json:
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": ""}}


class Objects:
    """All operations. ``emit(type, object)`` announces an event; ``settle_seconds`` is how long a bank takes."""

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
        found = await self._engine.get(f"payment_intents/{ident}")
        charge = found["latest_charge"]
        found["latest_charge"] = charge["id"] if charge else None
        return self._shown(found, "charges", "invoice")

    async def charge(self, ident: str) -> Json:
        return self._shown(await self._engine.get(f"charges/{ident}"), "refunds")

    async def refund(self, ident: str) -> Json:
        return self._shown(await self._engine.get(f"refunds/{ident}"), "date")

    async def balance_transaction(self, ident: str) -> Json:
        return self._with_fee(await self._engine.get(f"balance_transactions/{ident}"))

    async def balance_transactions(self) -> list[Json]:
        """All of them, the newest first."""
        listed = await self._engine.get("balance_transactions", limit="1000000")
        return [self._with_fee(one) for one in listed["data"]]

    @staticmethod
    def _with_fee(found: Json) -> Json:
        """localstripe takes no fee; Stripe takes 2.9 % and 30 cents of a US card's charge."""
        fee = 0
        if found["type"] == "charge":
            fee = (found["amount"] * FEE_RATE_PER_MILLE + 500) // 1000 + FEE_FIXED_CENTS
        return {**found, "fee": fee, "net": found["amount"] - fee}

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
            raise _card_refusal("incorrect_number", "Your card number is incorrect.", "number")
        month, year = _integer(card, "exp_month"), _integer(card, "exp_year")
        year += 2000 if year < 100 else 0
        today = time.gmtime()
        if not 1 <= month <= 12:
            raise _card_refusal("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
        if (year, month) < (today.tm_year, today.tm_mon):
            raise _card_refusal("invalid_expiry_year", "Your card's expiration year is in the past.", "exp_year")
        if "cvc" in card and not re.fullmatch(r"\d{3,4}", str(card["cvc"])):
            raise _card_refusal("invalid_cvc", "Your card's security code is invalid.", "cvc")
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
        check(params, _CONFIRM | {"mandate_data"})
        intent = await self.setup_intent(ident)
        _check_secret(intent, params)
        if intent["status"] not in _PAYABLE:
            raise _unexpected("setup_intent", intent)
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
                ident, status="requires_action", payment_method=method, next_action=_action(), last_setup_error=None
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
        _check_secret(intent, params)
        if intent["status"] != "requires_action":
            raise _unexpected("setup_intent", intent)
        if _true(params["success"]):
            return await self.confirm_setup_intent(ident, {}, authenticated=True)
        error = _authentication_failed("setup_intent")
        shown = await self._setup_changed(
            ident, status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error
        )
        self._emit("setup_intent.setup_failed", shown)
        return shown

    async def cancel_setup_intent(self, ident: str, params: Json) -> Json:
        check(params, {"cancellation_reason", "expand"})
        intent = await self.setup_intent(ident)
        if intent["status"] not in _PAYABLE:
            raise _unexpected("setup_intent", intent)
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

    # Payments

    async def create_payment_intent(self, params: Json) -> Json:
        check(
            params,
            {
                "amount", "currency", "customer", "payment_method", "allowed_payment_method_types", "off_session",
                "confirm", "setup_future_usage", "description", "metadata", "statement_descriptor_suffix",
                "receipt_email", "expand",
            },
            ("amount", "currency"),
        )  # fmt: skip
        amount = _integer(params, "amount")
        if amount < MINIMUM_CENTS:
            raise Refusal(400, "Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
        if _true(params.get("off_session")) and not _true(params.get("confirm")):
            raise Refusal(400, "off_session may only be set when confirm is true", param="off_session")
        body: Json = {"amount": amount, "currency": params["currency"], "metadata": params.get("metadata") or {}}
        if params.get("customer"):
            await self.customer(params["customer"])
            body["customer"] = params["customer"]
        method = (await self._resolve(params["payment_method"]))["id"] if params.get("payment_method") else None
        made = await self._engine.post("payment_intents", body)
        ident = made["id"]
        self._store.set_fields(
            ident,
            status="requires_confirmation" if method else "requires_payment_method",
            payment_method=method,
            payment_method_types=["card"],
            description=params.get("description"),
            setup_future_usage=params.get("setup_future_usage"),
            receipt_email=params.get("receipt_email"),
            amount_received=0,
            last_payment_error=None,
            canceled_at=None,
        )
        self._store.list_object(ident, "payment_intent", params.get("customer"), made["created"])
        shown = await self.payment_intent(ident)
        self._emit("payment_intent.created", shown)
        if not _true(params.get("confirm")):
            return shown
        return await self._pay(shown, await self._chosen(shown, {}), off_session=_true(params.get("off_session")))

    async def confirm_payment_intent(self, ident: str, params: Json) -> Json:
        check(params, _CONFIRM)
        intent = await self.payment_intent(ident)
        _check_secret(intent, params)
        if intent["status"] not in _PAYABLE:
            raise _unexpected("payment_intent", intent)
        if params.get("setup_future_usage"):
            self._store.set_fields(ident, setup_future_usage=params["setup_future_usage"])
            intent = await self.payment_intent(ident)
        return await self._pay(intent, await self._chosen(intent, params), off_session=_true(params.get("off_session")))

    async def authenticate_payment_intent(self, ident: str, params: Json) -> Json:
        """The holder's answer to her bank, as the challenge page of Stripe.js sends it."""
        check(params, {"client_secret", "success"}, ("client_secret", "success"))
        intent = await self.payment_intent(ident)
        _check_secret(intent, params)
        if intent["status"] != "requires_action":
            raise _unexpected("payment_intent", intent)
        if _true(params["success"]):
            return await self._pay(intent, intent["payment_method"], off_session=False, authenticated=True)
        return await self._payment_failed(intent, _authentication_failed("payment_intent"))

    async def _pay(self, intent: Json, method: str, *, off_session: bool, authenticated: bool = False) -> Json:
        ident = intent["id"]
        owner = (await self.payment_method(method))["customer"]
        if owner and owner != intent["customer"]:
            raise Refusal(400, "The payment method belongs to another customer.", param="payment_method")
        behaviour = self._behaviour(method)
        set_up = self._store.fields(method).get("_set_up", False)
        asks = behaviour.authenticate == "always" or (behaviour.authenticate == "until_set_up" and not set_up)
        if asks and not authenticated:
            if off_session:
                await self._decline(intent, "authentication_required", method)
            shown = await self._payment_changed(
                ident, status="requires_action", payment_method=method, next_action=_action(), last_payment_error=None
            )
            self._emit("payment_intent.requires_action", shown)
            return shown
        if behaviour.decline:
            await self._decline(intent, behaviour.decline, method)
        await self._charge(ident, intent["client_secret"], method)
        if intent.get("setup_future_usage"):
            self._store.set_fields(method, _set_up=True)
            if intent["customer"]:
                await self._give(method, intent["customer"])
        shown = await self._payment_changed(
            ident,
            status="succeeded",
            payment_method=method,
            next_action=None,
            last_payment_error=None,
            amount_received=intent["amount"],
        )
        self._emit("charge.succeeded", await self.charge(shown["latest_charge"]))
        self._emit("payment_intent.succeeded", shown)
        return shown

    async def _charge(self, ident: str, secret: str, method: str) -> None:
        """Have localstripe take the money; it asks for authentication by rules of its own, already answered here."""
        path = f"payment_intents/{ident}"
        await self._engine.post(path, {"payment_method": method, "latest_charge": None, "next_action": None})
        done = await self._engine.post(f"{path}/confirm", {})
        if done["status"] == "requires_action":
            await self._engine.post(f"{path}/_authenticate", {"client_secret": secret, "success": True})

    async def _decline(self, intent: Json, decline_code: str, method: str) -> None:
        error: Json = {**cards.decline_error(decline_code), "payment_method": await self.payment_method(method)}
        shown = await self._payment_failed(intent, error)
        raise Refusal(402, error["message"], **{**error, "payment_intent": shown})

    async def _payment_failed(self, intent: Json, error: Json) -> Json:
        shown = await self._payment_changed(
            intent["id"],
            status="requires_payment_method",
            payment_method=None,
            next_action=None,
            last_payment_error=error,
        )
        self._emit("payment_intent.payment_failed", shown)
        return shown

    async def cancel_payment_intent(self, ident: str, params: Json) -> Json:
        check(params, {"cancellation_reason", "expand"})
        intent = await self.payment_intent(ident)
        if intent["status"] not in _PAYABLE:
            raise _unexpected("payment_intent", intent)
        await self._engine.post(f"payment_intents/{ident}/cancel", {})
        shown = await self._payment_changed(
            ident, status="canceled", next_action=None, canceled_at=int(time.time()),
            cancellation_reason=params.get("cancellation_reason"),
        )  # fmt: skip
        self._emit("payment_intent.canceled", shown)
        return shown

    async def _payment_changed(self, ident: str, **fields: Any) -> Json:
        self._store.set_fields(ident, **fields)
        return await self.payment_intent(ident)

    # Refunds

    async def create_refund(self, params: Json) -> Json:
        check(params, {"payment_intent", "amount", "metadata", "reason", "expand"}, ("payment_intent",))
        intent = await self.payment_intent(params["payment_intent"])
        if intent["status"] != "succeeded":
            raise Refusal(
                400, f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )  # fmt: skip
        earlier = await self.refunds(intent["id"])
        left = intent["amount"] - sum(one["amount"] for one in earlier if one["status"] not in ("failed", "canceled"))
        amount = _integer(params, "amount") if params.get("amount") else left
        if left <= 0:
            raise Refusal(
                400, f"Charge {intent['latest_charge']} has already been refunded.", code="charge_already_refunded"
            )
        if not 0 < amount <= left:
            raise Refusal(
                400, f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge"
                f" (${left / 100:.2f})", param="amount",
            )  # fmt: skip
        made = await self._engine.post(
            "refunds", {"payment_intent": intent["id"], "amount": amount, "metadata": params.get("metadata") or {}}
        )
        ending = self._behaviour(intent["payment_method"]).refunds
        status = "pending" if ending == "pending" else "succeeded"
        self._store.set_fields(made["id"], status=status, reason=params.get("reason"))
        if ending != "succeeded":
            self._store.add_chore(f"refund_{ending}", made["id"], time.time() + self._settle_seconds)
        self._store.list_object(made["id"], "refund", intent["id"], made["created"])
        shown = await self.refund(made["id"])
        self._emit("refund.created", shown)
        self._emit("charge.refunded", await self.charge(intent["latest_charge"]))
        return shown

    async def refunds(self, payment_intent: str) -> list[Json]:
        """All refunds of one payment, the newest first."""
        idents = self._store.listed("refund", customer=payment_intent, created={}, after=None, limit=1000)
        return [await self.refund(ident) for ident in idents]

    async def finish_refund(self, kind: str, ident: str) -> None:
        """What the bank says of a refund a moment later."""
        if kind == "refund_pending":
            self._store.set_fields(ident, status="succeeded")
        else:
            self._store.set_fields(ident, status="failed", failure_reason="expired_or_canceled_card")
            self._emit("refund.failed", await self.refund(ident))
        self._emit("refund.updated", await self.refund(ident))


def _card_refusal(code: str, message: str, param: str) -> Refusal:
    return Refusal(402, message, type="card_error", code=code, param=param)


def _authentication_failed(noun: str) -> Json:
    return {
        "type": "invalid_request_error",
        "code": f"{noun}_authentication_failure",
        "message": "We are unable to authenticate your payment method. Please choose a different payment method"
        " and try again.",
    }


def _unexpected(noun: str, intent: Json) -> Refusal:
    return Refusal(
        400,
        f"This object cannot be changed this way because it has a status of {intent['status']}.",
        code=f"{noun}_unexpected_state",
        **{noun: intent},
    )


def _check_secret(intent: Json, params: Json) -> None:
    secret = params.get("client_secret")
    if secret is not None and secret != intent["client_secret"]:
        raise Refusal(
            400, "The client_secret provided does not match the client_secret associated with this object.",
            param="client_secret",
        )  # fmt: skip
