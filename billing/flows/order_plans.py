"""Which plan pays first is decided anew: claims follow, prices follow, and who has to know is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from billing.flows import correct_benefits
from billing.flows.settle_remittance import follow
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from insurance.domain.plan_facts import Key
from insurance.domain.plan_questions import Question
from insurance.models import Claim, PlanOrder
from insurance.services import cob_facts, plan_order, rework
from people.models import Client, SupportRequest, User
from people.services import support_requests

CASE = "order of plans"
"""What a client's case with support about the order of plans names."""


class NothingToAsk(DomainError):
    """The order of the plans is settled: there is no question to answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What answers came to. ``changed``: another plan order than before is in force."""

    decision: PlanOrder | None
    changed: bool
    left: list[Question]
    """What would still settle the order."""
    case: SupportRequest | None
    """Support's case, where the client did not know."""

    @property
    def settled(self) -> bool:
        return not self.left and self.decision is not None and self.decision.certain


def put_in_order(client: Client) -> PlanOrder | None:
    """Decide the order of plans, and bring the claims of confirmed sessions into it where it says anything new.

    The decision in force today; ``None`` without a plan. The caller holds the client's lock, and prices afterwards.
    """
    newest = client.plan_orders.order_by("-pk").values_list("pk", flat=True)
    before = newest.first()
    decision = plan_order.decide(client)
    if newest.first() != before:
        _rework(client)
    return decision


def _rework(client: Client) -> None:
    history = plan_order.plan_histories([client])[client.pk]
    claimed = Session.objects.filter(pk__in=Claim.objects.filter(session__client=client).values("session"))
    today = clock.today()
    for session in claimed.select_related("client", "provider").order_by("date", "pk"):
        refused = session.claims.exclude(Claim.OUTSIDE).filter(decision=Claim.Decision.COB).exists()
        plans = history.as_known_on(today, session=session.date) if refused else history.on(session.date)
        changed = rework.rework(session, plans)
        if rework.add_last(session, history.as_known_on(today, session=session.date)) or changed:
            follow(session)


@transaction.atomic
def answer_question(client: Client, answers: Mapping[str, str | date | None], *, by: User) -> Answered:
    """Keep what somebody said to the open questions (by their names; ``None``: not known) and decide the order anew.

    A question that is not among ``answers`` stays open. What is not known goes to support, as one case. Sending the
    same again changes nothing. Raises ``BadInput`` naming the question whose answer is none of its answers, and
    :class:`NothingToAsk`.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    asked = {question.name: question for question in plan_order.questions(client)}
    if not asked:
        raise NothingToAsk(_("Thank you. We know by now which of your plans pays first."))
    learned: dict[Key, object] = {}
    unknown = []
    for name, question in asked.items():
        said = answers.get(name, "")
        if said is None:
            unknown.append(question)
        elif said != "":
            learned |= _learned(question, said)
    if not learned and not unknown:
        raise BadInput(_("Please answer at least one question, or say that you do not know."))
    before = _order(client)
    cob_facts.learn(client, learned, by=by)
    decision = put_in_order(client)
    correct_benefits.reprice(client)
    left = plan_order.questions(client)
    case = _case(client, unknown, by) if unknown and left else open_case(client)
    return Answered(decision, _order(client) != before, left, case)


def _learned(question: Question, said: str | date) -> dict[Key, object]:
    try:
        learned = question.learned(said)
    except ValueError:
        raise BadInput(_("Please choose one of the answers."), question.name) from None
    if isinstance(said, date) and said > clock.today():
        raise BadInput(_("This day is in the future."), question.name)
    return learned


def _order(client: Client) -> list[int]:
    return [plan.pk for plan in plan_order.plans_in_order(client, on=clock.today())]


@transaction.atomic
def state_facts(
    client: Client, facts: Mapping[str, object], plans: Mapping[int, Mapping[str, object]], *, by: User
) -> PlanOrder | None:
    """Support sets what is known of the client and the plans; the order, claims and prices follow.

    ``facts``: columns of ``CobFacts``; ``plans``: coverage id → columns of ``Coverage``. Empty: not known.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    cob_facts.state(client, facts, by=by)
    cob_facts.learn(
        client, {(f"plan {pk}", fact): value for pk, each in plans.items() for fact, value in each.items()}, by=by
    )
    decision = put_in_order(client)
    correct_benefits.reprice(client)
    return decision


# --- Support ----------------------------------------------------------------------------------------------------------


def open_case(client: Client) -> SupportRequest | None:
    """What support was asked about the order of this client's plans, while it is open."""
    cases = SupportRequest.objects.filter(client=client, reference=CASE, state=SupportRequest.State.OPEN)
    return cases.order_by("pk").first()


def _case(client: Client, unknown: list[Question], by: User) -> SupportRequest:
    text = "\n".join([_("I do not know:"), *(question.text for question in unknown)])
    case = open_case(client)
    if case is None:
        category = SupportRequest.Category.COORDINATION
        return support_requests.ask_support(author=by, client=client, category=category, body=text, reference=CASE)
    return support_requests.add(case, text=text)


@transaction.atomic
def put_right(claim: Claim, *, reason: str, by: User) -> bool:
    """Support has decided that a session's claims are sent again in the right order though an insurer has paid.

    Whether anything was changed. The reversal that the insurer then sends is booked as it comes.
    """
    client = Client.objects.select_for_update(no_key=True).get(sessions__claims=claim.pk)
    session = claim.session
    plans = plan_order.plans_in_order(client, on=session.date)
    changed = rework.rework(session, plans, by=by)
    if changed:
        rework.leave(claim, reason=reason, by=by)
        follow(session)
    return changed


@transaction.atomic
def leave_as_sent(claim: Claim, *, reason: str, by: User) -> None:
    """Support has decided that a session's claims stay as they went out."""
    Client.objects.select_for_update(no_key=True).get(sessions__claims=claim.pk)
    rework.leave(claim, reason=reason, by=by)
