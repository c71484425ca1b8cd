"""Disputes and early fraud warnings: opened by test cards or on request, answered with evidence, ended by the bank."""

import secrets
import time
from typing import Any

from sandbox.stripe.balance import day_of
from sandbox.stripe.engine import Json, Refusal
from sandbox.stripe.objects import check, integer, true
from sandbox.stripe.payments import Payments

DISPUTE_FEE_CENTS = 1500
DAYS_TO_ANSWER = 9
ANSWERABLE = ("needs_response", "warning_needs_response")
OUTCOMES = ("won", "lost", "warning_closed")
REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
EVIDENCE = {
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
}  # fmt: skip
FILES = {"receipt", "service_documentation", "customer_communication", "customer_signature", "uncategorized_file"}
_TEXT_LIMIT = 150_000
_ENDINGS = {"winning_evidence": "won", "losing_evidence": "lost"}


class Disputes(Payments):
    """All operations: payments and refunds, and what banks do about them afterwards."""

    # What test cards and chores bring about

    async def chore(self, kind: str, ident: str) -> None:
        """Something that was to happen a moment later."""
        name, _, detail = kind.partition(":")
        if name == "dispute":
            await self.open_dispute({"payment_intent": ident, "reason": detail})
        elif name == "inquiry":
            await self.open_dispute({"payment_intent": ident, "reason": detail, "inquiry": True})
        elif name == "warning":
            await self.open_warning({"payment_intent": ident})
        elif name == "dispute_ends":
            await self.end_dispute({"dispute": ident, "outcome": detail})
        elif name in ("payout_paid", "payout_fails"):
            await self.end_payout(ident, fails=name == "payout_fails")
        elif name == "daily_payout":
            await self.daily_payout()
        else:
            await self.finish_refund(kind, ident)

    # Disputes

    async def dispute(self, ident: str) -> Json:
        found = self._store.fields(ident)
        if found.get("object") != "dispute":
            raise Refusal(404, f"No such dispute: '{ident}'", code="resource_missing", param="id")
        moved = [await self.balance_transaction(each) for each in found["_moved"]]
        shown = {name: value for name, value in found.items() if not name.startswith("_")}
        return {**shown, "balance_transactions": moved}

    async def _other_source(self, ident: str) -> Any:
        return await self.dispute(ident) if ident.startswith("dp_") else ident

    async def open_dispute(self, params: Json) -> Json:
        """A cardholder goes to her bank: ``payment_intent``; ``reason``, ``amount`` and ``inquiry`` may be given."""
        check(params, {"payment_intent", "reason", "amount", "inquiry"}, ("payment_intent",))
        intent = await self.payment_intent(params["payment_intent"])
        if intent["status"] != "succeeded":
            raise Refusal(400, "Only a payment that succeeded can be disputed.", param="payment_intent")
        reason = params.get("reason") or "fraudulent"
        if reason not in REASONS:
            raise Refusal(400, f"reason is one of {', '.join(REASONS)}", param="reason")
        if await self._dispute_of(intent["latest_charge"]) is not None:
            raise Refusal(400, "This payment is disputed already.", param="payment_intent")
        amount = integer(params, "amount") if params.get("amount") else await self._left(intent)
        if not 0 < amount <= intent["amount"]:
            raise Refusal(400, "Nothing is left to dispute, or more is disputed than was paid.", param="amount")
        now, inquiry = int(time.time()), true(params.get("inquiry"))
        ident = f"dp_{secrets.token_hex(12)}"
        self._store.set_fields(
            ident,
            id=ident,
            object="dispute",
            amount=amount,
            charge=intent["latest_charge"],
            created=now,
            currency="usd",
            evidence=dict.fromkeys(sorted(EVIDENCE)),
            evidence_details={
                "due_by": day_of(now) + (DAYS_TO_ANSWER + 1) * 86400 - 1,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            is_charge_refundable=inquiry,
            livemode=False,
            metadata={},
            payment_intent=intent["id"],
            reason=reason,
            status="warning_needs_response" if inquiry else "needs_response",
            _moved=[],
        )
        self._store.list_object(ident, "dispute", intent["id"], now)
        self._store.set_fields(intent["latest_charge"], disputed=True, _dispute=ident)
        if not inquiry:
            self._withdraw(ident, DISPUTE_FEE_CENTS)
        shown = await self.dispute(ident)
        self._emit("charge.dispute.created", shown)
        if not inquiry:
            self._emit("charge.dispute.funds_withdrawn", shown)
        return shown

    async def _dispute_of(self, charge: str) -> Json | None:
        ident = self._store.fields(charge).get("_dispute")
        return await self.dispute(ident) if ident else None

    async def _left(self, intent: Json) -> int:
        earlier = await self.refunds(intent["id"])
        back = sum(one["amount"] for one in earlier if one["status"] not in ("failed", "canceled"))
        left: int = intent["amount"] - back
        return left

    def _withdraw(self, ident: str, fee: int) -> None:
        found = self._store.fields(ident)
        words = f"Chargeback withdrawal for {found['charge']}"
        moved = self._move("adjustment", -found["amount"], ident, category="dispute", fee=fee, description=words)
        self._store.set_fields(ident, _moved=[*found["_moved"], moved["id"]])

    def _reinstate(self, ident: str) -> None:
        found = self._store.fields(ident)
        words = f"Chargeback reversal for {found['charge']}"
        moved = self._move("adjustment", found["amount"], ident, category="dispute_reversal", description=words)
        self._store.set_fields(ident, _moved=[*found["_moved"], moved["id"]])

    async def update_dispute(self, ident: str, params: Json) -> Json:
        """Evidence, kept or (``submit``, Stripe's default) sent to the bank.

        The texts ``winning_evidence`` and ``losing_evidence`` decide the dispute (docs.stripe.com/testing#disputes).
        """
        check(params, {"evidence", "submit", "metadata", "expand"})
        found = await self.dispute(ident)
        if found["status"] not in ANSWERABLE:
            raise Refusal(400, "This dispute is already closed or under review.", code="dispute_not_answerable")
        given = params.get("evidence") or {}
        check(given, EVIDENCE)
        for name in FILES & set(given):
            if self._store.fields(str(given[name])).get("object") != "file":
                raise Refusal(400, f"No such file upload: '{given[name]}'", code="resource_missing", param=name)
        if sum(len(str(value)) for name, value in given.items() if name not in FILES) > _TEXT_LIMIT:
            raise Refusal(400, "The evidence has more than 150,000 characters.", param="evidence")
        details = {**found["evidence_details"], "has_evidence": True}
        changed: Json = {"evidence": {**found["evidence"], **given}}
        if params.get("submit") is None or true(params["submit"]):
            details["submission_count"] += 1
            asked = found["status"] == "warning_needs_response"
            changed["status"] = "warning_under_review" if asked else "under_review"
            ending = _ENDINGS.get(str(changed["evidence"]["uncategorized_text"]))
            if ending:
                self._store.add_chore(f"dispute_ends:{ending}", ident, time.time() + self._settle_seconds)
        self._store.set_fields(ident, **changed, evidence_details=details)
        shown = await self.dispute(ident)
        self._emit("charge.dispute.updated", shown)
        return shown

    async def close_dispute(self, ident: str, params: Json) -> Json:
        """We give in: as good as lost."""
        check(params, {"expand"})
        return await self.end_dispute({"dispute": ident, "outcome": "lost"})

    async def end_dispute(self, params: Json) -> Json:
        """The bank decides, or decides anew: ``dispute``, ``outcome`` (``won``, ``lost``, ``warning_closed``)."""
        check(params, {"dispute", "outcome"}, ("dispute", "outcome"))
        ident, outcome = str(params["dispute"]), params["outcome"]
        if outcome not in OUTCOMES:
            raise Refusal(400, f"outcome is one of {', '.join(OUTCOMES)}", param="outcome")
        before = await self.dispute(ident)
        if before["status"] == outcome:
            return before
        inquiry = before["status"].startswith("warning")
        if inquiry != (outcome == "warning_closed"):
            raise Refusal(400, "An inquiry is closed with warning_closed, a dispute with won or lost.", param="outcome")
        if outcome == "won":
            self._reinstate(ident)
        elif before["status"] == "won":
            self._withdraw(ident, 0)
        self._store.set_fields(ident, status=outcome)
        self._store.set_fields(before["charge"], disputed=outcome != "warning_closed")
        shown = await self.dispute(ident)
        self._emit("charge.dispute.closed", shown)
        if outcome == "won":
            self._emit("charge.dispute.funds_reinstated", shown)
        return shown

    # Files

    async def create_file(self, params: Json) -> Json:
        """A file for an answer; its name, size and SHA-256 are kept."""
        check(params, {"purpose", "file", "expand"}, ("purpose", "file"))
        if params["purpose"] != "dispute_evidence" or not isinstance(params["file"], dict):
            raise Refusal(400, "Only files with the purpose dispute_evidence are taken here.", param="purpose")
        ident = f"file_{secrets.token_hex(12)}"
        made = {"id": ident, "object": "file", "created": int(time.time()), "expires_at": None, "title": None,
                "purpose": params["purpose"], **params["file"]}  # fmt: skip
        self._store.set_fields(ident, **made)
        return made

    # Early fraud warnings

    async def open_warning(self, params: Json) -> Json:
        """The card network reports fraud: ``payment_intent``; ``fraud_type`` may be given."""
        check(params, {"payment_intent", "fraud_type"}, ("payment_intent",))
        intent = await self.payment_intent(params["payment_intent"])
        if intent["status"] != "succeeded":
            raise Refusal(400, "Only a payment that succeeded can be reported.", param="payment_intent")
        ident, now = f"issfr_{secrets.token_hex(12)}", int(time.time())
        self._store.set_fields(
            ident,
            id=ident,
            object="radar.early_fraud_warning",
            charge=intent["latest_charge"],
            created=now,
            fraud_type=params.get("fraud_type") or "made_with_stolen_card",
            livemode=False,
            payment_intent=intent["id"],
        )
        self._store.list_object(ident, "early_fraud_warning", intent["id"], now)
        shown = await self.warning(ident)
        self._emit("radar.early_fraud_warning.created", shown)
        return shown

    async def warning(self, ident: str) -> Json:
        found = self._store.fields(ident)
        if found.get("object") != "radar.early_fraud_warning":
            raise Refusal(404, f"No such early fraud warning: '{ident}'", code="resource_missing", param="id")
        intent = await self.payment_intent(found["payment_intent"])
        disputed = await self._dispute_of(found["charge"]) is not None
        return {**found, "actionable": not disputed and await self._left(intent) > 0}
