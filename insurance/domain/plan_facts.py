"""The facts that decide which plan pays first, and how the rules ask for one that is missing.

The rules read facts through :class:`Facts`. A missing fact raises :class:`Missing` with what it may be; the caller then
asks the rules again under each possibility (``insurance.domain.plan_order``). So a rule is written as if everything
were known, and only facts that a rule really reads can make an answer uncertain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar, cast


class PlanType(StrEnum):
    GROUP = "group"
    INDIVIDUAL = "individual"
    STUDENT = "student"
    MEDICARE = "medicare"
    MEDICAID = "medicaid"
    TRICARE = "tricare"
    WORKERS_COMPENSATION = "workers_compensation"
    AUTO = "auto"


class Holder(StrEnum):
    """Through whom the client is covered; ``self`` is the client's own plan."""

    SELF = "self"
    SPOUSE = "spouse"
    MOTHER = "mother"
    FATHER = "father"
    STEPMOTHER = "stepmother"
    STEPFATHER = "stepfather"
    OTHER = "other"


class HolderStatus(StrEnum):
    ACTIVE = "active"
    LAID_OFF = "laid_off"
    RETIRED = "retired"
    COBRA = "cobra"


class MedicareReason(StrEnum):
    AGE = "age"
    DISABILITY = "disability"
    ESRD = "esrd"


class Parents(StrEnum):
    TOGETHER = "together"
    APART = "apart"


class Decree(StrEnum):
    """Whom a court decree makes responsible for the child's health care costs; ``none``: there is no such decree."""

    MOTHER = "mother"
    FATHER = "father"
    BOTH = "both"
    NONE = "none"


class Custody(StrEnum):
    MOTHER = "mother"
    FATHER = "father"
    JOINT = "joint"


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """``esrd_months`` is the current month of the coordination period; 30 is inside it, below 1 it has not begun.

    ``None``: not known.
    """

    born: date | None = None
    medicare_because: MedicareReason | None = None
    esrd_months: int | None = None


@dataclass(frozen=True, slots=True)
class FamilyFacts:
    """A child's family. ``None``: not known."""

    parents: Parents | None = None
    decree: Decree | None = None
    custodial_parent: Custody | None = None


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """One of the client's plans. ``None``: not known, but a plan coordinates with others unless it says otherwise.

    ``employer_size`` counts employees; ``multi_employer``: at least one employer in the plan reaches the size that
    Medicare's rules ask for. ``since`` is the day from which the client (of a parent's plan: the parent) is covered.
    """

    id: str
    type: PlanType | None = None
    holder: Holder | None = None
    holder_born: date | None = None
    holder_status: HolderStatus | None = None
    employer_size: int | None = None
    multi_employer: bool | None = None
    since: date | None = None
    coordinates: bool | None = None
    name: str = ""
    """What sentences call the plan; without a name they use its id."""

    @property
    def label(self) -> str:
        return self.name or self.id


Key = tuple[str, str]
"""Whose fact, and which: ``("plan a", "since")``, ``("holder mother", "holder_born")``, ``("family", "decree")``."""

CLIENT, FAMILY = "client", "family"

Value = TypeVar("Value")


def about(plan: PlanFacts) -> str:
    """The subject of a plan's own facts."""
    return f"plan {plan.id}"


def about_holder(holder: Holder) -> str:
    """The subject of a fact about a person who may hold several plans."""
    return f"holder {holder}"


LARGE_FOR_AGE = 20
LARGE_FOR_DISABILITY = 100
ESRD_MONTHS = 30
RETIREMENT_AGE = 65

_MARRIED_IN = (Holder.STEPMOTHER, Holder.STEPFATHER)
_TYPES, _HOLDERS, _STATUSES = tuple(PlanType), tuple(Holder), tuple(HolderStatus)
_EARLIEST, _LATEST = date(1900, 1, 1), date(2999, 12, 31)


class Missing(Exception):
    """A rule needs a fact that is not known. ``possible`` is what it may be.

    With ``usual`` the first possibility is how it nearly always is; without, all are equally likely.
    """

    def __init__(self, key: Key, possible: Sequence[object], *, usual: bool) -> None:
        super().__init__(key)
        self.key = key
        self.possible = tuple(possible)
        self.usual = usual


class Facts:
    """The facts of one question, completed by assumptions; ``relied_on`` tells which assumptions were read."""

    def __init__(
        self,
        client: ClientFacts,
        family: FamilyFacts,
        plans: Sequence[PlanFacts],
        *,
        on: date | None,
        assumed: Mapping[Key, object],
    ) -> None:
        self.plans = tuple(plans)
        self.on = on
        self.client = client
        self._family = family
        self.assumed = assumed
        self.relied_on: set[Key] = set()

    def _fact(self, key: Key, known: Value | None, possible: Sequence[Value], *, usual: bool = False) -> Value:
        if known is not None:
            return known
        if key in self.assumed:
            self.relied_on.add(key)
            return cast("Value", self.assumed[key])
        raise Missing(key, possible, usual=usual)

    def type(self, plan: PlanFacts) -> PlanType:
        if plan.type is not None:  # asked again and again by every rule
            return plan.type
        return self._fact((about(plan), "type"), None, _TYPES, usual=True)

    def holder(self, plan: PlanFacts) -> Holder:
        possible = _HOLDERS
        if self.type(plan) == PlanType.TRICARE:  # seldom the client's own service
            possible = (Holder.SPOUSE, *(holder for holder in possible if holder != Holder.SPOUSE))
        return self._fact((about(plan), "holder"), plan.holder, possible, usual=True)

    def status(self, plan: PlanFacts) -> HolderStatus:
        possible = _STATUSES
        if self.type(plan) == PlanType.TRICARE:
            possible = (HolderStatus.RETIRED, HolderStatus.ACTIVE)
        return self._fact((about(plan), "holder_status"), plan.holder_status, possible, usual=True)

    def born(self, plan: PlanFacts) -> date:
        """The holder's birthday; a mother's is the same in each of her plans."""
        holder = self.holder(plan)
        if holder == Holder.OTHER:
            subject, known = about(plan), plan.holder_born
        else:
            births = [other.holder_born for other in self.plans if other.holder == holder and other.holder_born]
            subject, known = about_holder(holder), plan.holder_born or min(births, default=None)
        others = {other.holder_born for other in self.plans if other.holder_born}
        return self._fact((subject, "holder_born"), known, (_EARLIEST, _LATEST, *sorted(others)))

    def since(self, plan: PlanFacts) -> date:
        if plan.since is not None:
            return plan.since
        others = {other.since for other in self.plans if other.since}
        return self._fact((about(plan), "since"), None, (_EARLIEST, _LATEST, *sorted(others)))

    def is_large(self, plan: PlanFacts, employees: int) -> bool:
        """The employer, or one of several in the plan, has at least so many employees."""
        if plan.multi_employer:
            return True
        size = self._fact((about(plan), "employer_size"), plan.employer_size, (1, LARGE_FOR_AGE, LARGE_FOR_DISABILITY))
        if size >= employees:
            return True
        return self._fact((about(plan), "multi_employer"), plan.multi_employer, (False, True), usual=True)

    def medicare_because(self) -> MedicareReason:
        young = self.on is not None and self.is_65(self.on) is False
        likely = MedicareReason.DISABILITY if young else MedicareReason.AGE
        possible = (likely, *(reason for reason in MedicareReason if reason != likely))
        return self._fact((CLIENT, "medicare_because"), self.client.medicare_because, possible, usual=True)

    def esrd_months(self) -> int:
        return self._fact((CLIENT, "esrd_months"), self.client.esrd_months, (1, ESRD_MONTHS + 1))

    def parents(self) -> Parents:
        apart = (
            self._family.custodial_parent is not None
            or self._family.decree not in (None, Decree.NONE)
            or any(plan.holder in _MARRIED_IN for plan in self.plans)
        )
        possible = (Parents.APART, Parents.TOGETHER) if apart else (Parents.TOGETHER, Parents.APART)
        return self._fact((FAMILY, "parents"), self._family.parents, possible, usual=True)

    def decree(self) -> Decree:
        possible = (Decree.NONE, Decree.MOTHER, Decree.FATHER, Decree.BOTH)
        return self._fact((FAMILY, "decree"), self._family.decree, possible, usual=True)

    def custodial_parent(self) -> Custody:
        return self._fact((FAMILY, "custodial_parent"), self._family.custodial_parent, tuple(Custody))

    def is_65(self, on: date) -> bool | None:
        """Whether the client is 65 or older on a day; ``None`` when the birthday is not known."""
        born = self.client.born
        return (
            None if born is None else (born.year + RETIREMENT_AGE, born.month, born.day) <= (on.year, on.month, on.day)
        )
