"""What an insurer knows of itself and its members, read from control documents (``docs/clearinghouse.md``)."""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

from sandbox.insurers.fields import Fields, Json

ZERO = Decimal("0.00")
COPAY_RULES = ("waives_deductible", "before_deductible", "after_deductible")
COB_METHODS = (
    "standard",
    "lower_allowed",
    "non_duplication",
    "maintenance_of_benefits",
    "medicare",
    "tricare",
    "medicaid_lesser_of",
    "medicaid_full",
)
RELATIONSHIPS = ("self", "spouse", "child", "other")
WHOSE = ("all", "own", "family")
RANKS = ("primary", "secondary", "tertiary", "unresolved")


@dataclass(frozen=True, slots=True)
class Fee:
    """The contracted rate of one procedure; ``licence`` ``"*"`` is anyone's."""

    cpt: str
    licence: str
    allowed: Decimal


@dataclass(frozen=True, slots=True)
class Delays:
    """How long an insurer takes: seconds of real waiting, plus whole days by the stand-in's own clock."""

    real_time_seconds: float = 0.0
    acknowledge_seconds: float = 0.0
    remit_seconds: float = 1.0
    remit_days: int = 0


@dataclass(frozen=True, slots=True)
class Insurer:
    payer_id: str
    name: str
    fees: tuple[Fee, ...]
    cob_method: str
    delays: Delays
    down: bool
    licences: Json
    """NPI to licence, where the contract says more than the taxonomy code on the claim does."""
    not_credentialed: tuple[str, ...]
    filing_limit_days: int | None
    phone: str
    forwards_to: tuple[str, ...]
    """Ids of the insurers it sends claims on to by itself (crossover), where its records name them as next."""
    cob_at_intake: bool
    """Whether a claim of a member whose order of payers is unresolved is refused at the door, not in adjudication."""


@dataclass(frozen=True, slots=True)
class Person:
    first_name: str
    last_name: str
    born: date
    gender: str


@dataclass(frozen=True, slots=True)
class Benefit:
    """What one visit costs the member, deductible and maximum apart. ``None``: the plan has no such thing."""

    copay: Decimal | None
    copay_rule: str
    coinsurance: Decimal | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's design. ``begins`` starts a plan year, and so does each anniversary of it."""

    name: str
    group_number: str
    begins: date
    effective: date
    terminated: date | None
    active: bool
    deductible: Decimal | None
    family_deductible: Decimal | None
    out_of_pocket: Decimal | None
    family_out_of_pocket: Decimal | None
    office: Benefit
    telehealth: Benefit | None
    visit_limit: int | None
    authorization_required: bool
    not_covered: tuple[str, ...]

    def covers(self, day: date) -> bool:
        """Whether coverage is in force on ``day``."""
        return self.active and self.effective <= day and (self.terminated is None or day <= self.terminated)

    def year_of(self, day: date) -> date:
        """First day of the plan year that holds ``day``."""
        start = _anniversary(self.begins, day.year)
        return start if start <= day else _anniversary(self.begins, day.year - 1)

    def year_end(self, start: date) -> date:
        """Last day of the plan year that starts on ``start``."""
        return date.fromordinal(_anniversary(self.begins, start.year + 1).toordinal() - 1)


@dataclass(frozen=True, slots=True)
class Used:
    """What of a plan year's limits is used: dollars, and visits."""

    deductible: Decimal = ZERO
    family_deductible: Decimal = ZERO
    out_of_pocket: Decimal = ZERO
    family_out_of_pocket: Decimal = ZERO
    visits: int = 0

    def plus(self, other: "Used") -> "Used":
        return Used(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Used)))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Care that others gave the member on a day, as it counts in the year that holds the day."""

    on: date
    used: Used


@dataclass(frozen=True, slots=True)
class Stale:
    """Figures told as they stood ``days`` ago: all of them, the member's own, or the family's."""

    days: int
    whose: str


@dataclass(frozen=True, slots=True)
class OtherCover:
    """Another insurer this one believes the member has."""

    payer_name: str
    payer_id: str
    member_id: str
    rank: str


@dataclass(frozen=True, slots=True)
class Cob:
    """The rank this insurer believes it has for the member, and whom else it knows of."""

    rank: str
    others: tuple[OtherCover, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One person under one card. ``key`` is the control address; several people may share a ``card_id``."""

    payer_id: str
    key: str
    card_id: str
    person: Person
    relationship: str
    subscriber: Person
    family: str
    plan: Plan
    used: Used
    elsewhere: tuple[Elsewhere, ...]
    cob: Cob
    delays: Delays | None


def _anniversary(first: date, year: int) -> date:
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def read_insurer(document: object, payer_id: str) -> Insurer:
    """An insurer's control document; raises :class:`common.errors.BadInput` naming the key."""
    source = Fields(document, "")
    fees = []
    for item in source.objects("fee_schedule"):
        allowed = item.money("allowed")
        fees.append(Fee(item.text("cpt"), item.text("licence", "*"), ZERO if allowed is None else allowed))
        item.done()
    licences = source.raw("licences", {})
    Fields(licences, "licences")
    insurer = Insurer(
        payer_id=payer_id,
        name=source.text("name"),
        fees=tuple(fees),
        cob_method=source.choice("cob_method", COB_METHODS, "standard"),
        delays=_delays(source.object("delays")) or Delays(),
        down=source.flag("down", default=False),
        licences=licences,
        not_credentialed=source.texts("not_credentialed"),
        filing_limit_days=source.whole("filing_limit_days"),
        phone=source.text("phone", ""),
        forwards_to=source.texts("forwards_to"),
        cob_at_intake=source.flag("cob_at_intake", default=False),
    )
    source.done()
    return insurer


def read_member(document: object, payer_id: str, key: str) -> Member:
    """A member's control document without its ``reported`` part; raises :class:`common.errors.BadInput`."""
    source = Fields(document, "")
    person = _person(source)
    relationship = source.choice("relationship", RELATIONSHIPS, "self")
    holder = source.object("subscriber")
    subscriber = person
    if holder is not None:
        subscriber = _person(holder)
        holder.done()
    card_id = source.text("card_id", key)
    source.raw("reported")
    member = Member(
        payer_id=payer_id,
        key=key,
        card_id=card_id,
        person=person,
        relationship=relationship,
        subscriber=subscriber,
        family=source.text("family", card_id),
        plan=_plan(source.object("plan") or Fields({}, "plan")),
        used=read_used(source.object("used")),
        elsewhere=tuple(map(read_elsewhere, source.objects("elsewhere"))),
        cob=read_cob(source.object("cob")),
        delays=_delays(source.object("delays")),
    )
    source.done()
    return member


def read_used(source: Fields | None) -> Used:
    """Used figures; the family's, where not given, are the member's own."""
    if source is None:
        return Used()
    deductible, out_of_pocket = source.amount("deductible"), source.amount("out_of_pocket")
    family_deductible, family_out_of_pocket = source.money("family_deductible"), source.money("family_out_of_pocket")
    used = Used(
        deductible=deductible,
        family_deductible=deductible if family_deductible is None else family_deductible,
        out_of_pocket=out_of_pocket,
        family_out_of_pocket=out_of_pocket if family_out_of_pocket is None else family_out_of_pocket,
        visits=source.whole("visits") or 0,
    )
    source.done()
    return used


def read_elsewhere(source: Fields) -> Elsewhere:
    """Used figures with the day of the care."""
    on = source.required_day("on")
    return Elsewhere(on, read_used(source))


def read_stale(source: Fields | None) -> Stale | None:
    """How old the figures of a 271 are; ``None``: they are of the day."""
    if source is None:
        return None
    stale = Stale(source.whole("days") or 0, source.choice("whose", WHOSE, "all"))
    source.done()
    return stale


def read_cob(source: Fields | None) -> Cob:
    """What the insurer believes of the order; without a word it takes itself for the only, so primary, one."""
    if source is None:
        return Cob("primary", ())
    others = []
    for item in source.objects("others"):
        others.append(
            OtherCover(
                payer_name=item.text("payer_name"),
                payer_id=item.text("payer_id", ""),
                member_id=item.text("member_id", ""),
                rank=item.choice("rank", RANKS, "unresolved"),
            )
        )
        item.done()
    cob = Cob(source.choice("rank", RANKS, "primary"), tuple(others))
    source.done()
    return cob


def _person(source: Fields) -> Person:
    return Person(
        first_name=source.text("first_name"),
        last_name=source.text("last_name"),
        born=source.required_day("birth_date"),
        gender=source.choice("gender", ("F", "M", "U"), "U"),
    )


def _delays(source: Fields | None) -> Delays | None:
    if source is None:
        return None
    delays = Delays(
        real_time_seconds=source.seconds("real_time_seconds", 0.0),
        acknowledge_seconds=source.seconds("acknowledge_seconds", 0.0),
        remit_seconds=source.seconds("remit_seconds", 1.0),
        remit_days=source.whole("remit_days") or 0,
    )
    source.done()
    return delays


def _benefit(source: Fields) -> Benefit:
    return Benefit(
        copay=source.money("copay"),
        copay_rule=source.choice("copay_rule", COPAY_RULES, "waives_deductible"),
        coinsurance=source.rate("coinsurance"),
    )


def _plan(source: Fields) -> Plan:
    telehealth = source.object("telehealth")
    remote = None
    if telehealth is not None:
        remote = _benefit(telehealth)
        telehealth.done()
    begins = source.required_day("begins")
    plan = Plan(
        name=source.text("name", "PPO"),
        group_number=source.text("group_number", ""),
        begins=begins,
        effective=source.day("effective") or begins,
        terminated=source.day("terminated"),
        active=source.flag("active", default=True),
        deductible=source.money("deductible"),
        family_deductible=source.money("family_deductible"),
        out_of_pocket=source.money("out_of_pocket"),
        family_out_of_pocket=source.money("family_out_of_pocket"),
        office=_benefit(source),
        telehealth=remote,
        visit_limit=source.whole("visit_limit"),
        authorization_required=source.flag("authorization_required", default=False),
        not_covered=source.texts("not_covered"),
    )
    source.done()
    return plan
