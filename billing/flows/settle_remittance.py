"""An insurer has answered a claim: money is booked, the cost follows, the next plan is asked, the client is settled.

One claim's result is one transaction, posted once however often this runs.
"""

from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.ledger.posting import Book, Posting, balance, post
from billing.models import SessionCost
from billing.services import costs, refunds
from billing.services.balances import session_balance
from care.models import Session
from common import clock
from common.hurry import hurry
from common.money import ZERO, dollars, plain
from common.states import move
from insurance.domain.decisions import FORWARDED, Decision, Meaning, Reason, read_decision
from insurance.models import AccountPause, Adjudication, Claim, ProviderAdjustment, Remittance
from insurance.services import claims, pauses
from insurance.services.claim_content import decision_of
from notifications import messages, outbox
from people.models import Client


def settle(remittance: Remittance) -> None:
    """Post every claim of a payment and its provider-level adjustments. Restartable anywhere."""
    for adjudication_id in remittance.adjudications.filter(posted_at=None).values_list("pk", flat=True):
        settle_adjudication(adjudication_id)
    for adjustment in remittance.provider_adjustments.all():
        _book_provider_adjustment(remittance, adjustment)


@transaction.atomic
def settle_adjudication(adjudication_id: int) -> None:
    """Post one claim's result: cash, decision, cost, next claim, refund or balance due. Posting it twice is harmless.

    Locks the client first, as every flow does, so that a confirmation, a payment or a pause cannot pass it.
    """
    adjudication = (
        Adjudication.objects.select_related("claim__session__client", "claim__coverage__payer", "remittance")
        .filter(pk=adjudication_id)
        .get()
    )
    claim = adjudication.claim
    if claim is not None:
        Client.objects.select_for_update(no_key=True).get(pk=claim.session.client_id)
    adjudication = Adjudication.objects.select_for_update(of=("self",)).get(pk=adjudication_id)
    if adjudication.posted_at is not None:
        return
    Adjudication.objects.filter(pk=adjudication_id).update(posted_at=clock.now())
    _book_cash(adjudication, claim)
    if claim is None:
        return
    claim.refresh_from_db()
    decision = read_decision(
        status=adjudication.status_code,
        paid=adjudication.paid,
        reasons=[Reason(a.group, a.code, a.amount) for a in adjudication.adjustments.all()],
        remarks=adjudication.remarks,
    )
    _decide(claim, adjudication, decision)


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
            payer=payer,
        )
    post(
        key=f"adjudication:{adjudication.pk}",
        memo=f"{remittance.payer_name} paid claim {adjudication.control_number}",
        occurred_on=remittance.paid_on or remittance.created_at.date(),
        lines=[Posting(Book.BANK, adjudication.paid, payer=payer), against],
    )


def _book_provider_adjustment(remittance: Remittance, adjustment: ProviderAdjustment) -> None:
    """A PLB pair belongs to no claim: it changes the payment and waits in suspense for a person."""
    post(
        key=f"provider_adjustment:{adjustment.pk}",
        memo=f"{remittance.payer_name} {adjustment.code} {adjustment.reference}".strip(),
        occurred_on=remittance.paid_on or remittance.created_at.date(),
        lines=[
            Posting(Book.INSURER_SUSPENSE, adjustment.amount, payer=remittance.payer_id),
            Posting(Book.BANK, -adjustment.amount, payer=remittance.payer_id),
        ],
    )


def _decide(claim: Claim, adjudication: Adjudication, decision: Decision) -> None:
    file = adjudication.remittance.file
    if adjudication.payer_control_number and not claim.payer_control_number:
        Claim.objects.filter(pk=claim.pk).update(payer_control_number=adjudication.payer_control_number)
    if claim.submission in (Claim.Submission.SUBMITTED, Claim.Submission.RECEIVED, Claim.Submission.REJECTED):
        # A decision proves that the claim was taken in, whatever acknowledgement is still on its way.
        move(claim, Claim.SUBMISSIONS, Claim.Submission.ACCEPTED, reason="")
    match decision.meaning:
        case Meaning.PROCESSED:
            _move_decision(claim, Claim.Decision.PAID)
            claims.note(claim, "processed", adjudication.explanation, file=file)
            _processed(claim, adjudication)
        case Meaning.REVERSED:
            _move_decision(claim, Claim.Decision.REVERSED)
            claims.note(claim, "reversed", adjudication.explanation, file=file)
        case Meaning.MEMBER_MUST_UPDATE_COB | Meaning.OTHER_PAYS_FIRST:
            _move_decision(claim, Claim.Decision.COB)
            claims.note(claim, "cob", adjudication.explanation, file=file)
            pauses.open_pause(
                coverage=claim.coverage,
                evidence=AccountPause.Evidence.REMITTANCE,
                codes=decision.codes,
                file=file,
            )
        case Meaning.DENIED:
            _move_decision(claim, Claim.Decision.DENIED)
            claims.note(claim, "denied", adjudication.explanation, file=file)


def _move_decision(claim: Claim, target: str) -> None:
    if claim.decision != target:
        move(claim, Claim.DECISIONS, target)


def _processed(claim: Claim, adjudication: Adjudication) -> None:
    """The plan has processed the claim: go on to the next plan, or set the final cost."""
    session = claim.session
    before = costs.current_cost(session)
    assert before is not None, "a claimed session was priced at confirmation"
    share = client_share(claim, before)
    following = claims.next_claim(claim)
    if following is not None and adjudication.status_code in FORWARDED:
        # The insurer sent the claim on itself: sending it again would be a duplicate.
        move(
            following,
            Claim.SUBMISSIONS,
            Claim.Submission.ACCEPTED,
            reason=_("%(payer)s sent the claim on itself.") % {"payer": claim.coverage.payer},
        )
    elif following is not None and share == ZERO:
        claims.close(following, reason=_("Nothing was left to pay after %(payer)s.") % {"payer": claim.coverage.payer})
        following = None
    elif following is not None:
        claims.release_next(claim)
    final = following is None
    reason = SessionCost.Reason.PRIMARY_PROCESSED if claim.rank == 1 else SessionCost.Reason.SECONDARY_PROCESSED
    cost = SessionCost.objects.create(
        session=session,
        coverage=before.coverage,
        amount=share,
        allowed=before.allowed,
        basis=SessionCost.Basis.FINAL if final else SessionCost.Basis.AFTER_PRIMARY,
        reason=reason,
        adjudication=adjudication,
        breakdown=_breakdown(claim, adjudication, share, final=final),
    )
    if final:
        settle_final(session, cost)


def client_share(claim: Claim, before: SessionCost) -> Decimal:
    """What the client owes after this plan, in dollars, from the remittances themselves.

    After the primary: what its 835 leaves to the patient. After a later plan: what that plan's 835 leaves, never more
    than what the primary left (the contracts bound the client's part) or what the primary allowed.
    """
    left = []
    for each in claim.session.claims.filter(rank__lte=claim.rank).order_by("rank"):
        decided = decision_of(each)
        if decided is not None and each.decision == Claim.Decision.PAID:
            left.append(max(ZERO, decided.total("PR")))
    share: Decimal = min([*left, before.allowed]) if left else before.amount
    return share


def _breakdown(claim: Claim, adjudication: Adjudication, share: Decimal, *, final: bool) -> dict[str, object]:
    parts = {"1": "deductible", "2": "coinsurance", "3": "copay"}
    amounts = {"deductible": ZERO, "coinsurance": ZERO, "copay": ZERO, "not_covered": ZERO}
    for each in adjudication.adjustments.all():
        if each.group == "PR":
            amounts[parts.get(each.code, "not_covered")] += each.amount
    payer = claim.coverage.payer.name
    if final:
        sentence = _("%(payer)s has processed this session. Your final cost is %(amount)s.")
    else:
        sentence = _(
            "%(payer)s has processed this session and leaves %(amount)s. We have asked your next plan; "
            "there is nothing to pay until it answers."
        )
    paid = [
        _("%(payer)s paid %(amount)s.") % {"payer": each.coverage.payer, "amount": dollars(decided.paid)}
        for each in claim.session.claims.filter(rank__lte=claim.rank).select_related("coverage__payer").order_by("rank")
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


def booked_cost(session: Session) -> Decimal:
    """The client's cost as the books have it so far, in dollars: every cost entry of the session added up."""
    return balance(Book.CLIENT_RECEIVABLE, session=session, entry__key__startswith="cost:")


def settle_final(session: Session, cost: SessionCost) -> None:
    """Bring the books to the final cost, then give back what was too much or ask for what is missing."""
    difference = cost.amount - booked_cost(session)
    if difference != ZERO:
        payer = cost.coverage.payer_id if cost.coverage else None
        post(
            key=f"cost:{cost.pk}",
            memo=f"Session {session.pk}: final cost {cost.amount}",
            occurred_on=clock.today(),
            lines=[
                Posting(Book.CLIENT_RECEIVABLE, difference, client=session.client_id, session=session.pk),
                Posting(
                    Book.INSURER_RECEIVABLE, -difference, client=session.client_id, session=session.pk, payer=payer
                ),
            ],
        )
    _close_insurers(session, cost)
    settle_client(session, cost)


def _close_insurers(session: Session, cost: SessionCost) -> None:
    """Whatever the insurers paid more or less than expected is our gain or loss, never the client's."""
    rest = balance(Book.INSURER_RECEIVABLE, session=session)
    if rest != ZERO:
        post(
            key=f"variance:{cost.pk}",
            memo=f"Session {session.pk}: insurers' payments against the contract",
            occurred_on=clock.today(),
            lines=[
                Posting(Book.INSURER_VARIANCE, rest, client=session.client_id, session=session.pk),
                Posting(Book.INSURER_RECEIVABLE, -rest, client=session.client_id, session=session.pk),
            ],
        )


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
        outbox.enqueue(
            messages.PayNow(
                client_name=client.called,
                session_date=session.date,
                amount=due,
                url=f"{settings.PUBLIC_URL}/appointments/past/",
            ),
            to=client.email,
            recipient=client.user,
            key=f"pay_now:{cost.pk}",
        )
