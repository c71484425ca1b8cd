"""The demo's year, played through the product's own flows and the stand-ins' own answers, step by step in order.

An agenda holds what happens when: somebody joins, a session is booked, held and confirmed, claims go out, answers come
in, a balance is paid. Each step lives at its moment (``clock.as_of``; the stand-in insurers' clock goes along), so that
every row tells the time at which it would have been written. Nothing is sent to the worker: the steps do its work.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings

from billing.flows import book_session, collect_payment, confirm_session, exchange_claims, give_refund, refresh_benefits
from billing.ledger.posting import Book, balances_by_session
from billing.models import Payment, Refund
from billing.services import costs, prices
from billing.services.cards import default_card
from billing.services.payments import NothingToPay
from care.access import get_session
from care.models import Session
from care.services.sessions import ClientPaused, Procedure
from common import clock
from common.money import ZERO
from common.states import move
from headway import demo
from headway.demo import cast
from headway.demo.seed_insurers import Plan
from headway.demo.seed_people import Person, Therapist
from headway.demo.seed_team import Team
from headway.demo.world import World
from insurance.models import AccountPause, Coverage, EdiFile, EligibilityCheck, Payer, Recertification
from insurance.services import exchange, recertification
from notifications import outbox
from notifications.models import Email
from people.models import Client, Provider

GIVEN_OUT = timedelta(days=10)
"""Mail of the last days still lies in the demo's mailbox; what is older was delivered long ago, to no one."""

EXCHANGES = (2, 9, 16, 23, 30, 44, 58)
"""Days before today on which claims and answers are exchanged; before these every five weeks."""

CALLS_FROM = 45
"""Days before today from which on yearly calls to insurers are asked for: none that matter were due before."""

MINUTES = {"90791": 60, "90837": 53, "90834": 45, "90832": 30}


@dataclass(frozen=True, slots=True)
class Visit:
    """One session to be. ``outcome``: come, cancel, no_show, or open (nobody has confirmed it yet)."""

    starts_at: datetime
    cpt: str = "90837"
    outcome: str = "come"
    therapist: Therapist | None = None
    telehealth: bool = False


Hook = Callable[["Year", "Enrolled"], None]


@dataclass
class Case:
    """One client of the demo: who, with which plans, seeing whom when, and what else happens to them.

    ``plans`` in the order in which they truly pay, ``stated`` the order in which the client enters them. ``card`` is
    Stripe's public test token, ``None`` for no card. ``pays`` a balance within days, or lets it lie.
    """

    person: Person
    therapist: Therapist
    plans: list[Plan]
    visits: list[Visit]
    joins: datetime
    stated: list[int] = field(default_factory=list)
    card: str | None = "pm_card_visa"
    pays: bool = True
    registered: bool = True
    diagnoses: tuple[str, ...] = ("F41.1",)
    email: str = ""
    hooks: list[tuple[datetime, Hook]] = field(default_factory=list)
    plan_year: date | None = None

    @property
    def begins(self) -> date:
        """First day of the plan year in which the client joins: 1 January unless ``plan_year`` says another."""
        return self.plan_year or date(self.joins.year, 1, 1)


@dataclass
class Enrolled:
    """A client who has joined."""

    case: Case
    client: Client
    coverages: dict[str, Coverage] = field(default_factory=dict)

    def address(self, payer_id: str) -> tuple[str, str]:
        """Where the insurer keeps the member: payer id and member id."""
        return payer_id, self.coverages[payer_id].member_id


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment by the business clock."""
    return datetime.combine(day, time(hour, minute), tzinfo=clock.BUSINESS_ZONE)


class Year:
    """The agenda and the people in it. ``providers`` by NPI, ``payers`` by payer id."""

    def __init__(
        self,
        world: World,
        *,
        team: Team,
        first_day: date,
        providers: dict[str, Provider],
        payers: dict[str, Payer],
    ) -> None:
        self.world = world
        self.team = team
        self.now = clock.now()
        self.today = clock.today()
        self.first_day = first_day
        self.providers = providers
        self.payers = payers
        self.enrolled: dict[int, Enrolled] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = 0
        self._addresses: set[str] = set()

    # The agenda

    def at(self, moment: datetime, do: Callable[..., None], *args: Any) -> None:
        """Do something then; what lies ahead of the present is left to the future."""
        if moment <= self.now:
            self._number += 1
            heapq.heappush(self._agenda, (moment, self._number, lambda: do(*args)))

    def play(self, on_month: Callable[[date], None]) -> None:
        """Live through the agenda; ``on_month`` is told of each month that is over."""
        month = None
        while self._agenda:
            moment, _number, do = heapq.heappop(self._agenda)
            this = clock.business_date(moment).replace(day=1)
            if month is not None and this > month:
                on_month(month)
            month = max(month or this, this)
            with clock.as_of(moment):
                do()
        if month is not None:
            on_month(month)

    def plan_exchanges(self) -> None:
        """Put the exchanges with the insurers on the agenda."""
        days = list(EXCHANGES)
        while self.today - timedelta(days=days[-1]) > self.first_day:
            days.append(days[-1] + 35)
        for ago in days:
            self.at(local(self.today - timedelta(days=ago), 18), self.exchange)

    def plan_yearly_calls(self) -> None:
        """Put on the agenda the mornings on which clients may be written to about a yearly call to an insurer."""
        for ago in range(CALLS_FROM + 1):
            self.at(local(self.today - timedelta(days=ago), 7), self.ask_to_call)

    def ask_to_call(self) -> None:
        """Yearly calls that are due within a month are noted, and the client is written to."""
        recertification.open_due()
        mine = Recertification.objects.filter(pk__in=recertification.to_remind(), coverage__client__in=self.enrolled)
        for pk in mine.order_by("pk").values_list("pk", flat=True):
            recertification.remind(pk)
        self.deliver_mail()

    # What happens to clients

    def enrol(self, case: Case) -> None:
        """Put everything a case brings with it on the agenda."""
        self.at(case.joins, self._join, case)

    def _join(self, case: Case) -> None:
        person = case.person
        client = cast.open_client(
            first=person.first,
            last=person.last,
            born=person.born,
            email=case.email or person.email,
            sex=person.sex,
            address=(person.street, person.city, person.state, person.zip_code),
            password=demo.PASSWORD,
        )
        one = self.enrolled[client.pk] = Enrolled(case, client)
        self._addresses.add(client.email)
        if case.card is not None:
            cast.save_card(client, case.card)
        for plan in case.plans:
            if case.registered:
                document = plan.member(cast.person(client), case.begins, case.plans)
                self.world.put_member(plan.payer_id, plan.member_id, document)
        for place in case.stated or range(len(case.plans)):
            self.add_plan(one, case.plans[place])
        for visit in case.visits:
            self.at(max(clock.now(), visit.starts_at - timedelta(days=15)), self._book, one, visit)
        january = date(clock.business_date(case.joins).year + 1, 1, 2)
        if case.plan_year is None and any(clock.business_date(visit.starts_at) >= january for visit in case.visits):
            self.at(local(january, 7), self.check, one, EligibilityCheck.Reason.SCHEDULED)
        for moment, hook in case.hooks:
            self.at(moment, self._let_happen, hook, one)
        self.deliver_mail()

    def _let_happen(self, hook: Hook, one: Enrolled) -> None:
        # What the insurers had to decide before is decided before.
        self.world.set_clock(clock.now())
        hook(self, one)

    def add_plan(self, one: Enrolled, plan: Plan) -> None:
        """The client enters a plan; its insurer is asked at once."""
        coverage = refresh_benefits.add_plan(
            client=one.client,
            payer=self.payers[plan.payer_id],
            member_id=plan.member_id,
            **plan.coverage_facts(),
        )
        one.coverages[plan.payer_id] = coverage
        self._ask(coverage.checks.get())

    def check(self, one: Enrolled, reason: str) -> None:
        """Ask the client's insurers again."""
        for coverage in Coverage.objects.filter(client=one.client, removed_at=None):
            self._ask(refresh_benefits.ask_again(coverage, reason=reason))

    def _ask(self, check: EligibilityCheck) -> None:
        self.world.set_clock(clock.now())
        refresh_benefits.refresh(check.pk)

    def _book(self, one: Enrolled, visit: Visit) -> None:
        therapist = visit.therapist or one.case.therapist
        try:
            session = book_session.book(
                client=one.client,
                provider=self.providers[therapist.npi],
                starts_at=visit.starts_at,
                procedures=[Procedure(visit.cpt)],
                diagnoses=one.case.diagnoses,
                place=Session.Place.TELEHEALTH_HOME if visit.telehealth else Session.Place.OFFICE,
                minutes=MINUTES[visit.cpt],
            )
        except ClientPaused:
            return
        if visit.outcome == "cancel":
            self.at(visit.starts_at - timedelta(days=2, hours=3), self._cancel, session)
        elif visit.outcome == "no_show":
            self.at(visit.starts_at + timedelta(hours=1), self._no_show, session)
        elif visit.outcome == "come":
            # Each provider has a time of the evening for it, so that not everything is confirmed in one minute.
            evening = timedelta(minutes=MINUTES[visit.cpt] + 20 + session.pk * 7 % 100)
            self.at(visit.starts_at + evening, self.confirm, session)

    def _cancel(self, session: Session) -> None:
        book_session.cancel(session)

    def _no_show(self, session: Session) -> None:
        move(session, Session.STATUSES, Session.Status.NO_SHOW)
        costs.reprice(session.client)

    def confirm(self, session: Session) -> None:
        """The provider opens the session and confirms it; the card is charged."""
        user = session.provider.user
        if user is not None:
            session = get_session(user, session.pk, purpose="confirm session")
        try:
            confirm_session.confirm(session)
        except (ClientPaused, prices.NoPrice):
            return  # it stays on the provider's list, with the reason
        for payment in Payment.objects.filter(client=session.client_id, state=Payment.State.CREATED):
            collect_payment.charge(payment.pk)
        self.deliver_mail()

    def confirm_what_is_left(self, one: Enrolled) -> None:
        """Confirm sessions that waited for the account to resume."""
        for session in Session.objects.filter(
            client=one.client, status=Session.Status.SCHEDULED, starts_at__lt=clock.now()
        ).order_by("starts_at"):
            self.confirm(session)

    def give_reference(self, one: Enrolled, number: str) -> None:
        """The client has called the insurer and enters the reference number."""
        pause = AccountPause.objects.filter(client=one.client, cleared_at=None).first()
        if pause is not None:
            self._ask(refresh_benefits.give_reference(pause, number))
            self.deliver_mail()

    def pay(self, one: Enrolled) -> None:
        """The client presses "pay now"."""
        card = default_card(one.client)
        if card is None:
            return
        try:
            collect_payment.start_pay_now(client=one.client, card=card)
        except NothingToPay:
            return
        self.deliver_mail()

    # What happens between us and the insurers

    def exchange(self) -> None:
        """Take in what came since the last time, send what is ready, take in the acknowledgements, give refunds."""
        self._take_in()
        exchange_claims.send_ready_claims()
        with clock.as_of(clock.now() + timedelta(hours=2)):
            self._take_in()
            promised = Refund.objects.filter(state=Refund.State.CREATED, session__client__in=self.enrolled)
            for pk in promised.order_by("pk").values_list("pk", flat=True):
                give_refund.give(pk)
            self.deliver_mail()
        self._expect_payments()

    def _take_in(self) -> None:
        """Fetch, and share the files out, one kind after the other: a claim is received before it is accepted."""
        self.team.meet()
        if self.team.leads:
            self.world.set_clock(clock.now())
            exchange.fetch()
        for kind in (EdiFile.Kind.ACKNOWLEDGEMENT, EdiFile.Kind.CLAIM_ACKNOWLEDGEMENT, EdiFile.Kind.REMITTANCE):
            self.team.meet()
            received = EdiFile.objects.filter(
                direction=EdiFile.Direction.IN, kind=kind, state=EdiFile.State.RECEIVED
            ).order_by("pk")
            # Counted by their order, not by their key: keys of one kind may be all even.
            for number, file in enumerate(list(received)):
                if self.team.mine(number):
                    exchange_claims.read(file)
        self.team.meet()

    def _expect_payments(self) -> None:
        owing = [session for session, owed in balances_by_session(Book.CLIENT_RECEIVABLE).items() if owed > ZERO]
        clients = Session.objects.filter(pk__in=owing).values_list("client_id", flat=True).distinct()
        for pk in sorted(set(clients)):
            one = self.enrolled.get(pk)
            if one is not None and one.case.pays:
                self.at(clock.now() + timedelta(days=2 + pk % 5, hours=pk % 3), self.pay, one)

    def deliver_mail(self) -> None:
        """Send what is waiting: recent mail to the mailbox, older mail to a mail server that keeps nothing."""
        waiting = Email.objects.filter(
            state=Email.State.QUEUED, next_attempt_at__lte=clock.now(), to__in=self._addresses
        )
        due = list(waiting.order_by("pk").values_list("pk", flat=True))
        if not due:
            return
        recent = clock.now() > self.now - GIVEN_OUT
        before = settings.EMAIL_BACKEND
        if not recent:
            settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        try:
            for pk in due:
                outbox.deliver(pk)
        finally:
            settings.EMAIL_BACKEND = before
