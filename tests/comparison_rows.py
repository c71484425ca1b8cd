"""Comparisons of estimates with answers as rows, for tests of what is read from them."""

import hashlib
import json
import uuid
from decimal import Decimal
from itertools import count
from typing import Any

from billing.models import Comparison, SessionCost
from care.models import Session
from common import clock
from insurance.models import Adjudication, BenefitSnapshot, Coverage, EdiFile, Remittance
from tests.cast import benefits

D = Decimal
_numbers = count(1)


def told(coverage: Coverage, *, plan_name: str | None = None, copay: str | None = "25.00") -> BenefitSnapshot:
    """Benefits as a 271 told them."""
    said = benefits(copay=copay, coinsurance=None, plan_name=plan_name)
    return BenefitSnapshot.objects.create(
        coverage=coverage,
        source=BenefitSnapshot.Source.RESPONSE,
        effective_on=clock.today(),
        active=True,
        plan_begin=said.plan_begin,
        plan_end=said.plan_end,
        benefits=json.loads(json.dumps(said.to_json())),
    )


def answered(coverage: Coverage) -> Adjudication:
    """One result in a remittance of its own."""
    number = next(_numbers)
    raw = f"835 {uuid.uuid4()}".encode()
    file = EdiFile.objects.create(
        direction="in", kind="835", state="processed", raw=raw, sha256=hashlib.sha256(raw).hexdigest(),
        payload_id=uuid.uuid4(),
    )  # fmt: skip
    remittance = Remittance.objects.create(
        file=file, payer=coverage.payer, payer_name=coverage.payer.name, trace=f"CMP{number}", amount=D("120.00")
    )
    return Adjudication.objects.create(
        remittance=remittance, number=1, control_number=f"C{number}", status_code="1", charge=D("220.00"),
        paid=D("120.00"), client_responsibility=D("40.00"), explanation="You owe a copay of $40.00.",
    )  # fmt: skip


def compared(
    session: Session,
    coverage: Coverage,
    *,
    first: str,
    last: str,
    snapshot: BenefitSnapshot | None = None,
    estimate: str = "25.00",
    **columns: Any,
) -> Comparison:
    """An answer ``first`` dollars above what we estimated first, and ``last`` above what was in force."""
    parts = {"allowed": "160.00", "deductible": "0.00", "coinsurance": "0.00", "not_covered": "0.00"}
    cost = SessionCost.objects.create(
        session=session, coverage=coverage, amount=D(estimate), allowed=D("160.00"), basis="estimate", reason="first",
        breakdown={
            **parts, "copay": estimate, "plan": f"{D('160.00') - D(estimate):.2f}", "why": ["A copay of $25.00."],
            "verified": True, "payer": coverage.payer.name, "sentence": "", "for_provider": "",
        },
        snapshot=snapshot,
    )  # fmt: skip
    decided = D(estimate) + D(last)
    return Comparison.objects.create(
        adjudication=answered(coverage),
        session=session,
        coverage=coverage,
        estimate=cost,
        first_estimate=cost,
        predicted={**parts, "client": estimate, "copay": estimate},
        decided={**parts, "client": f"{decided:.2f}", "copay": f"{decided:.2f}"},
        difference=D(last),
        first_difference=D(first),
        **{"kind": "wrong_copay", "explanation": "The insurer took another copay.", **columns},
    )
