"""Our account's balance: every movement with its fee, and payouts to the bank.

localstripe writes a movement for a charge and for a refund, without fees. The list that is shown is kept here, and has
all the others too: disputes, refunds that came back, payouts and payouts that failed.
"""

import contextlib
import secrets
import time
from typing import Any

from sandbox.stripe.engine import Json, Refusal
from sandbox.stripe.objects import Objects

FEE_RATE_PER_MILLE = 29
FEE_FIXED_CENTS = 30
PENDING_SECONDS = 2 * 86400
"""How long the money of a charge is on its way: two days in the United States."""

_DAY = 86400
_PAYOUT_HOUR = 7 * 3600
_EVERYTHING = 1_000_000


def day_of(at: float) -> int:
    """The midnight (UTC) that a moment's day began with; Stripe gives days so."""
    return int(at) // _DAY * _DAY


class Balance(Objects):
    """Movements and payouts. A movement is never changed; which payout took it is noted beside it."""

    # Movements

    async def adopt_movements(self) -> None:
        """Take over what localstripe has written and this list has not, from a folder of an earlier version."""
        known = set(self._movements())
        listed = await self._engine.get("balance_transactions", limit=str(_EVERYTHING))
        for found in reversed(listed["data"]):
            if found["id"] not in known:
                self._keep(found)

    def _movements(self) -> list[str]:
        return self._store.listed("balance_transaction", customer=None, created={}, after=None, limit=_EVERYTHING)

    async def _adopt(self, ident: str) -> None:
        """Put the movement of a fresh charge or refund on the list."""
        self._keep(await self._engine.get(f"balance_transactions/{ident}"))

    def _keep(self, found: Json) -> Json:
        """2.9 % and 30 cents of a US card's charge are Stripe's; a refund gives none of it back."""
        fee = 0
        if found["type"] == "charge":
            fee = (found["amount"] * FEE_RATE_PER_MILLE + 500) // 1000 + FEE_FIXED_CENTS
        pending = PENDING_SECONDS if found["type"] == "charge" else 0
        return self._list_movement({**found, "available_on": day_of(found["created"] + pending)}, fee)

    def _move(self, kind: str, amount: int, source: str, *, category: str, fee: int = 0, description: str = "") -> Json:
        """A movement that localstripe knows nothing of, in signed cents."""
        now = int(time.time())
        found = {
            "id": f"txn_{secrets.token_hex(12)}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": day_of(now),
            "created": now,
            "currency": "usd",
            "description": description or None,
            "exchange_rate": None,
            "reporting_category": category,
            "source": source,
            "type": kind,
        }
        return self._list_movement(found, fee)

    def _list_movement(self, found: Json, fee: int) -> Json:
        shown = {name: value for name, value in found.items() if name not in ("metadata", "livemode", "status")}
        details = [{"amount": fee, "currency": "usd", "type": "stripe_fee", "description": "Stripe processing fees"}]
        shown |= {"fee": fee, "fee_details": details if fee else [], "net": found["amount"] - fee}
        self._store.set_fields(found["id"], **shown)
        self._store.list_object(found["id"], "balance_transaction", None, found["created"])
        return shown

    async def balance_transaction(self, ident: str) -> Json:
        found = self._store.fields(ident)
        if found.get("object") != "balance_transaction":
            raise Refusal(404, f"No such balance transaction: '{ident}'", code="resource_missing", param="id")
        status = "available" if found["available_on"] <= time.time() else "pending"
        return {**{name: value for name, value in found.items() if not name.startswith("_")}, "status": status}

    async def with_source(self, ident: str) -> Json:
        """A movement with the object it comes from in full (``expand[]=data.source``)."""
        found = await self.balance_transaction(ident)
        source = found["source"]
        kinds = {"ch_": self.charge, "re_": self.refund, "po_": self.payout}
        show = kinds.get(str(source)[:3])
        return {**found, "source": await show(source) if show else await self._other_source(source)}

    async def _other_source(self, ident: str) -> Any:
        return ident

    async def balance(self, _: Json) -> Json:
        """What is held now: available, and pending."""
        now = time.time()
        sums = {True: 0, False: 0}
        for ident in self._movements():
            one = self._store.fields(ident)
            sums[one["available_on"] <= now] += one["net"]

        def part(amount: int) -> list[Json]:
            return [{"amount": amount, "currency": "usd", "source_types": {"card": amount}}]

        return {"object": "balance", "livemode": False, "available": part(sums[True]), "pending": part(sums[False])}

    # Payouts

    async def payout(self, ident: str) -> Json:
        found = self._store.fields(ident)
        if found.get("object") != "payout":
            raise Refusal(404, f"No such payout: '{ident}'", code="resource_missing", param="id")
        return {name: value for name, value in found.items() if not name.startswith("_")}

    def movements_of(self, payout: str) -> list[str]:
        """Ids of the movements that a payout brought to the bank, the newest first, itself among them."""
        return [ident for ident in self._movements() if self._store.fields(ident).get("_payout") == payout]

    async def pay_out(self, *, everything: bool, fails: bool = False) -> Json:
        """Send the balance to the bank: what is available, or ``everything``. Raises :class:`Refusal` for nothing."""
        now = time.time()
        taken = []
        amount = 0
        for ident in self._movements():
            one = self._store.fields(ident)
            if one.get("_payout") is None and one["type"] != "payout" and (everything or one["available_on"] <= now):
                taken.append(ident)
                amount += one["net"]
        if amount == 0:
            raise Refusal(400, "There is nothing to pay out.", code="balance_insufficient")
        ident = f"po_{secrets.token_hex(12)}"
        moved = self._move("payout", -amount, ident, category="payout", description="STRIPE PAYOUT")
        for one_taken in [*taken, moved["id"]]:
            self._store.set_fields(one_taken, _payout=ident, available_on=min(day_of(now), self._due(one_taken)))
        self._store.set_fields(
            ident,
            id=ident,
            object="payout",
            amount=amount,
            arrival_date=day_of(now) + _DAY,
            automatic=True,
            balance_transaction=moved["id"],
            created=int(now),
            currency="usd",
            description="STRIPE PAYOUT",
            destination="ba_stand_in",
            failure_balance_transaction=None,
            failure_code=None,
            failure_message=None,
            livemode=False,
            metadata={},
            method="standard",
            reconciliation_status="completed",
            source_type="card",
            status="in_transit",
            type="bank_account",
        )
        self._store.list_object(ident, "payout", None, int(now))
        self._store.add_chore("payout_fails" if fails else "payout_paid", ident, now + self._settle_seconds)
        shown = await self.payout(ident)
        self._emit("payout.created", shown)
        return shown

    def _due(self, ident: str) -> int:
        return int(self._store.fields(ident)["available_on"])

    async def end_payout(self, ident: str, *, fails: bool) -> Json:
        """What the bank says of a payout: there, or sent back, which may also come after it was there."""
        before = await self.payout(ident)
        if before["status"] == "failed":
            return before
        if fails:
            moved = self._move("payout_failure", before["amount"], ident, category="payout_reversal")
            words = "The bank account has been closed."
            self._store.set_fields(
                ident, status="failed", failure_code="account_closed", failure_message=words,
                failure_balance_transaction=moved["id"],
            )  # fmt: skip
        else:
            self._store.set_fields(ident, status="paid")
        shown = await self.payout(ident)
        self._emit("payout.failed" if fails else "payout.paid", shown)
        return shown

    def plan_daily_payout(self) -> None:
        """The next morning's payout, unless one is planned."""
        if not self._store.has_chore("daily_payout"):
            now = time.time()
            due = day_of(now) + _PAYOUT_HOUR
            self._store.add_chore("daily_payout", "", due if due > now else due + _DAY)

    async def daily_payout(self) -> None:
        with contextlib.suppress(Refusal):  # a day without anything available
            await self.pay_out(everything=False)
