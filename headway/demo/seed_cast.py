"""The demo's permanent cast and the clients to whom something particular happens: one for each thing to be seen.

Days are counted back from today and fit the exchanges of :data:`headway.demo.seed_year.EXCHANGES`.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from billing.flows import refresh_benefits
from headway.demo import cast
from headway.demo.cast import EVERGREEN, HARBOR
from headway.demo.seed_cases import Draw
from headway.demo.seed_insurers import BLUESTEM, CEDAR, GRANITE, LARKSPUR, SUMMIT, TIDEWATER, Plan, cob
from headway.demo.seed_people import COLE, DIAZ, OKOYE, THERAPISTS, Therapist
from headway.demo.seed_year import Case, Enrolled, Hook, Visit, Year, local
from insurance.models import Coverage

LINDQVIST = THERAPISTS[3]


class Cast:
    """Writes the cases of the cast. ``draw`` gives what does not matter: addresses, member ids."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.today = draw.today

    def cases(self) -> list[Case]:
        """Everybody with a part, in the order in which they join."""
        return [
            self.ana(),
            self.ben(),
            self.eve(),
            self.paused(),
            self.paused_with_reference(),
            self.resumed(),
            self.denied(),
            self.plan_ended(),
            self.new_card_number(),
            self.declined(),
            self.declined_then_paid(),
            self.no_card(),
            self.unknown_to_insurer(),
            self.no_plan(),
            self.out_of_network(),
            self.changes_plan(),
            *self.family(),
            self.three_plans(),
            self.which_plan_first(),
            self.another_plan_named(),
            *self.yearly_calls(),
        ]

    # Dates

    def ago(self, days: int, hour: int = 10) -> datetime:
        return local(self.today - timedelta(days=days), hour)

    def workday(self, days: int, hour: int = 10) -> datetime:
        """The weekday nearest to so many days ago (negative: ahead), Saturday's being the Friday before."""
        day = self.today - timedelta(days=days)
        day += timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))
        return local(day, hour)

    def yesterday(self, hour: int) -> datetime:
        """The last weekday before today."""
        day = self.today - timedelta(days=1)
        while day.weekday() > 4:
            day -= timedelta(days=1)
        return local(day, hour)

    def visits(self, days: Iterable[int], hour: int, *, open_ones: Iterable[int] = ()) -> list[Visit]:
        return [
            Visit(self.workday(each, hour), "90791" if number == 0 else "90837",
                  "open" if each in open_ones else "come")
            for number, each in enumerate(days)
        ]  # fmt: skip

    def case(
        self,
        first: str,
        last: str,
        plans: list[Plan],
        visits: list[Visit],
        *,
        born: date | None = None,
        therapist: Therapist = LINDQVIST,
        hooks: Iterable[tuple[datetime, Hook]] = (),
    ) -> Case:
        person = self.draw.person(state=therapist.state, first=first, last=last, born=born)
        joins = visits[0].starts_at - timedelta(days=5, hours=2)
        # A plan year that began eight months ago: no 1 January falls into a story and changes its figures.
        begins = (self.today - timedelta(days=243)).replace(day=1)
        return Case(person, therapist, plans, visits, joins, hooks=list(hooks), plan_year=begins)

    def own_and_spouses(self, last: str, partner: str) -> list[Plan]:
        """Evergreen through the client's own job, Harbor through the spouse's."""
        return [
            self.draw.plan(EVERGREEN, used={"deductible": "450.00", "out_of_pocket": "450.00"}),
            self.draw.plan(
                HARBOR,
                used={"deductible": "200.00", "out_of_pocket": "200.00"},
                holder=Coverage.Holder.SPOUSE,
                holder_name=(partner, last),
                holder_born=date(1986, 2, 1),
            ),
        ]

    # The permanent cast

    def ana(self) -> Case:
        """Two plans entered in the wrong order; refunds, one balance, one session waiting for the second plan.

        The balance, $64.00: Evergreen took back a claim from elsewhere, so that $80.00 of the deductible are open again
        when it decides the visit at Tessa Okoye's, who is not credentialed with Harbor. Of its $128.00 Ana paid 20%,
        $25.60; it leaves her $80.00 + 20% of $48.00 = $89.60.
        """
        plans = self.own_and_spouses("Rivera", "Ben")
        days = (75, 61, 47, 33, 19, 12, 5)
        visits = self.visits(days, 10)
        visits += [Visit(self.yesterday(10), outcome="open"), Visit(self.workday(-6)), Visit(self.workday(-13))]
        visits.append(Visit(self.workday(26, 15), "90834", therapist=OKOYE, telehealth=True))
        case = self.case("Ana", "Rivera", plans, visits, born=date(1988, 4, 12), therapist=COLE)
        case.stated, case.email, case.pays = [1, 0], "ana@example.com", False

        def taken_back(year: Year, one: Enrolled) -> None:
            year.world.patch_member(
                *one.address(EVERGREEN.payer_id),
                {
                    "used": {"deductible": "370.00", "out_of_pocket": "370.00"},
                    "reported": {"used": {"deductible": "500.00", "out_of_pocket": "600.00"}},
                },
            )

        case.hooks.append((self.ago(21), taken_back))
        return case

    def ben(self) -> Case:
        """Ana's spouse: the same two plans, the other way round."""
        plans = [
            self.draw.plan(HARBOR, used={"deductible": "200.00", "out_of_pocket": "200.00"}),
            self.draw.plan(
                EVERGREEN,
                used={"deductible": "380.00", "out_of_pocket": "380.00"},
                holder=Coverage.Holder.SPOUSE,
                holder_name=("Ana", "Rivera"),
                holder_born=date(1988, 4, 12),
            ),
        ]
        case = self.case("Ben", "Rivera", plans, self.visits((54, 40, 26, 12, -3), 16), born=date(1986, 2, 1))
        case.email, case.card = "ben@example.com", "pm_card_mastercard"
        return case

    def eve(self) -> Case:
        """One plan, Dr. Diaz: a stranger to Ana and to Dr. Cole."""
        plans = [self.draw.plan(SUMMIT)]
        visits = self.visits((58, 44, 30, 16, 2, -12), 13, open_ones=(2,))
        case = self.case("Eve", "Moran", plans, visits, born=date(1992, 7, 30), therapist=DIAZ)
        case.email = "eve@example.com"
        return case

    # Coordination of benefits lapses

    def _lapse(self, case: Case, days: int) -> Case:
        """So many days ago the first insurer's record of who pays first lapses."""

        def lapse(year: Year, one: Enrolled) -> None:
            year.world.patch_member(*one.address(case.plans[0].payer_id), {"cob": {"rank": "unresolved", "others": []}})

        case.hooks.append((self.ago(days, 8), lapse))
        return case

    def paused(self) -> Case:
        plans = self.own_and_spouses("Petrov", "Ilya")
        case = self.case("Nadia", "Petrov", plans, self.visits((46, 32, 18, 4, -10), 11))
        return self._lapse(case, 20)

    def paused_with_reference(self) -> Case:
        """The client has called and entered the number; the insurer has not put its records right yet."""
        plans = self.own_and_spouses("Osei", "Adwoa")
        case = self.case("Victor", "Osei", plans, self.visits((46, 32, 19, -9), 12))
        case.hooks.append((self.ago(6, 14), lambda year, one: year.give_reference(one, "EH-4471920")))
        return self._lapse(case, 34)

    def resumed(self) -> Case:
        """Paused, put right, resumed; the claim went out again and was paid."""
        plans = self.own_and_spouses("Hartmann", "Jonas")
        case = self.case("Lena", "Hartmann", plans, self.visits((53, 41, 27, 13, -1), 14))

        def put_right(year: Year, one: Enrolled) -> None:
            year.world.set_cob(*one.address(EVERGREEN.payer_id), cob(plans[0], plans))
            year.give_reference(one, "EH-4409313")
            year.confirm_what_is_left(one)

        case.hooks.append((self.ago(26, 15), put_right))
        return self._lapse(case, 54)

    # Claims that fail

    def denied(self) -> Case:
        """The plan begins to ask for an authorization that nobody has: CO 197."""
        plans = [self.draw.plan(GRANITE)]
        case = self.case("Devon", "Marsh", plans, self.visits((50, 34, -8), 9))

        def needs_authorization(year: Year, one: Enrolled) -> None:
            address = one.address(GRANITE.payer_id)
            plan = plans[0].member({}, case.begins, plans)["plan"]
            year.world.patch_member(*address, {"plan": {**plan, "authorization_required": True}})

        case.hooks.append((self.ago(29), needs_authorization))
        return case

    def plan_ended(self) -> Case:
        """The plan had ended before the session: PR 27."""
        plans = [self.draw.plan(CEDAR)]
        case = self.case("Rosa", "Delgado", plans, self.visits((42, 25), 15))

        def ended(year: Year, one: Enrolled) -> None:
            plan = plans[0].member({}, case.begins, plans)["plan"]
            day = (self.today - timedelta(days=28)).isoformat()
            year.world.patch_member(*one.address(CEDAR.payer_id), {"plan": {**plan, "terminated": day}})

        case.hooks.append((self.ago(24), ended))
        return case

    def new_card_number(self) -> Case:
        """A new member id that nobody told us: the claim is turned away before anybody decides on it."""
        plans = [self.draw.plan(SUMMIT)]
        case = self.case("Imani", "Brooks", plans, self.visits((39, 25, -4), 17))

        def reissued(year: Year, one: Enrolled) -> None:
            year.world.patch_member(*one.address(SUMMIT.payer_id), {"card_id": self.draw.member_id(SUMMIT)})

        case.hooks.append((self.ago(26), reissued))
        return case

    # Cards that fail

    def declined(self) -> Case:
        plans = [self.draw.plan(HARBOR)]
        case = self.case("Hugo", "Lemaire", plans, self.visits((20, 6, -7), 9), therapist=COLE)
        case.card, case.pays = "pm_card_chargeCustomerFail", False
        return case

    def declined_then_paid(self) -> Case:
        """Declined, then another card was put on file and the balance paid with it."""
        plans = [self.draw.plan(HARBOR)]
        case = self.case("Yara", "Haddadin", plans, self.visits((31, 17, -11), 10))
        case.card, case.pays = "pm_card_chargeCustomerFail", False

        def new_card(year: Year, one: Enrolled) -> None:
            cast.save_card(one.client, "pm_card_amex")
            year.pay(one)

        case.hooks.append((self.ago(14, 20), new_card))
        return case

    def no_card(self) -> Case:
        case = self.case("Otis", "Freeling", [self.draw.plan(SUMMIT)], self.visits((24, 10), 18), therapist=COLE)
        case.card = None
        return case

    # Plans that do not work out

    def unknown_to_insurer(self) -> Case:
        """A member id typed wrongly: the insurer knows nobody by it."""
        case = self.case("Paloma", "Reyes", [self.draw.plan(EVERGREEN)], [Visit(self.workday(-5, 11), "90791")])
        case.registered, case.joins = False, self.ago(3, 12)
        return case

    def no_plan(self) -> Case:
        case = self.case("Ezra", "Blum", [], [Visit(self.workday(-7, 12), "90791")])
        case.joins = self.ago(2, 12)
        return case

    def out_of_network(self) -> Case:
        """The only plan is one that we have no contract with: there is no price."""
        case = self.case("Saskia", "de Vries", [self.draw.plan(TIDEWATER)], [Visit(self.workday(-9, 13), "90791")])
        case.joins = self.ago(5, 12)
        return case

    def changes_plan(self) -> Case:
        """A new job, a new plan in the middle of the treatment."""
        case = self.case("Tobias", "Falk", [self.draw.plan(CEDAR)], self.visits((60, 46, 32, 18, 4, -10), 16))
        new = self.draw.plan(EVERGREEN, used={})

        def change(year: Year, one: Enrolled) -> None:
            year.world.put_member(new.payer_id, new.member_id, new.member(cast.person(one.client), case.begins, [new]))
            year.add_plan(one, new)
            refresh_benefits.remove_plan(one.coverages[CEDAR.payer_id])

        case.hooks.append((self.ago(38, 19), change))
        return case

    # Which plan pays first

    def three_plans(self) -> Case:
        """A plan through a job, one through the spouse's, and Medicaid, which pays after all others."""
        plans = [
            *self.own_and_spouses("Sandoval", "Teresa"),
            self.draw.plan(
                LARKSPUR, facts={"plan_type": Coverage.PlanType.MEDICAID, "holder_status": None, "employer_size": None}
            ),
        ]
        case = self.case("August", "Sandoval", plans, self.visits((62, 48, 34, 20, 6, -8), 9))
        case.stated = [2, 0, 1]
        return case

    def which_plan_first(self) -> Case:
        """Two jobs, a plan from each, and nobody has said how long: one answer settles which pays first."""
        plans = [self.draw.plan(EVERGREEN), self.draw.plan(HARBOR)]
        for plan in plans:
            plan.record = {"cob": None}  # neither insurer knows of the other
        return self.case(
            "Ines", "Carvalho", plans, [Visit(self.workday(-3, 12), "90791"), Visit(self.workday(-10, 12))]
        )

    def another_plan_named(self) -> Case:
        """Her insurer names a second plan that she never mentioned."""
        plan, other = self.draw.plan(SUMMIT), self.draw.plan(CEDAR)
        plan.record = {"cob": cob(plan, [plan, other])}
        case = self.case("Noor", "Haidari", [plan], self.visits((23, 9, -5), 13))

        def known_there_too(year: Year, one: Enrolled) -> None:
            document = other.member(cast.person(one.client), case.begins, [plan, other])
            year.world.put_member(other.payer_id, other.member_id, document)

        case.hooks.append((case.joins + timedelta(minutes=1), known_there_too))
        return case

    def yearly_calls(self) -> list[Case]:
        """Granite Peak wants its members to confirm their plans once a year: for one it is time, for one overdue."""
        found: list[Case] = []
        for first, last, partner, ago in (("Marisol", "Quintero", "Andres", 345), ("Dmitri", "Volkov", "Anya", 373)):
            plans = [
                self.draw.plan(GRANITE, used={}),
                self.draw.plan(
                    CEDAR, used={}, holder=Coverage.Holder.SPOUSE, holder_name=(partner, last),
                    holder_born=date(1984, 5, 19),
                ),
            ]  # fmt: skip
            case = self.case(first, last, plans, self.visits((52, 24, -4), 14 + len(found)))
            case.joins, case.plan_year = self.ago(ago, 11), None
            found.append(case)
        return found

    def family(self) -> list[Case]:
        """Mother and son on one high-deductible plan: each brings the other nearer to the family's limits."""
        together = {"family_deductible": "2600.00", "family_out_of_pocket": "2600.00"}
        mother = self.draw.plan(BLUESTEM, used={"deductible": "900.00", "out_of_pocket": "900.00", **together})
        mother.record = {"family": "NGUYEN"}
        son = self.draw.plan(
            BLUESTEM,
            used=together,
            holder=Coverage.Holder.MOTHER,
            holder_name=("Thuy", "Nguyen"),
            holder_born=date(1979, 3, 8),
            record={"family": "NGUYEN"},
        )
        return [
            self.case("Thuy", "Nguyen", [mother], self.visits((55, 41, 27, 13, -1), 12), born=date(1979, 3, 8)),
            self.case("Minh", "Nguyen", [son], self.visits((56, 42, 28, 14, -2), 17), born=date(2009, 6, 21)),
        ]
