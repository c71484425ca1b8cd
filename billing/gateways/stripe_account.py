"""Our own account at Stripe: movements of the balance, payouts, disputes, early fraud warnings.

The other half of the door to Stripe (:mod:`billing.gateways.stripe_gateway`), with the same errors. Everything here is
read, but for the answer to a dispute.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import stripe

from billing.gateways.results import (
    AccountBalance,
    DisputeResult,
    DisputeState,
    Movement,
    PayoutResult,
    PayoutState,
    WarningResult,
)
from billing.gateways.stripe_gateway import CURRENCY, PAGE, Gateway, gateway, id_of, translated
from common.money import from_cents

_DISPUTE_STATES = {
    "warning_needs_response": DisputeState.WARNING,
    "warning_under_review": DisputeState.WARNING,
    "warning_closed": DisputeState.WARNING_CLOSED,
    "prevented": DisputeState.WARNING_CLOSED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


class Account:
    """The account that a :class:`Gateway`'s key opens."""

    def __init__(self, gate: Gateway) -> None:
        self._stripe = gate.client.v1

    # The balance

    def balance(self) -> AccountBalance:
        """What Stripe holds for us now, in dollars."""
        with translated():
            found = self._stripe.balance.retrieve()
        return AccountBalance(available=_in_dollars(found.available), pending=_in_dollars(found.pending))

    def movements(self, *, since: datetime | None = None, payout: str | None = None) -> Iterator[Movement]:
        """Every movement of the balance, the newest first, page by page; ``since`` is inclusive.

        With ``payout``, those that this automatic payout brought to the bank, itself included.
        """
        params: Any = {"limit": PAGE, "expand": ["data.source"], **_created(since)}
        if payout is not None:
            params["payout"] = payout
        with translated():
            for found in self._stripe.balance_transactions.list(params).auto_paging_iter():
                yield _movement(found)

    # Payouts

    def payout(self, payout: str) -> PayoutResult:
        """One payout as it stands now."""
        with translated():
            return _payout(self._stripe.payouts.retrieve(payout))

    def payouts(self, *, since: datetime | None = None) -> Iterator[PayoutResult]:
        """Payouts made since a moment, the newest first."""
        params: Any = {"limit": PAGE, **_created(since)}
        with translated():
            for found in self._stripe.payouts.list(params).auto_paging_iter():
                yield _payout(found)

    # Disputes

    def dispute(self, dispute: str) -> DisputeResult:
        """One dispute as it stands now."""
        with translated():
            return _dispute(self._stripe.disputes.retrieve(dispute))

    def disputes(self, *, since: datetime | None = None) -> Iterator[DisputeResult]:
        """Disputes opened since a moment, the newest first."""
        params: Any = {"limit": PAGE, **_created(since)}
        with translated():
            for found in self._stripe.disputes.list(params).auto_paging_iter():
                yield _dispute(found)

    def answer_dispute(self, dispute: str, *, evidence: Mapping[str, str], submit: bool, key: str) -> DisputeResult:
        """Hand in evidence by Stripe's field names. ``submit`` sends it to the bank: once, and for good."""
        params: Any = {"evidence": dict(evidence), "submit": submit}
        with translated():
            return _dispute(self._stripe.disputes.update(dispute, params, {"idempotency_key": key}))

    def upload_evidence(self, content: bytes, *, name: str, key: str) -> str:
        """Give Stripe a PDF for an answer to a dispute; returns the file's id, to be named in the evidence."""
        file = BytesIO(content)
        file.name = name
        with translated():
            made = self._stripe.files.create({"purpose": "dispute_evidence", "file": file}, {"idempotency_key": key})
        return made.id

    # Early fraud warnings

    def warning(self, warning: str) -> WarningResult:
        """One early fraud warning as it stands now."""
        with translated():
            return _warning(self._stripe.radar.early_fraud_warnings.retrieve(warning))

    def warnings(self, *, since: datetime | None = None) -> Iterator[WarningResult]:
        """Early fraud warnings that came since a moment, the newest first."""
        params: Any = {"limit": PAGE, **_created(since)}
        with translated():
            for found in self._stripe.radar.early_fraud_warnings.list(params).auto_paging_iter():
                yield _warning(found)


def account() -> Account:
    """The account that settings name."""
    return Account(gateway())


def _created(since: datetime | None) -> dict[str, Any]:
    return {} if since is None else {"created": {"gte": int(since.timestamp())}}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _day(seconds: int) -> date:
    """Stripe gives days as their midnight in UTC."""
    return _moment(seconds).date()


def _in_dollars(parts: Any) -> Any:
    return from_cents(sum(part.amount for part in parts if part.currency == CURRENCY))


def _movement(found: stripe.BalanceTransaction) -> Movement:
    source: Any = found.source
    is_charge = source is not None and not isinstance(source, str) and source["object"] == "charge"
    return Movement(
        id=found.id,
        kind=found.type,
        amount=from_cents(found.amount),
        fee=from_cents(found.fee),
        net=from_cents(found.net),
        created=_moment(found.created),
        available_on=_day(found.available_on),
        source=id_of(source),
        payment_intent=id_of(source["payment_intent"]) if is_charge else None,
    )


def _payout(found: stripe.Payout) -> PayoutResult:
    return PayoutResult(
        state=PayoutState(found.status),
        payout=found.id,
        amount=from_cents(found.amount),
        arrives_on=_day(found.arrival_date),
        created=_moment(found.created),
    )


def _dispute(found: stripe.Dispute) -> DisputeResult:
    due = found.evidence_details.due_by if found.evidence_details is not None else None
    movements = sorted(map(_movement, found.balance_transactions), key=lambda each: each.created)
    return DisputeResult(
        state=_DISPUTE_STATES.get(found.status, DisputeState.UNDER_REVIEW),
        dispute=found.id,
        amount=from_cents(found.amount),
        reason=found.reason,
        payment_intent=id_of(found.payment_intent),
        evidence_due=None if due is None else _moment(due),
        created=_moment(found.created),
        movements=tuple(movements),
    )


def _warning(found: Any) -> WarningResult:
    return WarningResult(
        warning=found.id,
        kind=found.fraud_type,
        actionable=found.actionable,
        payment_intent=id_of(getattr(found, "payment_intent", None)),
        charge=id_of(found.charge),
        created=_moment(found.created),
    )
