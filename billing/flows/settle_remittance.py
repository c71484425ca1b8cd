"""An insurer has answered a claim: money is booked, the cost follows, the next plan is asked, the client is settled.

One claim's result is one transaction, posted once however often this runs.
"""

from collections.abc import Iterable
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.flows import correct_benefits
from billing.ledger.posting import Book, Posting, post, unposted
from billing.models import SessionCost
from billing.services import autopay, costs, insurer_money, refunds
from billing.services.balances import booked_cost, session_balance
from billing.services.plan_years import Truth
from care.models import Session
from common import clock
from common.hurry import hurry
from common.money import ZERO, dollars, plain
from common.states import move
from insurance.domain.decisions import Meaning
from insurance.models import AccountPause, Adjudication, Claim, ProviderAdjustment, Remittance
from insurance.services import claims, pauses, sequence
from insurance.services.claim_content import answer_in_force, decision_of
from notifications import messages, outbox
from people.models import Client

log = structlog.get_logger(__name__)

DECIDED = (Claim.Decision.PAID, Claim.Decision.DENIED, Claim.Decision.ROUTED)
"""The plan has spoken: what it does not pay is left to the plans after it, once one of them has answered."""


def settle(remittance: Remittance) -> None:
    """Post every claim of a payment and its provider-level adjustments. Restartable anywhere.

    What is wrong with one claim keeps no other one waiting: it stays unposted, and is tried again at every sweep.
    """
    for adjudication_id in remittance.adjudications.filter(posted_at=None).values_list("pk", flat=True):
        try_to_settle(adjudication_id)
    for adjustment in remittance.provider_adjustments.all():
        _book_provider_adjustment(remittance, adjustment)


def settle_what_is_left() -> None:
    """Post what was recorded but not posted before the worker died, oldest first."""
    for pk in Adjudication.objects.filter(posted_at=None).order_by("pk").values_list("pk", flat=True):
        try_to_settle(pk)
    for adjustment in unposted(ProviderAdjustment.objects.select_related("remittance"), "provider_adjustment"):
        _book_provider_adjustment(adjustment.remittance, adjustment)


def try_to_settle(adjudication_id: int) -> None:
    """:func:`settle_adjudication`; a failure is logged, and this claim's result stays in the queue."""
    try:
        settle_adjudication(adjudication_id)
    except Exception:
        log.exception("adjudication_not_posted", adjudication=adjudication_id)


@transaction.atomic
def settle_adjudication(adjudication_id: int) -> None:
    """Post one claim's result: cash, decision, cost, next claim, refund or balance due. Posting it twice is harmless.

    Locks the client first, as every flow does, so that a confirmation, a payment or a pause cannot pass it. A session's
    results are posted in the order in which they came: one whose predecessor could not be posted waits for it.
    """
    adjudication = Adjudication.objects.select_related("claim__session").get(pk=adjudication_id)
    if adjudication.claim is not None:
        Client.objects.select_for_update(no_key=True).get(pk=adjudication.claim.session.client_id)
    adjudication = (
        Adjudication.objects.select_for_update(of=("self",))
        .select_related("claim__session__client", "claim__coverage__payer", "remittance__file")
        .get(pk=adjudication_id)
    )
    claim = adjudication.claim
    if adjudication.posted_at is not None:
        return
    if claim is not None:
        earlier = Adjudication.objects.filter(claim__session=claim.session_id, posted_at=None, pk__lt=adjudication_id)
        if earlier.exists():
            log.warning("adjudication_waits", adjudication=adjudication_id)
            return
    Adjudication.objects.filter(pk=adjudication_id).update(posted_at=clock.now())
    _book_cash(adjudication, claim)
    if claim is not None:
        take_in(claim, adjudication)


def take_in(claim: Claim, adjudication: Adjudication) -> None:
    """What follows from an answer to ``claim`` whose money is booked. The caller holds the client's lock."""
    _decide(claim, adjudication)
    follow(claim.session, adjudication)
    correct_benefits.reprice(claim.session.client, known=_learn(adjudication))


def _learn(adjudication: Adjudication) -> Truth | None:
    """Nothing that is wrong with what we conclude from an answer may keep its money from being booked."""
    try:
        with transaction.atomic():
            return correct_benefits.learn(adjudication)
    except Exception:
        log.exception("answer_not_compared", adjudication=adjudication.pk)
        return None


def _book_cash(adjudication: Adjudication, claim: Claim | None) -> None:
    """What the insurer paid for this claim; money we cannot match yet waits in suspense."""
    if adjudication.paid == ZERO:
        return
    remittance = adjudication.remittance
    payer = remittance.payer_id
    if claim is None:
        against = Posting(Book.INSURER_SUSPENSE, -adjudication.paid, payer=payer)
    else:
        against = Posting(
            Book.INSURER_RECEIVABLE,
            -adjudication.paid,
            client=claim.session.client_id,
            session=claim.session_id,
            payer=claim.coverage.payer_id,
        )
    post(
        key=f"adjudication:{adjudication.pk}",
        memo=f"{remittance.payer_name} paid claim {adjudication.control_number}",
        occurred_on=remittance.day,
        lines=[Posting(Book.BANK, adjudication.paid, payer=payer), against],
    )


def _book_provider_adjustment(remittance: Remittance, adjustment: ProviderAdjustment) -> None:
    """A PLB pair belongs to no claim: it changes the payment and waits in suspense for a person."""
    post(
        key=f"provider_adjustment:{adjustment.pk}",
        memo=f"{remittance.payer_name} {adjustment.code} {adjustment.reference}".strip(),
        occurred_on=remittance.day,
        lines=[
            Posting(Book.INSURER_SUSPENSE, adjustment.amount, payer=remittance.payer_id),
            Posting(Book.BANK, -adjustment.amount, payer=remittance.payer_id),
        ],
    )


_DECISIONS = {
    Meaning.PROCESSED: Claim.Decision.PAID,
    Meaning.MEMBER_MUST_UPDATE_COB: Claim.Decision.COB,
    Meaning.OTHER_PAYS_FIRST: Claim.Decision.COB,
    Meaning.DENIED: Claim.Decision.DENIED,
    Meaning.WRONG_PAYER: Claim.Decision.ROUTED,
    Meaning.DUPLICATE: Claim.Decision.DENIED,
}
_EVENTS = {
    Meaning.PROCESSED: "processed",
    Meaning.REVERSED: "reversed",
    Meaning.MEMBER_MUST_UPDATE_COB: "cob",
    Meaning.OTHER_PAYS_FIRST: "cob",
    Meaning.DENIED: "denied",
    Meaning.WRONG_PAYER: "routed",
    Meaning.DUPLICATE: "duplicate",
}


def _decide(claim: Claim, adjudication: Adjudication) -> None:
    """Bring the claim's state to what its plan's answers come to, this one included."""
    file = adjudication.remittance.file
    claims.note(claim, _EVENTS[adjudication.decision.meaning], adjudication.explanation, file=file)
    if claim.submission == Claim.Submission.REPLACED:
        # A late word on a claim that another one took the place of: its money is booked, the other one decides.
        return
    if adjudication.payer_control_number and not claim.payer_control_number:
        Claim.objects.filter(pk=claim.pk).update(payer_control_number=adjudication.payer_control_number)
    if claim.submission != Claim.Submission.ACCEPTED:
        # A decision proves that the claim was taken in, whatever acknowledgement is still on its way, and even when
        # another insurer brought it there: it must never be sent again.
        move(claim, Claim.SUBMISSIONS, Claim.Submission.ACCEPTED, reason="")
    in_force = answer_in_force(claim)
    target = Claim.Decision.REVERSED if in_force is None else _DECISIONS[in_force.decision.meaning]
    duplicate = in_force is not None and in_force.decision.meaning is Meaning.DUPLICATE
    if duplicate and claim.decision == Claim.Decision.NONE and sequence.was_sent_on(claim):
        # It has the claim from the plan before it: its decision on that one is still to come.
        target = Claim.Decision.NONE
    if claim.decision != target:
        move(claim, Claim.DECISIONS, target)
    if target not in (Claim.Decision.PAID, Claim.Decision.NONE) and not sequence.is_last_word(claim):
        claims.call_back(claim)
    if target == Claim.Decision.ROUTED and in_force is not None:
        later = [each for each in claims.sequence(claim.session) if each.rank > claim.rank]
        sequence.send_on(claim, in_force, later)
    if target == Claim.Decision.COB and in_force == adjudication:
        pauses.open_on_claim(
            claim=claim,
            evidence=AccountPause.Evidence.REMITTANCE,
            codes=adjudication.decision.codes,
            file=file,
            decided_on=adjudication.remittance.day,
        )


def follow(session: Session, news: Adjudication | None = None) -> None:
    """Bring the session to what its claims' decisions come to: the next plan's claim, the cost, the settlement.

    It looks at all claims and not at what came last, so that answers may come in any order, twice, or be taken back.
    The cost is final when a plan has processed its claim, every plan ahead of it has decided, and no later one is to be
    asked. ``news`` is the answer that was just posted. The caller holds the client's lock; repeating it adds nothing.
    """
    cost = _final_cost(session)
    if cost is None:
        insurer_money.pass_on(session)
    else:
        settle_final(session, cost, news)


def _final_cost(session: Session) -> SessionCost | None:
    """Write what the session costs after what the plans have said, and ask the next one; the cost if it is final."""
    if session.status != Session.Status.CONFIRMED:
        return None  # voided: what its insurers still send is booked, and nothing follows from it
    planned = claims.sequence(session)
    if sequence.ask_anew(planned):
        planned = claims.sequence(session)
    spoken = [claim for claim in planned if claim.decision == Claim.Decision.PAID or sequence.is_last_word(claim)]
    if not spoken:
        return None
    last = spoken[-1]
    asked = [claim for claim in planned if claim.submission != Claim.Submission.NOT_NEEDED]
    if any(claim.rank < last.rank and claim.decision not in DECIDED for claim in asked):
        return None
    before = costs.current_cost(session)
    assert before is not None, "a claimed session was priced at confirmation"
    answer = decision_of(last)
    assert answer is not None, "it has spoken"
    share = client_share(spoken, before)
    later = [claim for claim in planned if claim.rank > last.rank]
    processed = [claim for claim in spoken if claim.decision == Claim.Decision.PAID]
    sequence.go_on(last, answer, later, nothing_left=bool(processed) and share == ZERO)
    if not processed:
        # No plan has paid: a person looks before the client is asked for anything.
        return None
    final = all(claim.submission == Claim.Submission.NOT_NEEDED for claim in later) and sequence.may_end_with(last)
    if final:
        sequence.note_end(last, answer)
        share = sequence.not_for_our_lateness(share, planned, charged=_charged(session, before))
    basis = SessionCost.Basis.FINAL if final else SessionCost.Basis.AFTER_PRIMARY
    primary = last.rank == planned[0].rank
    cost = before
    if (before.amount, before.basis) != (share, basis):
        cost = SessionCost.objects.create(
            session=session,
            coverage=before.coverage,
            amount=share,
            allowed=before.allowed,
            basis=basis,
            reason=SessionCost.Reason.PRIMARY_PROCESSED if primary else SessionCost.Reason.SECONDARY_PROCESSED,
            adjudication=answer,
            breakdown=_breakdown(processed, last, share, final=final),
        )
    return cost if final else None


def _charged(session: Session, before: SessionCost) -> Decimal:
    """What the session cost by the estimate that was charged, in dollars."""
    estimate = session.costs.filter(basis=SessionCost.Basis.ESTIMATE).order_by("-pk").first()
    amount: Decimal = (estimate or before).amount
    return amount


def client_share(spoken: Iterable[Claim], before: SessionCost) -> Decimal:
    """What the client owes after the plans that have ``spoken``, in dollars, from their remittances.

    The least of what any of them leaves to the patient, and never more than the first plan's contract allows: each
    contract bounds the client's part. A denial bounds it where the contract writes the session off.
    """
    bounds = [before.allowed]
    for claim in spoken:
        answer = decision_of(claim)
        if answer is None:
            continue
        if claim.decision == Claim.Decision.PAID:
            bounds.append(answer.left_to_client)
        elif sequence.writes_off(claim, answer):
            bounds.append(ZERO)
    share: Decimal = min(bounds)
    return share


def _breakdown(processed: list[Claim], last: Claim, share: Decimal, *, final: bool) -> dict[str, object]:
    """``last`` has spoken last: a plan that processed the session, or one that does not pay for it."""
    claim = processed[-1]
    adjudication = decision_of(claim)
    assert adjudication is not None, "it was processed"
    parts = {"1": "deductible", "2": "coinsurance", "3": "copay"}
    amounts = {"deductible": ZERO, "coinsurance": ZERO, "copay": ZERO, "not_covered": ZERO}
    for each in adjudication.adjustments.all():
        if each.group == "PR":
            amounts[parts.get(each.code, "not_covered")] += each.amount
    payer = last.coverage.payer.name
    if final and last != claim:
        sentence = _("%(payer)s does not pay for this session. Your final cost is %(amount)s.")
    elif final:
        sentence = _("%(payer)s has processed this session. Your final cost is %(amount)s.")
    elif last != claim:
        sentence = _(
            "%(payer)s does not pay for this session, so %(amount)s is left. We have asked your next plan; "
            "there is nothing to pay until it answers."
        )
    else:
        sentence = _(
            "%(payer)s has processed this session and leaves %(amount)s. We have asked your next plan; "
            "there is nothing to pay until it answers."
        )
    paid = [
        _("%(payer)s paid %(amount)s.") % {"payer": each.coverage.payer, "amount": dollars(decided.paid)}
        for each in processed
        if (decided := decision_of(each)) is not None
    ]
    # A later plan's parts speak of its own rules; only those of the plan that set the share add up to it.
    exact = sum(amounts.values(), ZERO) == share
    return {
        "allowed": plain(adjudication.allowed if claim.rank == 1 else None),
        "plan": plain(adjudication.paid),
        **{name: plain(value) if exact else None for name, value in amounts.items()},
        "why": paid,
        "verified": True,
        "payer": payer,
        "sentence": sentence % {"payer": payer, "amount": dollars(share)},
    }


def settle_final(session: Session, cost: SessionCost, news: Adjudication | None = None) -> None:
    """Bring the books to the final cost, then give back what was too much or ask for what is missing.

    ``news`` is the answer that led here.
    """
    answering = insurer_money.answering(cost)
    difference = cost.amount - booked_cost(session)
    if difference != ZERO:
        client = session.client_id
        post(
            key=f"cost:{cost.pk}",
            memo=f"Session {session.pk}: final cost {cost.amount}",
            occurred_on=clock.today(),
            lines=[
                Posting(Book.CLIENT_RECEIVABLE, difference, client=client, session=session.pk),
                Posting(Book.INSURER_RECEIVABLE, -difference, client=client, session=session.pk, payer=answering),
            ],
        )
    insurer_money.close(
        session,
        answering=answering,
        # One final cost may see money come more than once: a second payment of the same claim, say.
        key=f"variance:{cost.pk}:{news.pk}" if news is not None else f"variance:{cost.pk}",
    )
    settle_client(session, cost)


def settle_client(session: Session, cost: SessionCost) -> None:
    """Promise a refund, or tell the client of a balance; one e-mail for one final cost. Repeating it adds nothing."""
    client = session.client
    promised = refunds.promise_refunds(session)
    if promised:
        for refund in promised:
            hurry("billing.tasks.give", refund.pk)
        outbox.enqueue(
            messages.RefundPromised(
                client_name=client.called,
                session_date=session.date,
                amount=sum((refund.amount for refund in promised), ZERO),
                url=f"{settings.PUBLIC_URL}/payments/",
            ),
            to=client.email,
            recipient=client.user,
            key=f"refund_promised:{cost.pk}",
        )
        return
    due = session_balance(session).due
    if due > ZERO:
        autopay.ask(session, due, cause=str(cost.pk))
