"""One claim in, one decision out, as an insurer's claim department makes it. Pure: books and dates are handed in."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from insurance.x12.adjustments import Adjustment, total
from insurance.x12.x837p_model import Claim, ServiceLine
from sandbox.insurers.records import ZERO, Cob, Insurer, Member, OtherCover, Used
from sandbox.insurers.second import Before, before, second_payment, spread
from sandbox.insurers.shares import Share, benefit_for, room, share_of

PROCESSED = {"primary": "1", "secondary": "2", "tertiary": "3"}
_TAXONOMY = (
    ("103T", "PSYCHOLOGIST"),
    ("1041C0700X", "LCSW"),
    ("101YM0800X", "LPC"),
    ("106H00000X", "LMFT"),
    ("2084", "MD"),
    ("363LP0808X", "PMHNP"),
)


@dataclass(frozen=True, slots=True)
class LineDecision:
    """One line: ``charge = paid + sum(adjustments)``. ``allowed`` is the insurer's own rate, 0 where it has none."""

    allowed: Decimal
    paid: Decimal
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the insurer decided, and what that adds to the member's year."""

    status: str
    lines: tuple[LineDecision, ...]
    plan_year: date
    adds: Used = field(default_factory=Used)
    remarks: tuple[str, ...] = ()
    corrected_payer: OtherCover | None = None

    @property
    def paid(self) -> Decimal:
        return sum((line.paid for line in self.lines), ZERO)

    @property
    def allowed(self) -> Decimal:
        return sum((line.allowed for line in self.lines), ZERO)

    @property
    def client(self) -> Decimal:
        return total((each for line in self.lines for each in line.adjustments), "PR")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is paid, for one reason."""

    group: str
    code: str
    remarks: tuple[str, ...] = ()
    corrected_payer: OtherCover | None = None


def served_on(claim: Claim) -> date | None:
    """First date of service; ``None`` when no line has one."""
    return min((line.service_date for line in claim.lines if line.service_date is not None), default=None)


def adjudicate(
    insurer: Insurer, member: Member, claim: Claim, *, served: date, received: date, used: Used, duplicate: bool
) -> Decision:
    """Decide ``claim``.

    ``served`` is its first date of service, ``used`` what the member's plan year shows before it, ``duplicate``
    whether the books hold the same services already.
    """
    plan_year = member.plan.year_of(served)
    first = before(claim)
    rank = _rank(claim, member.cob, first)
    refusal = _refusal(insurer, member, claim, served=served, received=received, first=first, duplicate=duplicate)
    if refusal is not None:
        lines = tuple(
            LineDecision(ZERO, ZERO, (Adjustment(refusal.group, refusal.code, line.charge),)) for line in claim.lines
        )
        return Decision(
            PROCESSED[rank], lines, plan_year, remarks=refusal.remarks, corrected_payer=refusal.corrected_payer
        )
    work = _Work(insurer, member, claim, used, first if rank != "primary" else None)
    return Decision(PROCESSED[rank], work.lines(), plan_year, adds=work.adds)


def allowed_rate(insurer: Insurer, claim: Claim, line: ServiceLine) -> Decimal | None:
    """The contracted amount for the line's units, at most its charge; ``None`` when no rate is on file."""
    rendering = line.rendering or claim.rendering
    npi = rendering.npi if rendering else claim.billing.npi
    taxonomy = rendering.taxonomy if rendering else claim.billing.taxonomy
    licence = insurer.licences.get(npi) or next((name for start, name in _TAXONOMY if taxonomy.startswith(start)), "*")
    rates = {fee.licence: fee.allowed for fee in insurer.fees if fee.cpt == line.procedure}
    rate = rates.get(licence, rates.get("*"))
    if rate is None:
        return None
    return min(rate * (Decimal(1) if line.units is None else line.units), line.charge)


def _rank(claim: Claim, cob: Cob, first: list[Before] | None) -> str:
    """The place this insurer takes. One that has positively put itself first pays first whatever the claim says."""
    if first is None:
        return {"S": "secondary", "T": "tertiary"}.get(claim.rank, "primary")
    if cob.rank == "primary" and cob.others:
        return "primary"
    return "tertiary" if claim.rank == "T" or cob.rank == "tertiary" else "secondary"


def _refusal(
    insurer: Insurer,
    member: Member,
    claim: Claim,
    *,
    served: date,
    received: date,
    first: list[Before] | None,
    duplicate: bool,
) -> Refusal | None:
    plan = member.plan
    if not plan.covers(served):
        return Refusal("PR", "26" if served < plan.effective else "27")
    if member.cob.rank == "unresolved":
        return Refusal("CO", "22", ("N197",))
    if first is None and member.cob.rank in ("secondary", "tertiary"):
        primary = next((other for other in member.cob.others if other.rank == "primary"), None)
        return Refusal("CO", "22", ("N598",), primary)
    if first is None and claim.rank != "P":
        return Refusal("CO", "16", ("MA04",))
    if insurer.filing_limit_days is not None and (received - _clock_starts(claim, served)).days > (
        insurer.filing_limit_days
    ):
        return Refusal("CO", "29")
    if duplicate:
        return Refusal("OA", "18")
    rendering = claim.rendering.npi if claim.rendering else claim.billing.npi
    if rendering in insurer.not_credentialed:
        return Refusal("CO", "B7")
    if plan.authorization_required and not claim.prior_authorization:
        return Refusal("CO", "197")
    return None


def _clock_starts(claim: Claim, served: date) -> date:
    """Timely filing runs from the service, for a later payer from the last earlier payer's decision."""
    days = [other.adjudicated_on for other in claim.other_payers]
    days += [prior.adjudicated_on for line in claim.lines for prior in line.prior]
    return max([day for day in days if day is not None], default=served)


class _Work:
    """The sums of one claim: visits in order, then lines."""

    def __init__(self, insurer: Insurer, member: Member, claim: Claim, used: Used, first: list[Before] | None) -> None:
        self.insurer, self.member, self.claim, self.first = insurer, member, claim, first
        self.adds = Used()
        self._used = used
        self._rates = [allowed_rate(insurer, claim, line) for line in claim.lines]
        self._refused = {
            index: ("CO", "147") if rate is None else ("PR", "204")
            for index, (line, rate) in enumerate(zip(claim.lines, self._rates, strict=True))
            if rate is None or line.procedure in member.plan.not_covered
        }
        self._covered = [index for index in range(len(claim.lines)) if index not in self._refused]

    def lines(self) -> tuple[LineDecision, ...]:
        shares = self._visits()
        parts = self._second(shares) if self.first is not None else self._alone(shares)
        decided = []
        for index, line in enumerate(self.claim.lines):
            if index in self._refused:
                decided.append(self._refuse(index, line))
                continue
            paid, adjustments = parts[index]
            rate = self._rates[index] or ZERO
            decided.append(LineDecision(rate, paid, tuple(each for each in adjustments if each.amount)))
        return tuple(decided)

    def _refuse(self, index: int, line: ServiceLine) -> LineDecision:
        group, code = self._refused[index]
        if self.first is None:
            return LineDecision(ZERO, ZERO, (Adjustment(group, code, line.charge),))
        left = self.first[index].left_to_member
        told = (Adjustment("OA", "23", line.charge - left), Adjustment(group, code, left))
        return LineDecision(ZERO, ZERO, tuple(each for each in told if each.amount))

    def _visits(self) -> list[tuple[list[int], Share, Decimal]]:
        """Per date of service: its covered lines, the member's share, the part the share is of."""
        days: defaultdict[date, list[int]] = defaultdict(list)
        for index in self._covered:
            days[self.claim.lines[index].service_date or date.min].append(index)
        return [(days[day], *self._share(days[day])) for day in sorted(days)]

    def _share(self, indexes: list[int]) -> tuple[Share, Decimal]:
        allowed = sum((self._rates[index] or ZERO for index in indexes), ZERO)
        line = self.claim.lines[indexes[0]]
        benefit = benefit_for(self.member.plan, line.place_of_service or self.claim.place_of_service, line.modifiers)
        left = room(self.member.plan, self._used.plus(self.adds))
        base = allowed
        if self.first is not None and self.insurer.cob_method == "maintenance_of_benefits":
            base = max(ZERO, allowed - sum((self.first[index].paid for index in indexes), ZERO))
        share = share_of(benefit, left, base)
        self.adds = self.adds.plus(share.used(0 if share.beyond_limit else 1))
        return share, base

    def _alone(
        self, visits: list[tuple[list[int], Share, Decimal]]
    ) -> dict[int, tuple[Decimal, tuple[Adjustment, ...]]]:
        """As the only or first payer: CO 45 down to the rate, the member's share, the rest paid."""
        found = {}
        for indexes, share, _base in visits:
            pool = _Pool(_codes(share))
            for index in indexes:
                charge, rate = self.claim.lines[index].charge, self._rates[index] or ZERO
                patient = pool.take(rate)
                paid = rate - total(patient)
                found[index] = (paid, (Adjustment("CO", "45", charge - rate), *patient))
        return found

    def _second(
        self, visits: list[tuple[list[int], Share, Decimal]]
    ) -> dict[int, tuple[Decimal, tuple[Adjustment, ...]]]:
        """After another payer: OA 23 restates what was settled before, the rest is paid, written off or the member's.

        The member owes no more than the lower of the two allowed amounts leaves after both payments.
        """
        assert self.first is not None
        covered = [self.first[index] for index in self._covered]
        first = Before(sum((each.paid for each in covered), ZERO), sum((each.left_to_member for each in covered), ZERO))
        allowed = sum((self._rates[index] or ZERO for index in self._covered), ZERO)
        own = [share for _indexes, share, _base in visits]
        alone = sum((base - share.total for _indexes, share, base in visits), ZERO)
        method = self.insurer.cob_method
        paid = second_payment(
            method,
            charge=sum((self.claim.lines[index].charge for index in self._covered), ZERO),
            first=first,
            allowed=allowed,
            alone=alone,
            on_rest=alone,
        )
        owed = max(ZERO, min(first.allowed, allowed) - first.paid - paid)
        if method.startswith("medicaid"):
            owed = ZERO
        pools = {
            "paid": paid,
            "owed": owed,
            "written_off": max(ZERO, first.left_to_member - paid - owed),
        }
        rooms = [each.left_to_member for each in covered]
        laid = {name: [ZERO] * len(covered) for name in pools}
        for name, amount in pools.items():
            spread(amount, rooms, laid[name])
        beyond = paid - sum(laid["paid"], ZERO)
        closed = [
            self.claim.lines[index].charge - covered[place].left_to_member for place, index in enumerate(self._covered)
        ]
        spread(beyond, closed, laid["paid"])
        names = _Pool([each for share in own for each in _codes(share)], rest="2")
        found = {}
        for place, index in enumerate(self._covered):
            patient = names.take(laid["owed"][place])
            written_off = Adjustment("CO", "45", laid["written_off"][place])
            charge = self.claim.lines[index].charge
            settled = charge - laid["paid"][place] - laid["owed"][place] - written_off.amount
            found[index] = (laid["paid"][place], (Adjustment("OA", "23", settled), written_off, *patient))
        return found


def _codes(share: Share) -> list[tuple[str, Decimal]]:
    """CARCs of a member's share: 1 deductible, 3 copay, 2 coinsurance, 119 beyond the plan's maximum."""
    return [
        ("1", share.deductible),
        ("3", share.copay),
        ("2", share.coinsurance),
        ("119", share.beyond_limit),
    ]


class _Pool:
    """Amounts by code, handed out in order; ``rest`` names what no code is left for."""

    def __init__(self, codes: Iterable[tuple[str, Decimal]], rest: str | None = None) -> None:
        self._codes = list(codes)
        self._rest = rest

    def take(self, amount: Decimal) -> tuple[Adjustment, ...]:
        taken: dict[str, Decimal] = {}
        for place, (code, left) in enumerate(self._codes):
            part = min(left, amount)
            if part:
                taken[code] = taken.get(code, ZERO) + part
                self._codes[place] = (code, left - part)
                amount -= part
        if amount and self._rest is not None:
            taken[self._rest] = taken.get(self._rest, ZERO) + amount
        return tuple(Adjustment("PR", code, part) for code, part in taken.items())
