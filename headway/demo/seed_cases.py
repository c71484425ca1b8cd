"""Ordinary clients of the demo: who they are, what they are insured by, when they come. Drawn from one seed."""

import random
from datetime import date, datetime, timedelta

from headway.demo.cast import EVERGREEN, HARBOR, Insurer
from headway.demo.seed_insurers import BLUESTEM, CEDAR, GRANITE, LARKSPUR, SUMMIT, TIDEWATER, Plan
from headway.demo.seed_people import COLE, DIAGNOSES, FIRST, LAST, STREETS, THERAPISTS, TOWNS, Person, Therapist
from headway.demo.seed_year import Case, Visit, local
from insurance.models import Coverage

CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_discover")
FIRSTS: tuple[tuple[Insurer, int], ...] = (
    (EVERGREEN, 6), (HARBOR, 6), (BLUESTEM, 4), (SUMMIT, 4), (GRANITE, 4), (CEDAR, 3), (LARKSPUR, 2),
)  # fmt: skip
"""Insurers that pay first, and how often each is drawn."""

DEDUCTIBLES = {
    "EVGR1": ("0.00", "150.00", "350.00", "500.00"),
    "BLST1": ("0.00", "600.00", "1500.00", "1700.00"),
    "GRPK1": ("0.00", "120.00", "300.00"),
    "CDRG1": ("0.00", "100.00", "250.00"),
    "TDWT1": ("0.00", "400.00"),
}


class Draw:
    """Draws cases. The same seed and day give the same people."""

    def __init__(self, seed: int, *, today: date, first_day: date) -> None:
        self.random = random.Random(seed)  # noqa: S311 - invented people, no secret
        self.today = today
        self.first_day = first_day
        self._names: set[str] = set()
        self._slots: set[tuple[str, int, int]] = set()
        self._cards = 0
        self._lasts = list(LAST)
        self.random.shuffle(self._lasts)

    def member_id(self, insurer: Insurer) -> str:
        """A member id nobody else has."""
        self._cards += 1
        return f"{insurer.payer_id[:2]}{self.random.randrange(100, 1000)}{self._cards:05d}"

    def person(self, *, state: str = "", first: str = "", last: str = "", born: date | None = None) -> Person:
        """Somebody new; what is not given is drawn."""
        sex = self.random.choices(("F", "M", "U"), (50, 44, 6))[0]
        state = state or self.random.choices(tuple(TOWNS), (5, 3, 3, 2, 1))[0]
        city, zip_code = self.random.choice(TOWNS[state])
        last = last or self._lasts[len(self._names) % len(self._lasts)]
        first = first or self.random.choice([each for each in FIRST[sex] if f"{each} {last}" not in self._names])
        self._names.add(f"{first} {last}")
        born = born or date(self.today.year, 1, 1) - timedelta(days=self.random.randrange(20 * 365, 68 * 365))
        street = f"{self.random.randrange(2, 260)} {self.random.choice(STREETS)}"
        return Person(first, last, born, sex, state, city, zip_code, street)

    def used(self, insurer: Insurer) -> dict[str, str]:
        """What of the plan year was used before we knew the client."""
        choices = DEDUCTIBLES.get(insurer.payer_id)
        if choices is None:
            return {}
        amount = self.random.choice(choices)
        return {"deductible": amount, "out_of_pocket": amount}

    def plan(self, insurer: Insurer, **more: object) -> Plan:
        """A plan held by the client."""
        plan = Plan(insurer, self.member_id(insurer), used=self.used(insurer))
        for name, value in more.items():
            setattr(plan, name, value)
        return plan

    def plans(self, person: Person) -> tuple[list[Plan], list[int]]:
        """One plan or two in the order in which they truly pay, and the order in which the client enters them."""
        insurers, weights = zip(*FIRSTS, strict=True)
        first = self.random.choices(insurers, weights)[0]
        if first is LARKSPUR or self.random.random() > 0.38:
            return [self.plan(first, facts=self._kind(first))], [0]
        wrong_way = [1, 0] if self.random.random() < 0.5 else [0, 1]
        kind = self.random.choice(("spouse", "spouse", "medicaid", "parents", "cobra"))
        if kind == "medicaid":
            return [self.plan(first), self.plan(LARKSPUR, facts=self._kind(LARKSPUR))], wrong_way
        second = self.random.choice([each for each in (HARBOR, SUMMIT, CEDAR, GRANITE, TIDEWATER) if each is not first])
        if kind == "parents" and person.born.year > self.today.year - 26:
            return self._of_parents(first, second, person), wrong_way
        partner = self.random.choice(FIRST["F"] + FIRST["M"]), person.last
        born = person.born + timedelta(days=self.random.randrange(-1500, 1500))
        own = self.plan(first)
        spouses = self.plan(second, holder=Coverage.Holder.SPOUSE, holder_name=partner, holder_born=born)
        if kind == "cobra":
            # A plan kept after leaving a job pays after one through a job somebody has now.
            own.facts = {"holder_status": Coverage.HolderStatus.COBRA}
            if second is TIDEWATER:
                return [own], [0]
            return [spouses, own], wrong_way
        return [own, spouses], wrong_way

    def _kind(self, insurer: Insurer) -> dict[str, object]:
        return {"plan_type": Coverage.PlanType.MEDICAID, "holder_status": None} if insurer is LARKSPUR else {}

    def _of_parents(self, first: Insurer, second: Insurer, person: Person) -> list[Plan]:
        """A young person on both parents' plans: the parent whose birthday comes first in the year pays first."""
        year = person.born.year - 30
        return [
            self.plan(
                first, holder=Coverage.Holder.MOTHER, holder_name=("Helen", person.last), holder_born=date(year, 2, 11)
            ),
            self.plan(
                second, holder=Coverage.Holder.FATHER, holder_name=("Peter", person.last), holder_born=date(year, 9, 3)
            ),
        ]

    def case(self) -> Case:
        """An ordinary client: some have come for months and go on, others came for a while and are done."""
        person = self.person()
        plans, stated = self.plans(person)
        therapist = self._therapist(person.state, plans[0])
        if self.random.random() < 0.06 and plans[0].payer_id in DEDUCTIBLES:
            # An insurer that answers inquiries from stale figures: the final cost will be higher than the estimate.
            met = DEDUCTIBLES[plans[0].payer_id][-1]
            plans[0].used = {}
            plans[0].record = {"reported": {"used": {"deductible": met, "out_of_pocket": met}}}
        moments = self._moments(therapist)
        visits = [self._visit(moment, first=number == 0) for number, moment in enumerate(moments)]
        return Case(
            person=person,
            therapist=therapist,
            plans=plans,
            stated=stated,
            visits=visits,
            joins=moments[0] - timedelta(days=6, hours=self.random.randrange(1, 9)),
            card=self.random.choice(CARDS),
            pays=self.random.random() < 0.8,
            diagnoses=self.random.choice(DIAGNOSES),
        )

    def _therapist(self, state: str, primary: Plan) -> Therapist:
        """Whoever in the state may bill the primary plan; Dr. Cole's list is the longest."""
        able = [each for each in THERAPISTS if each.state == state and primary.payer_id not in each.not_with]
        return COLE if COLE in able and self.random.random() < 0.3 else self.random.choice(able)

    def _moments(self, therapist: Therapist) -> list[datetime]:
        """A weekday and hour that are free with the therapist, every week or two; the last may lie ahead."""
        free = [
            (weekday, hour)
            for weekday in range(5)
            for hour in (8, 9, 10, 11, 13, 14, 15, 16, 17, 18)
            if (therapist.npi, weekday, hour) not in self._slots
        ]
        weekday, hour = self.random.choice(free or [(5, 10)])
        self._slots.add((therapist.npi, weekday, hour))
        every, count = self.random.choice((7, 14, 14, 14, 21)), self.random.randrange(3, 11)
        if self.random.random() < 0.15:
            every, count = self.random.choice((14, 21)), 24  # in treatment for as long as we have been there
        room = (self.today - self.first_day).days
        if self.random.random() < 0.5:
            last = self.today + timedelta(days=self.random.randrange(1, 14))
        else:
            last = self.today - timedelta(days=self.random.randrange(4, max(5, room - 30)))
        last -= timedelta(days=(last.weekday() - weekday) % 7)
        days = [last - timedelta(days=every * number) for number in reversed(range(count))]
        days = [day for day in days if day >= self.first_day + timedelta(days=7)] or days[-1:]
        return [local(day, hour) for day in days]

    def _visit(self, moment: datetime, *, first: bool) -> Visit:
        outcome = self.random.choices(("come", "cancel", "no_show"), (93, 4, 3))[0]
        if outcome == "come" and moment.date() > self.today - timedelta(days=4) and self.random.random() < 0.6:
            outcome = "open"
        return Visit(
            moment,
            "90791" if first else self.random.choices(("90837", "90834", "90832"), (6, 3, 1))[0],
            outcome,
            telehealth=self.random.random() < 0.4,
        )
