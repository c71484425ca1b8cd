"""Who lives in the simulated year, with which plans, and what happens to them when: all drawn from one number."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from headway.demo.cast import EVERGREEN, HARBOR, Insurer
from headway.demo.seed_cases import Draw as People
from headway.demo.seed_insurers import BLUESTEM, CEDAR, GRANITE, LARKSPUR, SUMMIT, TIDEWATER, Plan, cob
from headway.demo.seed_people import DIAGNOSES, FIRST, THERAPISTS, TOWNS, Person, Therapist
from headway.demo.seed_year import local
from headway.simulate import plans, several
from headway.simulate.plans import Drawn
from headway.simulate.several import MEDICARE, Habits, Held, Kind, Lapse
from insurance.models import Coverage

FIRST_DAY = date(2030, 3, 4)
"""A Monday, ten months before the 1 January that the year runs over. It lies ahead of the real clock, by which the
database stamps row history: in a past year every contract would look changed after each pricing."""

SINGLES = (EVERGREEN, HARBOR, BLUESTEM, SUMMIT, GRANITE, CEDAR)
INSURERS = (*SINGLES, LARKSPUR, MEDICARE, TIDEWATER)
REMIT_DAYS = {
    "EVGR1": 5, "HARB1": 7, "BLST1": 12, "SMLN1": 6, "GRPK1": 21, "CDRG1": 9, "LKSP1": 15, "MDCR1": 14, "TDWT1": 10,
}  # fmt: skip
"""Days each insurer takes to decide a claim."""

CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_discover")
MINUTES = {"90791": 60, "90837": 53, "90834": 45}
BOOKED_AHEAD = timedelta(days=14)


@dataclass
class Insured(Plan):
    """A plan with its place in the insurer's books (``key``) and what happens to it in the year.

    ``wrong`` names how the insurer's answers about it are wrong or stale, empty for a right one; ``changes`` are
    replacements of keys of the insurer's record, ``elsewhere`` care at other places, both by day. ``truth`` is what of
    the plan decides the order, by column of ``Coverage``; the client says at first what is in ``facts``. ``billed``:
    whether the client's provider may bill it.
    """

    key: str = ""
    design: str = ""
    wrong: str = ""
    mended_on: date | None = None
    changes: list[tuple[date, dict[str, Any]]] = field(default_factory=list)
    elsewhere: list[tuple[date, dict[str, Any]]] = field(default_factory=list)
    truth: dict[str, Any] = field(default_factory=dict)
    billed: bool = True


@dataclass(frozen=True, slots=True)
class Visit:
    """One session to be; ``outcome``: come, cancel or no_show."""

    starts_at: datetime
    cpt: str
    telehealth: bool
    outcome: str


@dataclass
class Case:
    """One client. ``plans`` in the order in which they truly pay by ``rule``, ``stated`` the order in which they are
    entered, ``found`` how a wrong one comes to light (:data:`headway.simulate.several.FOUND`).

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
    rule: str = ""
    found: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)
    lapse: Lapse | None = None

    def order(self, plan: Insured) -> dict[str, Any]:
        """What the plan's insurer has on file of who pays when, once its records are right."""
        return cob(plan, list(self.plans)) if len(self.plans) > 1 else dict(several.SILENT)


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody, and the days they live through."""

    cases: list[Case]
    first_day: date
    last_day: date


LAPSED = 0.14
"""Share of clients, of those told rightly, whose insurer stops paying until it is called."""


def population(seed: int, *, clients: int, weeks: int, wrong: int = 10, several: int = 25) -> Population:
    """Draw everybody. The same numbers give the same people, plans, errors and days.

    ``wrong`` is the percentage of clients whose plan is told wrongly, ``several`` of those with more plans than one;
    there is at least one of each unless it is 0. Nobody is both, as far as there are enough clients.
    """
    return _Lots(seed, clients=clients, weeks=weeks, wrong=wrong, several_plans=several).draw()


class _Lots:
    def __init__(self, seed: int, *, clients: int, weeks: int, wrong: int, several_plans: int) -> None:
        self.random = Random(seed)  # noqa: S311 - invented people, no secret
        self.people = People(seed, today=FIRST_DAY, first_day=FIRST_DAY)
        self.odds = Random(f"{seed} several plans")  # noqa: S311
        self.clients, self.weeks = clients, weeks
        self.slots: set[tuple[str, int, int]] = set()
        self.wrong = self._who_is_wrong(wrong)
        self.several = self._who_has_several(several_plans)
        self.ways = several.Ways(self.odds)

    def draw(self) -> Population:
        cases: list[Case] = []
        while len(cases) < self.clients:
            case = self._case(len(cases) + 1, len(cases) + 1)
            cases.append(case)
            plan = case.plans[0]
            couple = plan.design.startswith("family") and not plan.wrong and self.random.random() < 0.5
            if case.number in self.several:
                self._add_plans(case, self.several[case.number])
                couple = False
            if not plan.wrong and case.found in ("", several.TOGETHER):
                billed = [place for place, each in enumerate(case.plans) if each.billed]
                case.lapse = several.lapse(self.odds, billed, self.weeks * 7, FIRST_DAY, share=LAPSED)
            taken = {*self.wrong, *self.several}
            if couple and len(cases) < self.clients and len(cases) + 1 not in taken:
                cases.append(self._spouse(case, len(cases) + 1))
        return Population(cases, FIRST_DAY, FIRST_DAY + timedelta(days=7 * self.weeks - 1))

    def _who_is_wrong(self, percent: int) -> dict[int, str]:
        """Numbers of the clients whose plan is told wrongly, each with its way; every way before any comes twice."""
        count = max(1, round(self.clients * percent / 100)) if percent else 0
        ways: list[str] = []
        while len(ways) < count:
            ways += self.random.sample(list(plans.WRONG), len(plans.WRONG))
        return dict(zip(sorted(self.random.sample(range(1, self.clients + 1), count)), ways, strict=False))

    def _who_has_several(self, percent: int) -> dict[int, Kind]:
        """Numbers of the clients with more plans than one, each with its kind; every kind before any comes twice."""
        count = max(1, round(self.clients * percent / 100)) if percent else 0
        free = [number for number in range(1, self.clients + 1) if number not in self.wrong]
        numbers = sorted(self.odds.sample(free, min(count, len(free))))
        kinds: list[Kind] = []
        while len(kinds) < len(numbers):
            kinds += self.odds.sample(several.KINDS, len(several.KINDS))
        return dict(zip(numbers, kinds, strict=False))

    def _case(self, number: int, household: int) -> Case:
        way = self.wrong.get(number, "")
        drawn = plans.WRONG[way](self.random) if way else plans.right(self.random)
        while number in self.several and drawn.design == "nominal copay":
            drawn = plans.right(self.random)
        insurer = LARKSPUR if drawn.design == "nominal copay" else self.random.choice(SINGLES)
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

    def _add_plans(self, case: Case, kind: Kind) -> None:
        """Give a client the plans of a kind: the one drawn already has its place among them."""
        draw, own = self.odds, case.plans[0]
        person = case.person
        if kind.young or kind.old:
            age = draw.randrange(19, 25) if kind.young else draw.randrange(67, 76)
            born = date(FIRST_DAY.year - age, draw.randrange(1, 13), draw.randrange(1, 29))
            case.person = person = replace(person, born=born)
        if kind.not_credentialed:
            # Not one to whom the first insurer sends claims by itself: it would refuse them.
            sent_on = set(several.FORWARDS.get(own.payer_id, ()))
            able = [each for each in THERAPISTS if own.payer_id not in each.not_with and set(each.not_with) - sent_on]
            case.therapist = draw.choice(able)
            state = case.therapist.state
            city, zip_code = draw.choice(TOWNS[state])
            case.person = person = replace(person, state=state, city=city, zip_code=zip_code)
        taken = {own.payer_id, *(each.insurer.payer_id for each in kind.plans if each.insurer)}
        found = []
        for place, held in enumerate(kind.plans):
            plan = own if held.drawn else self._further(case, held, place, taken, kind)
            taken.add(plan.payer_id)
            self._hold(plan, held, place, person)
            found.append(plan)
        case.plans, case.rule, case.facts = found, kind.rule, dict(kind.client)
        if not kind.not_credentialed:
            self._therapist_for_all(case)
        for plan in found:
            plan.billed = plan.insurer.in_network and plan.payer_id not in case.therapist.not_with
        if draw.random() < 0.15 and found[1].billed and not found[1].record["plan"].get("not_covered"):
            found[0].record["plan"]["not_covered"] = ["90791"]
        case.found = self.ways.of(kind)
        case.stated = several.stated(draw, len(found), case.found)
        case.habits = several.habits(draw, case.found)
        first_visit = min(visit.starts_at for visit in case.visits).date()
        told_from = several.reported_until(draw, case.found, first_visit)
        if several.silent(draw, case.found):
            for plan in found:
                plan.record["reported"] = {"cob": several.SILENT}
                if told_from is not None:
                    plan.changes.append((told_from, {"reported": {}}))

    def _further(self, case: Case, held: Held, place: int, taken: set[str], kind: Kind) -> Insured:
        """A plan beside the drawn one, with an insurer that the client has no other plan of."""
        draw = self.odds
        insurer = held.insurer
        if insurer is None:
            others = [each for each in several.SECONDS if each.payer_id not in taken]
            if kind.not_credentialed:
                others = [each for each in others if each.payer_id in case.therapist.not_with]
            insurer = draw.choice(others)
        if insurer is LARKSPUR:
            drawn = plans.nominal(draw)
        elif insurer is MEDICARE:
            drawn = plans.medicare(draw)
        else:
            drawn = several.second_design(draw, plans.right, place=place)
        member_id = self.people.member_id(insurer)
        plan = Insured(insurer, member_id, key=member_id, design=drawn.design, used=drawn.used)
        plan.record = {"plan": {"name": drawn.design.upper(), **drawn.plan, "begins": drawn.begins.isoformat()}}
        return plan

    def _hold(self, plan: Insured, held: Held, place: int, person: Person) -> None:
        """Whose plan it is, and what of that is said at first."""
        draw = self.odds
        plan.holder = held.holder
        if held.holder != Coverage.Holder.SELF:
            mother, spouse = held.holder == Coverage.Holder.MOTHER, held.holder == Coverage.Holder.SPOUSE
            names = FIRST["F"] if mother else FIRST["M"]
            plan.holder_name = (draw.choice(names), person.last)
            # A mother's birthday comes earlier in the year than a father's: her plan pays first.
            month = draw.randrange(1, 6) if mother else draw.randrange(7, 13)
            year = person.born.year - (0 if spouse else 30)
            plan.holder_born = date(year, month, draw.randrange(1, 29))
        plan.truth = {"holder_status": Coverage.HolderStatus.ACTIVE, "since": date(2018 + place, 3, 1), **held.facts}
        if plan.holder_born is not None:
            plan.truth["holder_born"] = plan.holder_born
        said = {**held.facts, **dict.fromkeys(held.withheld)}
        plan.facts = {**plan.facts, **said}

    def _therapist_for_all(self, case: Case) -> None:
        """Somebody who may bill every plan that is in network."""
        payers = {each.payer_id for each in case.plans}
        if payers.intersection(case.therapist.not_with):
            able = [each for each in THERAPISTS if each.state == case.person.state and payers.isdisjoint(each.not_with)]
            case.therapist = self.odds.choice(able)

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
