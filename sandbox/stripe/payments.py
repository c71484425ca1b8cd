"""Payments and refunds over localstripe: what each request does, and the bank's answers of the test cards."""

import time
import zlib
from typing import Any

from sandbox.stripe import cards
from sandbox.stripe.balance import Balance
from sandbox.stripe.engine import Json, Refusal
from sandbox.stripe.objects import (
    CONFIRM_PARAMS,
    UNFINISHED,
    action,
    authentication_failed,
    check,
    check_secret,
    integer,
    true,
    unexpected,
)

MINIMUM_CENTS = 50


class Payments(Balance):
    """Payments and refunds, each with its movement of the balance."""

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
        amount = integer(params, "amount")
        if amount < MINIMUM_CENTS:
            raise Refusal(400, "Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
        if true(params.get("off_session")) and not true(params.get("confirm")):
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
        if not true(params.get("confirm")):
            return shown
        return await self._pay(shown, await self._chosen(shown, {}), off_session=true(params.get("off_session")))

    async def confirm_payment_intent(self, ident: str, params: Json) -> Json:
        check(params, CONFIRM_PARAMS)
        intent = await self.payment_intent(ident)
        check_secret(intent, params)
        if intent["status"] not in UNFINISHED:
            raise unexpected("payment_intent", intent)
        if params.get("setup_future_usage"):
            self._store.set_fields(ident, setup_future_usage=params["setup_future_usage"])
            intent = await self.payment_intent(ident)
        return await self._pay(intent, await self._chosen(intent, params), off_session=true(params.get("off_session")))

    async def authenticate_payment_intent(self, ident: str, params: Json) -> Json:
        """The holder's answer to her bank, as the challenge page of Stripe.js sends it."""
        check(params, {"client_secret", "success"}, ("client_secret", "success"))
        intent = await self.payment_intent(ident)
        check_secret(intent, params)
        if intent["status"] != "requires_action":
            raise unexpected("payment_intent", intent)
        if true(params["success"]):
            return await self._pay(intent, intent["payment_method"], off_session=False, authenticated=True)
        return await self._payment_failed(intent, authentication_failed("payment_intent"))

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
                ident, status="requires_action", payment_method=method, next_action=action(), last_payment_error=None
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
        charge = await self.charge(shown["latest_charge"])
        await self._adopt(charge["balance_transaction"])
        self._emit("charge.succeeded", charge)
        self._emit("payment_intent.succeeded", shown)
        if behaviour.afterwards:
            self._store.add_chore(behaviour.afterwards, ident, time.time() + self._settle_seconds)
        return shown

    async def _charge(self, ident: str, secret: str, method: str) -> None:
        """Have localstripe take the money; it asks for authentication by rules of its own, already answered here."""
        path = f"payment_intents/{ident}"
        await self._engine.post(path, {"payment_method": method, "latest_charge": None, "next_action": None})
        done = await self._engine.post(f"{path}/confirm", {})
        if done["status"] == "requires_action":
            await self._engine.post(f"{path}/_authenticate", {"client_secret": secret, "success": True})
        self._store.set_fields(ident, _engine=None)

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
        if intent["status"] not in UNFINISHED:
            raise unexpected("payment_intent", intent)
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
        if not self._refundable(intent["latest_charge"]):
            message = f"Charge {intent['latest_charge']} has been charged back; cannot issue a refund."
            raise Refusal(400, message, code="charge_disputed")
        earlier = await self.refunds(intent["id"])
        left = intent["amount"] - sum(one["amount"] for one in earlier if one["status"] not in ("failed", "canceled"))
        amount = integer(params, "amount") if params.get("amount") else left
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
        await self._adopt(made["balance_transaction"])
        ending = self._behaviour(intent["payment_method"]).refunds
        status = "pending" if ending == "pending" else "succeeded"
        self._store.set_fields(made["id"], status=status, reason=params.get("reason"))
        if status == "succeeded":
            self._store.set_fields(made["id"], destination_details=_arrival(made["id"]))
        if ending != "succeeded":
            self._store.add_chore(f"refund_{ending}", made["id"], time.time() + self._settle_seconds)
        self._store.list_object(made["id"], "refund", intent["id"], made["created"])
        shown = await self.refund(made["id"])
        self._emit("refund.created", shown)
        self._emit("charge.refunded", await self.charge(intent["latest_charge"]))
        return shown

    def _refundable(self, charge: str) -> bool:
        """No dispute, only an inquiry, or one that was won: what was charged back cannot be refunded too."""
        dispute = self._store.fields(charge).get("_dispute")
        return dispute is None or str(self._store.fields(dispute)["status"]).startswith(("warning", "won"))

    async def refunds(self, payment_intent: str) -> list[Json]:
        """All refunds of one payment, the newest first."""
        idents = self._store.listed("refund", customer=payment_intent, created={}, after=None, limit=1000)
        return [await self.refund(ident) for ident in idents]

    async def finish_refund(self, kind: str, ident: str) -> None:
        """What the bank says of a refund a moment later."""
        if kind == "refund_pending":
            self._store.set_fields(ident, status="succeeded", destination_details=_arrival(ident))
        else:
            refund = await self.refund(ident)
            moved = self._move("refund_failure", refund["amount"], ident, category="refund_failure")
            self._store.set_fields(
                ident,
                status="failed",
                failure_reason="expired_or_canceled_card",
                failure_balance_transaction=moved["id"],
            )
            self._emit("refund.failed", await self.refund(ident))
        shown = await self.refund(ident)
        self._emit("refund.updated", shown)
        self._emit("charge.refund.updated", shown)


def _arrival(ident: str) -> Json:
    """By which number the cardholder's bank finds a refund: 23 digits (an ARN), the same for the same refund."""
    number = f"74{zlib.crc32(ident.encode()):021d}"
    card = {"type": "refund", "reference": number, "reference_status": "available"}
    return {"type": "card", "card": {**card, "reference_type": "acquirer_reference_number"}}
