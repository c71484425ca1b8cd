"""The payment run: claims that are due are decided in the order they came, and paid together in one 835 per payee."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from insurance.x12.names import Address, Name
from insurance.x12.next_payer import bill_next
from insurance.x12.segments import clean
from insurance.x12.x835_model import (
    Organisation,
    ProviderAdjustment,
    Reference,
    Remittance,
    RemittedClaim,
    RemittedLine,
    imbalances,
)
from insurance.x12.x837p_model import Claim, OtherPayer
from sandbox.insurers.adjudicate import Decision, adjudicate, served_on
from sandbox.insurers.books import Books, ClaimRow, payer_number
from sandbox.insurers.records import ZERO, Insurer, Member, Person

REVERSAL = "22"
FORWARDED = {"1": "19", "2": "20", "3": "21"}
"""CLP02 of a claim that was processed and sent on to the next insurer."""
FILING = frozenset({"13", "14", "15", "16", "AM", "CH", "DS", "HM", "LM", "MA", "MB", "MC", "OF", "TV", "VA", "WC"})
"""CLP06 knows these of SBR09's codes; commercial insurance and Blue plans are told as PPO (12)."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One 835 to be sent to the submitter who billed."""

    recipient: str
    remittance: Remittance


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A claim that this insurer sends on itself, as the next one gets it; answers go to the submitter who billed."""

    recipient: str
    payer_id: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Run:
    """What one payment run comes to."""

    payments: list[Payment]
    forwarded: list[Forwarded]


def run(
    books: Books,
    insurer: Insurer,
    *,
    now: str,
    on: date,
    claim_of: Callable[[ClaimRow], Claim],
    next_trace: Callable[[], int],
) -> Run:
    """Decide everything of this insurer that is due and make its payments. Must run inside one transaction.

    ``now`` is the stored form of the moment, ``on`` the business date; ``claim_of`` finds a row's 837 claim.
    Raises ``AssertionError`` when a payment of ours does not balance: that is a fault of this program.
    """
    piles: defaultdict[tuple[str, str], list[RemittedClaim]] = defaultdict(list)
    forwarded: list[Forwarded] = []
    payees: dict[tuple[str, str], Claim] = {}
    for row in books.due(insurer.payer_id, now):
        claim = claim_of(row)
        pile = (row.recipient, claim.billing.npi)
        payees[pile] = claim
        piles[pile] += _work(books, insurer, row, claim, forwarded, now=now, on=on, claim_of=claim_of)
    payments = []
    for pile, claims in piles.items():
        if not claims:
            continue
        remittance = _remittance(books, insurer, payees[pile], claims, on=on, trace=f"{next_trace():010d}")
        faults = imbalances(remittance)
        assert not faults, faults
        payments.append(Payment(pile[0], remittance))
    return Run(payments, forwarded)


def _work(
    books: Books,
    insurer: Insurer,
    row: ClaimRow,
    claim: Claim,
    forwarded: list[Forwarded],
    *,
    now: str,
    on: date,
    claim_of: Callable[[ClaimRow], Claim],
) -> list[RemittedClaim]:
    """Reverse what the claim replaces or voids, then decide it; what goes into the 835. What is sent on itself is
    added to ``forwarded``."""
    member = books.member(row.payer_id, row.member_key)
    told: list[RemittedClaim] = []
    if row.replaces is not None:
        former = books.claim(row.replaces)
        live = books.live_decision(former.number)
        if live is not None:
            decision_id, decision = live
            books.reverse(decision_id)
            told.append(_reversed(_remitted(insurer, member, former, claim_of(former), decision)))
        books.close(former.number, "reversed" if live else "withdrawn")
    if row.frequency == "8":
        books.close(row.number, "void")
        return told
    served = served_on(claim) or on
    decision = adjudicate(
        insurer,
        member,
        claim,
        served=served,
        received=row.received_on,
        used=books.used(member, member.plan.year_of(served)),
        duplicate=row.frequency == "1" and row.replaces is None and books.same_services(row),
    )
    books.decide(row.number, decision, now)
    result = _remitted(insurer, member, row, claim, decision)
    to = _next(insurer, member, claim, decision)
    if to is not None:
        onward = bill_next(claim, result, adjudicated_on=on, to=to, control_number=claim.control_number)
        forwarded.append(Forwarded(row.recipient, to.payer.identifier, onward))
        name = Name(clean(to.payer.name), qualifier="PI", identifier=to.payer.identifier)
        result = replace(result, status=FORWARDED[result.status], crossover=name)
    told.append(result)
    return told


def _next(insurer: Insurer, member: Member, claim: Claim, decision: Decision) -> OtherPayer | None:
    """The insurer that the claim is sent on to: the next one by this one's records, if it takes claims from here.

    Only what was processed and leaves something to the member goes on, as Medicare does it.
    """
    if not decision.client or not decision.allowed or decision.status not in FORWARDED:
        return None
    ranks = ("primary", "secondary", "tertiary")
    place = ranks.index(member.cob.rank) + 1 if member.cob.rank in ranks else len(ranks)
    after = next((other for other in member.cob.others if other.rank in ranks[place : place + 1]), None)
    if after is None or after.payer_id not in insurer.forwards_to:
        return None
    open_ones = (other for other in claim.other_payers if other.paid is None)
    return next((other for other in open_ones if other.payer.identifier == after.payer_id), None)


def _remitted(insurer: Insurer, member: Member, row: ClaimRow, claim: Claim, decision: Decision) -> RemittedClaim:
    lines = []
    for line, decided in zip(claim.lines, decision.lines, strict=True):
        lines.append(
            RemittedLine(
                procedure=line.procedure,
                modifiers=line.modifiers,
                charge=line.charge,
                paid=decided.paid,
                units=line.units,
                service_date=line.service_date,
                adjustments=decided.adjustments,
                control_number=line.control_number,
                amounts=(("B6", decided.allowed),) if decided.allowed else (),
            )
        )
    patient, subscriber = member.person, member.subscriber
    other = decision.corrected_payer
    served = [line.service_date for line in claim.lines if line.service_date is not None]
    rendering = claim.rendering
    return RemittedClaim(
        control_number=claim.control_number,
        status=decision.status,
        charge=claim.charge,
        paid=decision.paid,
        stated_responsibility=decision.client or None,
        payer_control_number=row.payer_number,
        filing_indicator=claim.filing_indicator if claim.filing_indicator in FILING else "12",
        place_of_service=claim.place_of_service,
        frequency=claim.frequency,
        patient=_person(patient, member),
        insured=None if member.relationship == "self" else _person(subscriber, member),
        rendering=Name(rendering.last, rendering.first, qualifier="XX", identifier=rendering.npi, person=True)
        if rendering
        else None,
        corrected_payer=Name(
            clean(other.payer_name), qualifier="PI" if other.payer_id else "", identifier=clean(other.payer_id)
        )
        if other
        else None,
        claim_remarks=decision.remarks,
        references=(Reference("F8", payer_number(row.payer_id, row.replaces)),) if row.replaces else (),
        dates=(
            *((("232", min(served)), ("233", max(served))) if served else ()),
            ("050", row.received_on),
        ),
        amounts=(("AU", decision.allowed),) if decision.allowed else (),
        lines=tuple(lines),
    )


def _person(person: Person, member: Member) -> Name:
    return Name(
        clean(person.last_name),
        clean(person.first_name),
        qualifier="MI",
        identifier=clean(member.card_id),
        person=True,
    )


def _reversed(claim: RemittedClaim) -> RemittedClaim:
    """The same claim taken back: status 22 and every amount with its sign turned."""
    return replace(
        claim,
        status=REVERSAL,
        charge=-claim.charge,
        paid=-claim.paid,
        stated_responsibility=None,
        amounts=(),
        lines=tuple(
            replace(
                line,
                charge=-line.charge,
                paid=-(line.paid or ZERO),
                amounts=(),
                adjustments=tuple(replace(each, amount=-each.amount) for each in line.adjustments),
            )
            for line in claim.lines
        ),
    )


def _remittance(
    books: Books, insurer: Insurer, billed: Claim, claims: list[RemittedClaim], *, on: date, trace: str
) -> Remittance:
    """One payment. It is never negative: what is left to take back is carried forward (PLB FB)."""
    billing = billed.billing
    owed = books.take_forwarded(insurer.payer_id, billing.npi)
    net = sum((claim.paid for claim in claims), ZERO) - owed
    adjustments = []
    if owed:
        adjustments.append(_carried(billing.npi, owed, on, trace))
    if net < 0:
        adjustments.append(_carried(billing.npi, net, on, trace))
        books.forward(insurer.payer_id, billing.npi, -net)
    amount = max(ZERO, net)
    return Remittance(
        amount=amount,
        method="ACH" if amount else "NON",
        handling="I" if amount else "H",
        payer=Organisation(
            clean(insurer.name),
            "XV",
            insurer.payer_id,
            address=Address("1 INSURANCE PLAZA", "HARTFORD", "CT", "06103"),
            references=(Reference("2U", insurer.payer_id),),
            contact="PROVIDER SERVICES",
            phone="".join(filter(str.isdigit, insurer.phone))[-10:],
        ),
        payee=Organisation(
            billing.name,
            "XX",
            billing.npi,
            address=billing.address,
            references=(Reference("TJ", billing.tax_id),) if billing.tax_id else (),
        ),
        trace=trace,
        originator=f"1{insurer.payer_id:0>9}"[:10],
        claims=tuple(claims),
        provider_adjustments=tuple(adjustments),
        paid_on=on,
        produced_on=on,
    )


def _carried(npi: str, amount: Decimal, on: date, trace: str) -> ProviderAdjustment:
    return ProviderAdjustment("FB", amount, trace, npi, date(on.year, 12, 31))
