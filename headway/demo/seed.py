"""Seeding the demo: once, whole, and recognisable as finished by the last account it makes."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from billing.flows import exchange_claims
from billing.gateways.stripe_gateway import gateway
from billing.models import Refund
from care.models import Session
from common import clock
from common.errors import DomainError
from common.hurry import unhurried
from headway import demo
from headway.demo import cast, seed_payouts
from headway.demo.seed_cases import Draw
from headway.demo.seed_cast import Cast
from headway.demo.seed_insurers import INSURERS, REMIT_DAYS
from headway.demo.seed_people import THERAPISTS
from headway.demo.seed_team import Team, together
from headway.demo.seed_year import Enrolled, Year, local
from headway.demo.stories import quiet
from headway.demo.world import World
from insurance.models import EdiFile, Payer
from insurance.x12 import x835
from people.models import Client, Provider, SupportRequest, User
from people.models.user import Role
from people.services import support_requests

FAY, GUS = "fay@example.com", "gus@example.com"
Tell = Callable[[str], None]


class NotSeeded(DomainError):
    """The demo cannot be made in this database, or not now."""


def is_finished() -> bool:
    """Whether the demo is there, whole: the auditor's account is the last thing that seeding makes."""
    return User.objects.filter(email=GUS).exists()


def seed(*, world: World, tell: Tell, clients: int, months: int, number: int, processes: int = 1) -> None:
    """Make the demo: the cast, ``clients`` more, and ``months`` of sessions; the same ``number`` draws the same people.

    A half-made demo is thrown away and made anew. Raises :class:`NotSeeded` when the stand-ins do not answer, or the
    database holds people who are none of the demo's; :class:`headway.demo.seed_team.TeamFailed`.
    """
    began = time.monotonic()
    _make_room(world, tell)
    today = clock.today()
    first_day = today - timedelta(days=round(months * 30.4))
    draw = Draw(number, today=today, first_day=first_day)
    cases = Cast(draw).cases() + [draw.case() for _ in range(clients)]
    cases.sort(key=lambda each: each.joins)

    def work(team: Team) -> None:
        gateway.cache_clear()  # a connection to Stripe cannot be shared either
        with _hasty_commits():
            year = _year(World(), team, first_day)
            for place, case in enumerate(cases):
                if team.mine(place):
                    year.enrol(case)
            year.plan_exchanges()
            year.plan_yearly_calls()
            if team.leads:
                year.at(local(today - timedelta(days=8), 9), _damaged_file, year)
            _plan_requests(year)
            year.play(lambda month: _tell_month(month, tell, began) if team.leads else None)
            team.meet()
            year.deliver_mail()

    with unhurried(), quiet(), _webhooks_dropped():
        _open(world, first_day)
        together(processes, work)
        seed_payouts.pay(first_day=first_day, by=User.objects.get(email=FAY))
        for insurer in INSURERS:
            cast.set_up_insurer(world, insurer)
        world.set_clock(None)
    cast.login(GUS, Role.AUDITOR, demo.PASSWORD, staff=True, superuser=False)


def _tell_month(month: date, tell: Tell, began: float) -> None:
    confirmed = Session.objects.filter(status=Session.Status.CONFIRMED).count()
    tell(
        f"{month:%B %Y}: {Client.objects.count()} clients, {Session.objects.count()} sessions, {confirmed} confirmed, "
        f"{Refund.objects.count()} refunds ({time.monotonic() - began:.0f} s)"
    )


def _make_room(world: World, tell: Tell) -> None:
    """An empty database and stand-ins that know nobody."""
    try:
        known = world.payers()
    except requests.RequestException as error:
        raise NotSeeded(f"The stand-in insurers do not answer at {world.insurers}: `make run` starts them.") from error
    somebody = User.objects.exists() or Client.objects.exists() or Provider.objects.exists() or Payer.objects.exists()
    if somebody:
        others = (
            User.objects.exclude(email__endswith="@example.com").exists()
            or Client.objects.exclude(email__endswith="@example.com").exists()
        )
        if others:
            raise NotSeeded(
                "The database holds people who are none of the demo's, so the demo is not made in it. Use an empty "
                "database, or `make reset`."
            )
        tell("a seeding that did not come to its end is thrown away")
        call_command("flush", interactive=False, verbosity=0)
    if known:
        world.start_afresh()


def _open(world: World, first_day: date) -> None:
    """Insurers, providers and support, as they were on the first day."""
    opened = local(first_day - timedelta(days=30), 9)
    with clock.as_of(opened), transaction.atomic():
        payers: dict[str, Payer] = {}
        for insurer in INSURERS:
            payers[insurer.payer_id] = cast.open_insurer(world, insurer)
            delays = {"remit_days": REMIT_DAYS[insurer.payer_id], "remit_seconds": 0}
            cast.set_up_insurer(
                world, insurer, delays=delays,
                not_credentialed=[each.npi for each in THERAPISTS if insurer.payer_id in each.not_with],
            )  # fmt: skip
        cast.login(FAY, Role.SUPPORT, demo.PASSWORD, staff=True)
        for each in THERAPISTS:
            cast.open_provider(
                first=each.first, last=each.last, npi=each.npi, email=each.email, licence=each.licence,
                state=each.state, password=demo.PASSWORD,
                payers=[payer for payer_id, payer in payers.items() if payer_id not in each.not_with],
                also_in=each.also_in, **each.looked_for,
            )  # fmt: skip


def _year(world: World, team: Team, first_day: date) -> Year:
    providers = {each.npi: each for each in Provider.objects.select_related("user")}
    payers = {each.payer_id: each for each in Payer.objects.all()}
    return Year(world, team=team, first_day=first_day, providers=providers, payers=payers)


# What happens besides sessions


def _damaged_file(year: Year) -> None:
    """A remittance arrives that is ten dollars off: it is set aside whole."""
    good = EdiFile.objects.filter(kind=EdiFile.Kind.REMITTANCE, state=EdiFile.State.PROCESSED).order_by("-pk").first()
    if good is None:
        return
    text = bytes(good.raw).decode()
    amount = next(x835.read(bytes(good.raw))).amount
    damaged = text.replace(f"*{_plain(amount)}*C*", f"*{_plain(amount + 10)}*C*", 1).replace("TRN*1*", "TRN*1*9", 1)
    year.world.set_clock(clock.now())
    year.world.lay_file(recipient=settings.CLEARINGHOUSE_SENDER_ID, kind="835", payload=damaged)
    exchange_claims.take_in()


def _plain(amount: object) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


REQUESTS: tuple[tuple[int, str, str, str, str], ...] = (
    (52, "Rivera", "benefits", "My first price was higher than the later ones. Is that right?",
     "Yes. Part of your deductible was open then. It has been met since, so you pay your 20% only."),
    (28, "Hartmann", "coordination", "You wrote that I have to call my insurer. What exactly do I say?",
     "Please tell them which plans you have and which one is through your own job, and ask them to update your "
     "coordination of benefits. Then enter the reference number on your plans page."),
    (22, "Freeling", "other", "Can I pay by bank transfer instead of a card?",
     "Not at the moment. You can pay each session with any card on the past appointments page."),
    (12, "Brooks", "benefits", "I got a new insurance card last month. Do you need it?", ""),
    (7, "Petrov", "coordination", "My account is paused and I have a session next week. Can it still take place?", ""),
    (4, "Marsh", "other", "My insurer sent me a letter that says my session was not authorized. What now?", ""),
    (1, "Rivera", "balance", "Why do I owe more for the visit with Tessa Okoye than you told me?", ""),
)  # fmt: skip
"""Days ago, last name of who asks, category, question, support's answer."""


def _plan_requests(year: Year) -> None:
    for days, last, category, body, answer in REQUESTS:
        asked = local(year.today - timedelta(days=days), 12)
        year.at(asked, _ask, year, last, category, body, answer)


def _ask(year: Year, last: str, category: str, body: str, answer: str) -> None:
    one = _first(year, last)
    if one is None or one.client.user is None:
        return
    request = support_requests.ask_support(author=one.client.user, client=one.client, category=category, body=body)
    if answer:
        fay = User.objects.get(email=FAY)
        year.at(clock.now() + timedelta(hours=20), _answer, request, answer, fay)


def _answer(request: SupportRequest, answer: str, by: User) -> None:
    support_requests.answer(request, text=answer, by=by)


def _first(year: Year, last: str) -> Enrolled | None:
    return next((one for one in year.enrolled.values() if one.client.last_name == last), None)


# How it is done in a minute


@contextlib.contextmanager
def _hasty_commits() -> Iterator[None]:
    """A crash may cost the last moments: a half-made demo is made anew anyhow."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        yield
        cursor.execute("RESET synchronous_commit")


@contextlib.contextmanager
def _webhooks_dropped() -> Iterator[None]:
    """Stripe's stand-in keeps its webhooks back: nobody is there yet to take them, and a year's would come at once."""
    if not settings.STRIPE_STAND_IN:
        yield
        return
    address = f"{settings.STRIPE_API_BASE}/_sandbox/faults"
    order = {"match": "*", "kind": "drop_webhook", "count": 1_000_000}
    requests.post(address, json=order, timeout=10).raise_for_status()
    try:
        yield
        time.sleep(0.3)  # the last ones are still on their way
    finally:
        requests.delete(address, timeout=10).raise_for_status()
