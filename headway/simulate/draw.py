"""Who lives in the simulated year, with which plans, and what happens to them when: all drawn from one number."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from headway.demo.cast import EVERGREEN, HARBOR, Insurer
from headway.demo.seed_cases import Draw as People
from headway.demo.seed_insurers import BLUESTEM, CEDAR, GRANITE, LARKSPUR, SUMMIT, Plan
from headway.demo.seed_people import DIAGNOSES, THERAPISTS, Person, Therapist
from headway.demo.seed_year import local
from headway.simulate import plans
from headway.simulate.plans import Drawn
from insurance.models import Coverage

FIRST_DAY = date(2030, 3, 4)
"""A Monday, ten months before the 1 January that the year runs over. It lies ahead of the real clock, by which the
database stamps row history: in a past year every contract would look changed after each pricing."""

INSURERS = (EVERGREEN, HARBOR, BLUESTEM, SUMMIT, GRANITE, CEDAR, LARKSPUR)
REMIT_DAYS = {"EVGR1": 5, "HARB1": 7, "BLST1": 12, "SMLN1": 6, "GRPK1": 21, "CDRG1": 9, "LKSP1": 15}
"""Days each insurer takes to decide a claim."""

CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_discover")
MINUTES = {"90791": 60, "90837": 53, "90834": 45}
BOOKED_AHEAD = timedelta(days=14)


@dataclass
class Insured(Plan):
    """A plan with its place in the insurer's books (``key``) and what happens to it in the year.

    ``wrong`` names how the insurer's answers about it are wrong or stale, empty for a right one; ``changes`` are
    replacements of keys of the insurer's record, ``elsewhere`` care at other places, both by day.
    """

    key: str = ""
    design: str = ""
    wrong: str = ""
    mended_on: date | None = None
    changes: list[tuple[date, dict[str, Any]]] = field(default_factory=list)
    elsewhere: list[tuple[date, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Visit:
    """One session to be; ``outcome``: come, cancel or no_show."""

    starts_at: datetime
    cpt: str
    telehealth: bool
    outcome: str


@dataclass
class Case:
    """One client. ``plans`` in the order in which they truly pay, ``stated`` the order in which they are entered.

    Those of one ``household`` share limits, so one process plays them all.
    """

    number: int
    household: int
    person: Person
    therapist: Therapist
    plans: list[Insured]
    visits: list[Visit]
    joins: date
    card: str | None
    diagnoses: tuple[str, ...]
    stated: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody, and the days they live through."""

    cases: list[Case]
    first_day: date
    last_day: date


def population(seed: int, *, clients: int, weeks: int, wrong: int = 10) -> Population:
    """Draw everybody. The same numbers give the same people, plans, errors and days.

    ``wrong`` is the percentage of plans that are told wrongly; there is at least one unless it is 0.
    """
    return _Lots(seed, clients=clients, weeks=weeks, wrong=wrong).draw()


class _Lots:
    def __init__(self, seed: int, *, clients: int, weeks: int, wrong: int) -> None:
        self.random = Random(seed)  # noqa: S311 - invented people, no secret
        self.people = People(seed, today=FIRST_DAY, first_day=FIRST_DAY)
        self.clients, self.weeks = clients, weeks
        self.slots: set[tuple[str, int, int]] = set()
        self.wrong = self._who_is_wrong(wrong)

    def draw(self) -> Population:
        cases: list[Case] = []
        while len(cases) < self.clients:
            case = self._case(len(cases) + 1, len(cases) + 1)
            cases.append(case)
            plan = case.plans[0]
            couple = plan.design.startswith("family") and not plan.wrong and self.random.random() < 0.5
            if couple and len(cases) < self.clients and len(cases) + 1 not in self.wrong:
                cases.append(self._spouse(case, len(cases) + 1))
        return Population(cases, FIRST_DAY, FIRST_DAY + timedelta(days=7 * self.weeks - 1))

    def _who_is_wrong(self, percent: int) -> dict[int, str]:
        """Numbers of the clients whose plan is told wrongly, each with its way; every way before any comes twice."""
        count = max(1, round(self.clients * percent / 100)) if percent else 0
        ways: list[str] = []
        while len(ways) < count:
            ways += self.random.sample(list(plans.WRONG), len(plans.WRONG))
        return dict(zip(sorted(self.random.sample(range(1, self.clients + 1), count)), ways, strict=False))

    def _case(self, number: int, household: int) -> Case:
        way = self.wrong.get(number, "")
        drawn = plans.WRONG[way](self.random) if way else plans.right(self.random)
        insurer = LARKSPUR if drawn.design == "nominal copay" else self.random.choice(INSURERS[:-1])
        person = self.people.person()
        therapist = self._therapist(person.state, insurer)
        return Case(
            number=number,
            household=household,
            person=person,
            therapist=therapist,
            plans=[self._insured(insurer, drawn, way)],
            visits=self._visits(therapist, drawn),
            joins=FIRST_DAY - timedelta(days=self.random.randrange(2, 9)),
            card=self.random.choice(CARDS) if self.random.random() < 0.95 else None,
            diagnoses=self.random.choice(DIAGNOSES),
        )

    def _spouse(self, holder: Case, number: int) -> Case:
        """The holder's spouse comes too, on the same card: two accounts of ours, one family to the insurer."""
        plan = holder.plans[0]
        drawn = Drawn(plan.design, plan.record["plan"])
        case = self._case(number, holder.household)
        case.person = self.people.person(last=holder.person.last, state=holder.person.state)
        case.therapist = self._therapist(case.person.state, plan.insurer)
        case.visits = self._visits(case.therapist, drawn)
        spouse = Insured(
            plan.insurer,
            plan.member_id,
            holder=Coverage.Holder.SPOUSE,
            holder_name=(holder.person.first, holder.person.last),
            holder_born=holder.person.born,
            used={
                "family_deductible": plan.used.get("deductible", "0.00"),
                "family_out_of_pocket": plan.used.get("out_of_pocket", "0.00"),
            },
            key=f"{plan.member_id}-02",
            design=plan.design,
            record={"plan": plan.record["plan"], "card_id": plan.member_id},
        )
        case.plans = [spouse]
        return case

    def _insured(self, insurer: Insurer, drawn: Drawn, way: str) -> Insured:
        member_id = self.people.member_id(insurer)
        plan = Insured(insurer, member_id, key=member_id, design=drawn.design, wrong=way, used=drawn.used)
        plan.record = {"plan": {"name": drawn.design.upper(), **drawn.plan, "begins": drawn.begins.isoformat()}}
        if drawn.reported:
            plan.record["reported"] = drawn.reported
        if insurer is LARKSPUR:
            plan.facts = {"plan_type": Coverage.PlanType.MEDICAID, "holder_status": None}
        if way:
            if drawn.family_care:
                day = FIRST_DAY + timedelta(days=self.random.randrange(8, 15))
                own = {"deductible": "0.00", "out_of_pocket": "0.00"}
                family = {"family_deductible": drawn.family_care, "family_out_of_pocket": drawn.family_care}
                plan.elsewhere.append((day, own | family))
            if self.random.random() < 0.25:
                plan.mended_on = self._day(0.6, 0.8)
                plan.changes.append((plan.mended_on, {"reported": {}}))
        else:
            self._care_elsewhere(plan)
        if self.random.random() < 0.10:
            self._change_of_pace(plan)
        return plan

    def _care_elsewhere(self, plan: Insured) -> None:
        """Doctors, hospitals, others of the family: what they use counts from the day of their own decision."""
        if "deductible" not in plan.record["plan"] or self.random.random() > 0.3:
            return
        for _ in range(self.random.randrange(1, 4)):
            amount = f"{self.random.randrange(40, 320, 20)}.00"
            if plan.design == "family, embedded" and self.random.random() < 0.5:
                used = {"deductible": "0.00", "out_of_pocket": "0.00"}
                used |= {"family_deductible": amount, "family_out_of_pocket": amount}
            else:
                used = {"deductible": amount, "out_of_pocket": amount}
            plan.elsewhere.append((self._day(0.0, 1.0), used))

    def _change_of_pace(self, plan: Insured) -> None:
        """The insurer is slow with this member, then quick: later claims are decided before earlier ones."""
        plan.record["delays"] = {"remit_days": 30, "remit_seconds": 0}
        plan.changes.append((self._day(0.3, 0.7), {"delays": {"remit_days": 4, "remit_seconds": 0}}))

    def _day(self, least: float, most: float) -> date:
        days = self.weeks * 7
        return FIRST_DAY + timedelta(days=self.random.randrange(int(days * least), max(1, int(days * most))))

    def _therapist(self, state: str, insurer: Insurer) -> Therapist:
        able = [each for each in THERAPISTS if each.state == state and insurer.payer_id not in each.not_with]
        return self.random.choice(able)

    def _visits(self, therapist: Therapist, drawn: Drawn) -> list[Visit]:
        """The same weekday and hour every week, some of them cancelled or missed."""
        times = [(weekday, hour) for weekday in range(5) for hour in range(8, 19)]
        free = [each for each in times if (therapist.npi, *each) not in self.slots]
        weekday, hour = self.random.choice(free or times)
        self.slots.add((therapist.npi, weekday, hour))
        return [self._visit(week, weekday, hour, drawn) for week in range(self.weeks)]

    def _visit(self, week: int, weekday: int, hour: int, drawn: Drawn) -> Visit:
        return Visit(
            starts_at=local(FIRST_DAY + timedelta(days=7 * week + weekday), hour),
            cpt="90791" if week == 0 else self.random.choices(("90837", "90834"), (7, 3))[0],
            telehealth=self.random.random() < drawn.telehealth,
            outcome=self.random.choices(("come", "cancel", "no_show"), (95, 3, 2))[0],
        )
