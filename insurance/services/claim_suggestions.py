"""Which of our claims an insurer may have meant, by a number that is not ours or for money that it keeps back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from insurance.models import Adjudication, Claim, Coverage, ProviderAdjustment
from insurance.services.remittances import as_said

MOST = 10
LOOKED_AT = 200
"""Claims held against one result at most; the newest sessions first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim that may be meant, and what speaks for it; ``weight``: the more, the likelier."""

    claim: Claim
    why: tuple[str, ...]
    weight: int


def near(number: str) -> set[str]:
    """Our claim numbers from which ``number`` differs by one slip: a wrong or swapped digit, lost zeros or letters."""
    digits = re.sub(r"\D", "", number)[-10:]
    if not digits:
        return set()
    full = digits.zfill(10)
    found = {full}
    for place, said in enumerate(full):
        found |= {full[:place] + digit + full[place + 1 :] for digit in "0123456789" if digit != said}
        if place:
            found.add(full[: place - 1] + said + full[place - 1] + full[place + 1 :])
    # A digit lost, or one too many.
    found |= {(full[1:place] + digit + full[place:])[-10:] for place in range(1, 11) for digit in "0123456789"}
    found |= {("0" + full[:place] + full[place + 1 :])[-10:] for place in range(10)}
    return {f"HW{each}" for each in found}


def candidates(adjudication: Adjudication) -> list[Candidate]:
    """Claims that a result without one may answer, the likeliest first, at most :data:`MOST`. Five queries."""
    said = as_said(adjudication)
    member = said.member_id.strip().upper() if said else ""
    patient = said.patient.full.upper() if said and said.patient else ""
    days = {line.date for line in adjudication.lines.all() if line.date is not None}
    numbers = near(adjudication.control_number)
    payer = adjudication.remittance.payer_id
    plans = _plans_of(member, payer)
    meant = Q(control_number__in=numbers)
    if days:
        meant |= Q(session__date__in=days, charge=abs(adjudication.charge))
        meant |= Q(coverage__in=plans, session__date__in=days)
    if plans:
        meant |= Q(coverage__in=plans, charge=abs(adjudication.charge))
    if adjudication.payer_control_number:
        meant |= Q(payer_control_number=adjudication.payer_control_number)
    rows = Claim.objects.filter(meant, submitted_at__isnull=False).exclude(frequency=Claim.VOID)
    if payer is not None:
        rows = rows.filter(coverage__payer=payer)
    rows = rows.select_related("session__client", "coverage__payer").order_by("-session__date", "-pk")
    found = [
        _weigh(claim, adjudication, numbers=numbers, plans=plans, days=days, patient=patient)
        for claim in rows[:LOOKED_AT]
    ]
    return sorted(found, key=lambda each: (-each.weight, -each.claim.pk))[:MOST]


def _plans_of(member: str, payer: int | None) -> set[int]:
    if not member:
        return set()
    rows = Coverage.objects.filter(member_id_last4=member[-4:])
    if payer is not None:
        rows = rows.filter(payer=payer)
    return {plan.pk for plan in rows if plan.member_id == member}


def _weigh(
    claim: Claim, result: Adjudication, *, numbers: set[str], plans: Iterable[int], days: Iterable[date], patient: str
) -> Candidate:
    client = claim.session.client
    reasons = [
        (4, claim.control_number in numbers, _("the claim number is almost the same")),
        (
            4,
            bool(result.payer_control_number) and claim.payer_control_number == result.payer_control_number,
            _("the insurer's own number is the same"),
        ),
        (3, claim.coverage_id in plans, _("the member is the same")),
        (1, bool(patient) and client.last_name.upper() in patient, _("the name is the same")),
        (2, claim.session.date in days, _("the day is the same")),
        (1, claim.charge == abs(result.charge), _("the charge is the same")),
        (1, claim.decision == Claim.Decision.NONE, _("it waits for an answer")),
    ]
    holding = [(weight, words) for weight, holds, words in reasons if holds]
    return Candidate(claim, tuple(words for _weight, words in holding), sum(weight for weight, _words in holding))


def claims_named(adjustment: ProviderAdjustment) -> QuerySet[Claim]:
    """Our claims that the reference of a provider-level amount names: by the insurer's number, or by ours."""
    reference = adjustment.reference.strip()
    if not reference:
        return Claim.objects.none()
    named = Q(payer_control_number=reference) | Q(control_number=reference)
    named |= Q(adjudications__payer_control_number=reference)
    rows = Claim.objects.filter(named).exclude(frequency=Claim.VOID)
    if adjustment.remittance.payer_id is not None:
        rows = rows.filter(coverage__payer=adjustment.remittance.payer_id)
    return rows.select_related("session__client", "session__provider", "coverage__payer").distinct().order_by("pk")
