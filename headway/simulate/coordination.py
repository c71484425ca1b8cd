"""What became of clients with several plans and of pauses: order, sequence, causes, and whether all of it ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from care.models import Session
from headway.simulate import several
from headway.simulate.draw import Case, Population
from headway.simulate.their_books import Told
from insurance.models import AccountPause, Claim
from insurance.services import rework
from insurance.services.plan_order import plan_histories
from people.models import Client


@dataclass
class Coordination:
    """What is not as it must be, one sentence each, and how often what happened."""

    out_of_sequence: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)
    confirmed_in_a_pause: list[str] = field(default_factory=list)
    pauses_without_cause: list[str] = field(default_factory=list)
    still_paused: list[str] = field(default_factory=list)
    unnoticed: list[str] = field(default_factory=list)
    """Insurers that stopped paying without an account having paused."""
    orders_wrong: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    orders: dict[str, dict[str, int]] = field(default_factory=dict)
    """Clients with several plans, by how their order was found: how many, and the sessions that went out wrongly."""
    pauses: dict[str, int] = field(default_factory=dict)


def look(
    people: Population, clients: dict[int, Case], books: Iterable[Told], wrongly: set[tuple[int, date]]
) -> Coordination:
    """``clients``: by the id of our row. ``wrongly``: sessions whose claims went out in the wrong order at first, by
    client's number and day."""
    found = Coordination()
    _sequence(found, books)
    _orders(found, people, clients, wrongly)
    _pauses(found, clients)
    _unfinished(found, clients)
    return found


def _sequence(found: Coordination, books: Iterable[Told]) -> None:
    """Whether claims came to the insurers in order, and to every one that was to be asked."""
    for told in sorted(books, key=lambda each: (each.on, each.case.number)):
        who = f"client {told.case.number}, {told.on.isoformat()}"
        found.out_of_sequence += [f"{who}: {fault}" for fault in told.faults()]
        if told.case.found in ("", several.TOGETHER, several.AT_ONCE) and told.sent_in_wrong_order():
            found.out_of_sequence.append(f"{who}: sent in the wrong order")
        found.not_asked += [f"{who}: {plan.payer_id}" for plan in told.not_asked()]


def _orders(found: Coordination, people: Population, clients: dict[int, Case], wrongly: set[tuple[int, date]]) -> None:
    """Whether the plans of each client are in their true order in the end, with nothing left for a person."""
    rows = list(Client.objects.filter(pk__in=clients))
    histories = plan_histories(rows)
    for client in sorted(rows, key=lambda each: clients[each.pk].number):
        case = clients[client.pk]
        ours = [plan.payer.payer_id for plan in histories[client.pk].on(people.last_day)]
        if ours != [plan.payer_id for plan in case.plans]:
            found.orders_wrong.append(f"client {case.number} ({case.rule}, by {case.found or 'statement'}): {ours}")
    for claim in rework.for_a_person().select_related("session"):
        case = clients[claim.session.client_id]
        found.orders_wrong.append(f"client {case.number}, {claim.session.date}: left to a person")
    for case in people.cases:
        if len(case.plans) > 1:
            row = found.orders.setdefault(case.found or "stated rightly", {"clients": 0, "sessions sent wrongly": 0})
            row["clients"] += 1
            row["sessions sent wrongly"] += sum(number == case.number for number, _day in wrongly)
    found.orders = dict(sorted(found.orders.items()))


def _pauses(found: Coordination, clients: dict[int, Case]) -> None:
    """Whether each pause had a cause, ended, and kept sessions from being confirmed; whether a lapse went unnoticed."""
    noticed = set()
    pauses = AccountPause.objects.select_related("coverage__payer").order_by("client__email", "pk")
    for pause in pauses:
        case, payer_id = clients[pause.client_id], pause.coverage.payer.payer_id
        who = f"client {case.number}, {payer_id}"
        found.pauses[pause.evidence] = found.pauses.get(pause.evidence, 0) + 1
        lapsed = case.lapse is not None and case.plans[case.lapse.plan].payer_id == payer_id
        if lapsed:
            noticed.add(case.number)
        if not lapsed and case.found not in (several.LATER, several.ASKED, several.REFUSED):
            found.pauses_without_cause.append(f"{who}: {pause.evidence} {pause.evidence_codes}")
        if pause.cleared_at is None:
            found.still_paused.append(who)
        during = Session.objects.filter(client=pause.client_id, confirmed_at__gte=pause.opened_at)
        if pause.cleared_at is not None:
            during = during.filter(confirmed_at__lt=pause.cleared_at)
        found.confirmed_in_a_pause += [f"{who}: {session.date}" for session in during.order_by("date")]
    found.pauses = dict(sorted(found.pauses.items()))
    for case in sorted(clients.values(), key=lambda each: each.number):
        if case.lapse is not None and case.number not in noticed:
            found.unnoticed.append(f"client {case.number}, {case.plans[case.lapse.plan].payer_id}")


def _unfinished(found: Coordination, clients: dict[int, Case]) -> None:
    """Sessions that nobody finished, and claims that are still under way or wait for a person."""
    for session in Session.objects.filter(status=Session.Status.SCHEDULED).order_by("date", "client__email"):
        found.unfinished.append(f"client {clients[session.client_id].number}, {session.date}: {session.status}")
    open_claims = Claim.objects.exclude(
        submission__in=[Claim.Submission.ACCEPTED, Claim.Submission.NOT_NEEDED, Claim.Submission.REPLACED]
    )
    undecided = Claim.objects.filter(
        submission=Claim.Submission.ACCEPTED, decision__in=[Claim.Decision.NONE, Claim.Decision.COB]
    )
    for claim in (open_claims | undecided).exclude(frequency=Claim.VOID).select_related("session", "coverage__payer"):
        case = clients[claim.session.client_id]
        found.unfinished.append(
            f"client {case.number}, {claim.session.date}, {claim.coverage.payer.payer_id}: {claim.submission}"
        )
    found.unfinished.sort()
