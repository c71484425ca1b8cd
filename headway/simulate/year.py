"""The simulated year, day by day: what people do, what the insurers do, and what the product does by itself.

Every day has the same hours. In the morning the insurers' records change, the regular checks are put and asked; then
sessions are booked, held and confirmed; in the evening files are exchanged; at night the product's own sweep does what
is left. Work is shared among processes by household, and all of them meet between these steps.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import partial

from billing import tasks
from billing.flows import (
    book_session,
    collect_payment,
    confirm_session,
    exchange_claims,
    give_refund,
    order_plans,
    refresh_benefits,
)
from billing.ledger.posting import Book, balances_by_session
from billing.models import Payment, PaymentCard, Refund
from billing.services import costs
from billing.services.cards import default_card
from billing.services.payments import NothingToPay
from care.models import Session
from care.services.sessions import ClientPaused, Procedure
from common import clock
from common.money import ZERO
from common.states import move
from headway import demo
from headway.demo import cast
from headway.demo.seed_team import Team
from headway.demo.seed_year import local
from headway.demo.world import World
from headway.simulate import several, support
from headway.simulate.draw import BOOKED_AHEAD, MINUTES, Case, Insured, Population, Visit
from insurance.models import AccountPause, Claim, Coverage, EdiFile, EligibilityCheck, Payer
from insurance.services import eligibility, exchange, plan_order
from people.models import Client, Provider, User

MORNING, EVENING, NIGHT = 7, 20, 22
PAYING_WEEKDAY = SUPPORT_WEEKDAY = 4
LONGEST_WAIT = timedelta(days=90)
"""After the last session; by then every insurer has answered."""
A_DAY = timedelta(days=1)
PRESSES = 3

Tell = Callable[[date], None]


class Year:
    """This process's part of the year."""

    def __init__(self, world: World, team: Team, people: Population, fay: User) -> None:
        self.world = world
        self.team = team
        self.people = people
        self.fay = fay
        self.providers = {each.npi: each for each in Provider.objects.select_related("user")}
        self.payers = {each.payer_id: each for each in Payer.objects.all()}
        self.clients: dict[int, Client] = {}
        self._pauses_heard_of: set[int] = set()
        self._mornings: defaultdict[date, list[Callable[[], object]]] = defaultdict(list)
        self._days: defaultdict[date, list[tuple[datetime, int, Callable[[], object]]]] = defaultdict(list)
        for case in people.cases:
            if team.mine(case.household):
                self._expect(case)

    def play(self, tell: Tell) -> None:
        """Live from the first joining to the last answer; ``tell`` is told of each month that is over."""
        day = min(case.joins for case in self.people.cases)
        while day <= self.people.last_day or (day <= self.people.last_day + LONGEST_WAIT and self._something_is_open()):
            self._live(day)
            if (day + timedelta(days=1)).day == 1:
                tell(day)
            day += timedelta(days=1)
        tell(day - timedelta(days=1))

    def _something_is_open(self) -> bool:
        self.team.meet()
        travelling = (*Claim.UNSENT, Claim.Submission.SUBMITTED, Claim.Submission.RECEIVED, Claim.Submission.ACCEPTED)
        unanswered = Claim.objects.filter(decision=Claim.Decision.NONE, submission__in=travelling).exists()
        promised = Refund.objects.exclude(state__in=[Refund.State.SUCCEEDED, Refund.State.FAILED]).exists()
        waits = Session.objects.filter(status=Session.Status.SCHEDULED).exists()
        paused = AccountPause.objects.filter(cleared_at=None).exists()
        self.team.meet()
        return unanswered or promised or waits or paused

    # What will happen

    def _expect(self, case: Case) -> None:
        self._mornings[case.joins].append(partial(self._join, case))
        for plan in case.plans:
            for day, change in plan.changes:
                self._mornings[day].append(partial(self._change, plan, change))
            for day, used in plan.elsewhere:
                care = {"on": day.isoformat(), **used}
                self._mornings[day].append(partial(self.world.use_elsewhere, plan.payer_id, plan.key, care))
        if case.lapse is not None:
            self._mornings[case.lapse.on].append(partial(self._lapse, case))
        for visit in case.visits:
            booked = max(case.joins, clock.business_date(visit.starts_at) - BOOKED_AHEAD)
            self._at(local(booked, 9), case, partial(self._book, case, visit))

    def _at(self, moment: datetime, case: Case, do: Callable[[], object]) -> None:
        self._days[clock.business_date(moment)].append((moment, case.number, do))

    def _change(self, plan: Insured, change: dict[str, object]) -> None:
        self.world.patch_member(plan.payer_id, plan.key, change)

    # One day

    def _live(self, day: date) -> None:
        self._morning(day)
        self._hear_of_pauses(day)
        agenda = self._days[day]
        while agenda:
            # What happens today may put more on today's agenda.
            agenda.sort(key=lambda each: each[:2])
            moment, _number, do = agenda.pop(0)
            with clock.as_of(moment):
                do()
        self._evening(day)

    def _morning(self, day: date) -> None:
        with clock.as_of(local(day, MORNING)):
            self._lead(self.world.set_clock, local(day, MORNING))
            for do in self._mornings.pop(day, []):
                do()
            self._lead(tasks.plan_checks)
            self._lead(tasks.ask_after_calls)
        # An insurer takes so many questions a minute; those above wait for the next round.
        for minute in range(0, 60, 2):
            with clock.as_of(local(day, MORNING, minute)):
                self._share([pk for pk, _payer in eligibility.due_checks(limit=100_000)], refresh_benefits.refresh)
                waiting = EligibilityCheck.objects.filter(
                    state__in=EligibilityCheck.OPEN, next_attempt_at__lte=local(day, MORNING + 1)
                )
                goes_on = waiting.exists()
                self.team.meet()
            if not goes_on:
                break

    def _evening(self, day: date) -> None:
        with clock.as_of(local(day, EVENING)):
            self._lead(self._send)
        # Two hours later: what was sent has been acknowledged, and what was due is decided.
        with clock.as_of(local(day, NIGHT)):
            self._lead(self.world.set_clock, local(day, NIGHT))
            self._lead(exchange.fetch)
            for kind in (EdiFile.Kind.ACKNOWLEDGEMENT, EdiFile.Kind.CLAIM_ACKNOWLEDGEMENT, EdiFile.Kind.REMITTANCE):
                received = EdiFile.objects.filter(
                    direction=EdiFile.Direction.IN, kind=kind, state=EdiFile.State.RECEIVED
                )
                self._share(received.order_by("pk").values_list("pk", flat=True), read_file)
            promised = Refund.objects.filter(state=Refund.State.CREATED)
            self._share(promised.order_by("pk").values_list("pk", flat=True), give_refund.give)
            if day.weekday() == PAYING_WEEKDAY:
                self._pay()
            self._lead(tasks.sweep)
            if day.weekday() == SUPPORT_WEEKDAY:
                self._lead(self._support)

    def _send(self) -> None:
        self.world.set_clock(clock.now())
        exchange_claims.send_ready_claims()

    def _lead(self, do: Callable[..., object], *args: object) -> None:
        """The first process does it while the others wait."""
        self.team.meet()
        if self.team.leads:
            do(*args)
        self.team.meet()

    def _share(self, ids: Iterable[int], do: Callable[[int], object]) -> None:
        """Every process sees the same ids and does its part of them."""
        found = list(ids)
        self.team.meet()
        for number, pk in enumerate(found):
            if self.team.mine(number):
                do(pk)
        self.team.meet()

    # What people do

    def _join(self, case: Case) -> None:
        person = case.person
        client = cast.open_client(
            first=person.first, last=person.last, born=person.born, email=person.email, sex=person.sex,
            address=(person.street, person.city, person.state, person.zip_code),
            password=demo.PASSWORD if len(case.plans) > 1 else None,
        )  # fmt: skip
        self.clients[case.number] = client
        if case.card is not None:
            cast.save_card(client, case.card)
        for plan in case.plans:
            begins = date.fromisoformat(plan.record["plan"]["begins"])
            document = plan.member(cast.person(client), begins, list(case.plans))
            self.world.put_member(plan.payer_id, plan.key, document)
        for place in case.stated or range(len(case.plans)):
            plan = case.plans[place]
            coverage = refresh_benefits.add_plan(
                client=client,
                payer=self.payers[plan.payer_id],
                member_id=plan.member_id,
                **plan.coverage_facts(),
            )
            refresh_benefits.refresh(coverage.checks.get().pk)
        after = case.habits.answers_after
        if after == 0:
            self._answer(case)
        elif after is not None:
            self._at(local(case.joins + timedelta(days=after), 12), case, partial(self._answer, case))

    def _answer(self, case: Case) -> None:
        """The client answers what we ask about the order of the plans, one question leading to the next."""
        client = self.clients[case.number]
        assert client.user is not None
        while asked := plan_order.questions(client):
            plans = {f"plan {each.pk}": self._plan(case, each) for each in client.coverages.select_related("payer")}
            answers = {question.name: several.answer(question, case.facts, plans) for question in asked}
            if not order_plans.answer_question(client, answers, by=client.user).left:
                break

    @staticmethod
    def _plan(case: Case, coverage: Coverage) -> Insured:
        return next(each for each in case.plans if each.payer_id == coverage.payer.payer_id)

    def _lapse(self, case: Case) -> None:
        """An insurer wants its member to confirm other insurance, and stops paying until then."""
        assert case.lapse is not None
        plan = case.plans[case.lapse.plan]
        order = case.order(plan)
        said = {} if case.lapse.told else {"cob": plan.record.get("reported", {}).get("cob", order)}
        self._change(plan, {"cob": {**order, "rank": "unresolved"}, "reported": said})

    # What clients do about a pause

    def _hear_of_pauses(self, day: date) -> None:
        """Whoever is paused calls the insurer some days later."""
        mine = {client.pk: number for number, client in self.clients.items()}
        cases = {case.number: case for case in self.people.cases}
        pauses = AccountPause.objects.filter(cleared_at=None, client__in=mine).exclude(pk__in=self._pauses_heard_of)
        for pause in pauses.order_by("pk"):
            self._pauses_heard_of.add(pause.pk)
            case = cases[mine[pause.client_id]]
            call = local(day + timedelta(days=case.habits.calls_after), 12)
            self._at(call, case, partial(self._call, case, pause.pk))

    def _call(self, case: Case, pause_id: int) -> None:
        """The client calls the insurer, which puts its records right at once or later, and enters the number."""
        pause = AccountPause.objects.select_related("coverage__payer").get(pk=pause_id)
        if pause.cleared_at is not None:
            return
        plan = self._plan(case, pause.coverage)
        later = case.habits.records_after
        if later and case.lapse is not None and case.lapse.told:
            self._mornings[clock.today() + timedelta(days=later)].append(partial(self._records_right, case, plan))
        else:
            self._records_right(case, plan)
        number = f"{plan.payer_id}-{case.number:04d}-{clock.today():%m%d}"
        refresh_benefits.refresh(refresh_benefits.give_reference(pause, number).pk)

    def _records_right(self, case: Case, plan: Insured) -> None:
        self.world.set_cob(plan.payer_id, plan.key, case.order(plan))

    # What providers do

    def _book(self, case: Case, visit: Visit) -> None:
        """Book the visit; in a pause it is tried every day until its time has passed: then it does not take place."""
        tomorrow = clock.now() + A_DAY
        try:
            session = self._booked(case, visit)
        except ClientPaused:
            if tomorrow < visit.starts_at:
                self._at(tomorrow, case, partial(self._book, case, visit))
            return
        after = visit.starts_at + timedelta(minutes=MINUTES[visit.cpt] + 5)
        if visit.outcome == "cancel":
            self._at(max(clock.now(), visit.starts_at - A_DAY), case, partial(book_session.cancel, session))
        elif visit.outcome == "no_show":
            self._at(after, case, partial(self._no_show, session))
        else:
            self._at(after, case, partial(self._confirm, case, session))

    def _booked(self, case: Case, visit: Visit) -> Session:
        return book_session.book(
            client=self.clients[case.number],
            provider=self.providers[case.therapist.npi],
            starts_at=visit.starts_at,
            procedures=[Procedure(visit.cpt)],
            diagnoses=case.diagnoses,
            place=Session.Place.TELEHEALTH_HOME if visit.telehealth else Session.Place.OFFICE,
            minutes=MINUTES[visit.cpt],
        )

    def _no_show(self, session: Session) -> None:
        move(session, Session.STATUSES, Session.Status.NO_SHOW)
        costs.reprice(session.client)

    def _confirm(self, case: Case, session: Session) -> None:
        """The provider confirms the session; the card is charged. In a pause it is tried again the next day."""
        try:
            confirm_session.confirm(session)
        except ClientPaused:
            self._at(clock.now() + A_DAY, case, partial(self._confirm, case, session))
            return
        created = Payment.objects.filter(client=session.client_id, state=Payment.State.CREATED)
        for pk in created.values_list("pk", flat=True):
            collect_payment.charge(pk)

    def _support(self) -> None:
        plans = {(case.person.email, plan.payer_id): plan.key for case in self.people.cases for plan in case.plans}
        coverages = Coverage.objects.select_related("client", "payer")
        keys = {each.pk: plans[each.client.email, each.payer.payer_id] for each in coverages}
        support.work_through(self.world, self.fay, keys)

    def _pay(self) -> None:
        """Those who were asked for more pay it with their card."""
        owing = [session for session, owed in balances_by_session(Book.CLIENT_RECEIVABLE).items() if owed > ZERO]
        clients = set(Session.objects.filter(pk__in=owing).values_list("client_id", flat=True))
        for _number, client in sorted(self.clients.items()):
            card = default_card(client) if client.pk in clients else None
            if card is not None:
                _pay_now(client, card)


def _pay_now(client: Client, card: PaymentCard) -> None:
    """Press the button; when Stripe does not answer, press it again as the page says."""
    for left in reversed(range(PRESSES)):
        try:
            collect_payment.start_pay_now(client=client, card=card)
        except NothingToPay:
            return
        except collect_payment.StripeUnavailable:
            if not left:
                raise
        else:
            return


def read_file(pk: int) -> None:
    """Take in one received file."""
    exchange_claims.read(EdiFile.objects.get(pk=pk))
