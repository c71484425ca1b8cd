"""Benefit information was wrong: it is put right, prices follow, money already charged is settled, people are told.

How the truth is found: ``docs/corrections.md``. What is only overtaken by events (a deductible that is met, a new plan
year) goes the same way and tells nobody by e-mail.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain import corrections
from billing.domain.corrections import Figures
from billing.ledger.posting import Book, Posting, post
from billing.models import Comparison, SessionCost
from billing.services import autopay, comparisons, costs, plan_years, refunds, repricing
from billing.services.balances import booked_cost, session_balance
from billing.services.costs import Written
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.hurry import hurry
from common.money import ZERO
from common.states import move
from insurance.domain.benefits import Benefits
from insurance.models import Adjudication, BenefitSnapshot, Claim, Coverage, EligibilityCheck
from insurance.services import eligibility
from insurance.services.claims import sequence
from insurance.services.coverages import of_the_family
from notifications import messages, outbox
from people.models import Client, Provider, User


class NothingToCorrect(DomainError):
    """There are no benefits to put right, or nothing about them that would change."""


# --- Finding out ------------------------------------------------------------------------------------------------------


def learn(adjudication: Adjudication) -> plan_years.Truth | None:
    """Hold an answer that was just posted against our estimate, and put the benefits right if it proves them wrong.

    Returns what is known of the plan year with this answer in it, ``None`` for one that is no evidence. The caller
    holds the client's lock, and prices the client's sessions afterwards (:func:`reprice`).
    """
    claim = adjudication.claim
    if claim is None or claim.rank != 1:
        return None
    comparisons.close_overtaken(claim)
    coverage, day = claim.coverage, claim.session.date
    truth = plan_years.truth_of(claim.session.client, coverage, day)
    comparison = comparisons.compare(adjudication, truth)
    corrected = hold(claim.session.client, coverage, day, truth=truth)
    _tell_the_family(adjudication, coverage)
    if corrected is not None and comparison is not None and comparison.kind != Comparison.Kind.MATCH:
        comparisons.mark_applied(comparison, corrected, by=None, note=corrected.note)
        _ask_again(coverage)
    return truth


def _tell_the_family(adjudication: Adjudication, coverage: Coverage) -> None:
    """Who shares the family's deductible and maximum is priced again: a decision has used some of them."""
    if any(each.group == "PR" and each.amount for each in adjudication.adjustments.all()):
        others = {each.client_id for each in of_the_family(coverage)}
        if others:
            repricing.mark_stale(others, "The family's figures moved by a decision for another member.")


def hold(
    client: Client, coverage: Coverage, on: date, *, truth: plan_years.Truth | None = None
) -> BenefitSnapshot | None:
    """Bring the benefits we price from to what evidence and support have shown; ``None`` when they are that already.

    An insurer that repeats what was proved wrong is corrected again; one that says something new is believed.
    """
    truth = truth or plan_years.truth_of(client, coverage, on)
    if truth is None or truth.in_force.read() == Benefits.from_json(truth.document):
        return None
    return _write(truth.answer, truth.document, truth.figures, note=_because(truth.figures, coverage))


def _write(
    answer: BenefitSnapshot,
    document: Mapping[str, Any],
    figures: Figures,
    *,
    note: str,
    by: User | None = None,
    observed_at: datetime | None = None,
) -> BenefitSnapshot:
    """The answer as it should have been. It stands at the answer's own time unless ``observed_at`` is given: what was
    decided later comes on top."""
    benefits = Benefits.from_json(document)
    return BenefitSnapshot.objects.create(
        coverage=answer.coverage,
        source=BenefitSnapshot.Source.SUPPORT if by else BenefitSnapshot.Source.REMITTANCE,
        observed_at=observed_at or answer.observed_at,
        effective_on=answer.effective_on,
        active=benefits.active,
        plan_begin=answer.plan_begin,
        plan_end=answer.plan_end,
        benefits=dict(document),
        corrects=figures,
        note=note[:300],
        entered_by=by,
    )


def _because(figures: Figures, coverage: Coverage) -> str:
    if not figures:
        return _("What %(payer)s decided of claims agrees with its answer again.") % {"payer": coverage.payer}
    return _("What %(payer)s decided of claims differs from its answer.") % {"payer": coverage.payer}


def _ask_again(coverage: Coverage) -> None:
    """The insurer may have put its own records right by now."""
    check = eligibility.request_check(coverage=coverage, reason=EligibilityCheck.Reason.EVIDENCE)
    hurry("billing.tasks.check_benefits", check.pk)


# --- By a person ------------------------------------------------------------------------------------------------------


@transaction.atomic
def apply(comparison: Comparison, *, by: User, note: str = "") -> BenefitSnapshot:
    """Support takes the figures that a comparison proposes for true. Raises :class:`NothingToCorrect`."""
    client = Client.objects.select_for_update(no_key=True).get(pk=comparison.session.client_id)
    comparison = Comparison.objects.select_for_update(no_key=True).get(pk=comparison.pk)
    if not comparison.figures:
        raise NothingToCorrect(_("This comparison proposes no figures: enter them by hand, or leave it as it is."))
    if comparison.state == Comparison.State.APPLIED and comparison.snapshot is not None:
        return comparison.snapshot
    base = costs.newest_snapshot(comparison.coverage, comparison.session.date)
    # Of a figure that the insurer has told anew meanwhile, its new word is better than what was proposed before.
    proposed = corrections.still_said(base.read(), comparison.figures) if base else {}
    is_now = {figure: change["is"] for figure, change in proposed.items()}
    snapshot = _enter(comparison.coverage, comparison.session.date, is_now, by=by, note=note or comparison.explanation)
    comparisons.mark_applied(comparison, snapshot, by=by, note=note)
    _settle(client, snapshot)
    return snapshot


@transaction.atomic
def dismiss(comparison: Comparison, *, by: User, note: str) -> Comparison:
    """The insurer decided this one claim wrongly: the benefits stay as they are, and it is no evidence any more.

    Raises ``BadInput`` without a reason.
    """
    if not note.strip():
        raise BadInput(_("Please say why."), "note")
    client = Client.objects.select_for_update(no_key=True).get(pk=comparison.session.client_id)
    move(
        comparison,
        Comparison.STATES,
        Comparison.State.DISMISSED,
        owner=by,
        note=note.strip()[:300],
        decided_at=clock.now(),
    )
    hold(client, comparison.coverage, comparison.session.date)
    reprice(client)
    return comparison


@transaction.atomic
def enter(
    coverage: Coverage, figures: Mapping[str, Any], *, by: User, note: str, as_of: date | None = None
) -> BenefitSnapshot:
    """Support enters figures of today's plan year by hand; they hold until the insurer says something new about them.

    ``figures``: place in the benefits → plain JSON value, ``None`` for "not known". ``as_of``: the day at whose end
    what is left was so; what the insurer decides later comes off it. ``None``: the time of the answer that is put
    right. Raises ``BadInput`` naming a figure that there is none of, a value that it cannot have, a missing reason, a
    day that is to come or before that answer; :class:`NothingToCorrect`.
    """
    if not note.strip():
        raise BadInput(_("Please say where you have it from."), "note")
    client = Client.objects.select_for_update(no_key=True).get(pk=coverage.client_id)
    if as_of is not None and as_of > clock.today():
        raise BadInput(_("This day is in the future."), "as_of")
    snapshot = _enter(coverage, clock.today(), figures, by=by, note=note.strip(), as_of=as_of)
    _settle(client, snapshot)
    return snapshot


def _enter(
    coverage: Coverage, on: date, figures: Mapping[str, Any], *, by: User, note: str, as_of: date | None = None
) -> BenefitSnapshot:
    base = costs.newest_snapshot(coverage, on)
    if base is None:
        raise NothingToCorrect(_("%(payer)s has not told us anything yet to correct.") % {"payer": coverage.payer})
    observed_at = base.observed_at
    if as_of is not None:
        if as_of < clock.business_date(observed_at):
            raise BadInput(_("We have a newer answer than this day: please give its day or a later one."), "as_of")
        observed_at = max(observed_at, min(clock.now(), datetime.combine(as_of, time.max, tzinfo=clock.BUSINESS_ZONE)))
    changes: Figures = {}
    for figure, value in figures.items():
        try:
            said = corrections.value_of(base.benefits, figure)
        except (KeyError, TypeError, AttributeError):
            raise BadInput(_("There is no such figure."), figure) from None
        if said != value:
            changes[figure] = {"said": said, "is": value}
    document = corrections.lay_over(base.benefits, changes)
    try:
        Benefits.from_json(document)
    except (ValueError, ArithmeticError) as error:
        raise BadInput(_("A figure cannot be read: %(why)s") % {"why": error}, "figures") from None
    if not changes:
        raise NothingToCorrect(_("That is what we have already."))
    figures_put_right = plan_years.on_top(base.corrects, changes)
    return _write(base, document, figures_put_right, note=note, by=by, observed_at=observed_at)


def _settle(client: Client, snapshot: BenefitSnapshot) -> None:
    hold(client, snapshot.coverage, snapshot.plan_begin or snapshot.effective_on)
    reprice(client)


# --- What follows -----------------------------------------------------------------------------------------------------


def reprice(client: Client, *, known: plan_years.Truth | None = None) -> list[Written]:
    """Price the client's sessions anew; settle those charged at a price that was wrong; tell of corrections by e-mail.

    Repeating it adds nothing. ``known``: what was read of a plan year in this transaction, to be read once only. The
    caller holds the client's lock.
    """
    written = costs.reprice_all(client, known=known.year if known else None)
    owed = {each.cost.session_id: _settle_money(each) for each in written if _charged(each)}
    told = [each for each in written if each.correction]
    if told:
        _tell(client, told, owed)
    for each in written:
        if _charged(each) and not each.correction:
            _tell_of_money(each.cost, owed[each.cost.session_id])
    return written


def _charged(written: Written) -> bool:
    return written.cost.session.status == Session.Status.CONFIRMED


def _settle_money(written: Written) -> Decimal:
    """Bring the books to a charged session's corrected estimate; what the client gets back (below zero) or owes now.

    What is missing is asked for at once unless another plan is still to answer: then the final cost decides.
    """
    cost, session = written.cost, written.cost.session
    difference = cost.amount - booked_cost(session)
    if difference > ZERO and _another_plan_to_come(session):
        return ZERO
    if difference != ZERO:
        payer = cost.coverage.payer_id if cost.coverage else None
        client = session.client_id
        post(
            key=f"cost:{cost.pk}",
            memo=f"Session {session.pk}: estimate corrected to {cost.amount}",
            occurred_on=clock.today(),
            lines=[
                Posting(Book.CLIENT_RECEIVABLE, difference, client=client, session=session.pk),
                Posting(Book.INSURER_RECEIVABLE, -difference, client=client, session=session.pk, payer=payer),
            ],
        )
    promised = refunds.promise_refunds(session)
    for refund in promised:
        hurry("billing.tasks.give", refund.pk)
    if promised:
        return -sum((refund.amount for refund in promised), ZERO)
    return session_balance(session).due


def _another_plan_to_come(session: Session) -> bool:
    return any(claim.rank > 1 and claim.submission != Claim.Submission.NOT_NEEDED for claim in sequence(session))


def _tell(client: Client, corrected: list[Written], owed: Mapping[int, Decimal]) -> None:
    """One e-mail to the client and one to each provider for one correction, however many sessions it changes."""
    next_one = min(corrected, key=lambda each: (_charged(each), each.cost.session.starts_at))
    cost, before = next_one.cost, next_one.before
    assert before is not None, "a correction has something to correct"
    cause = f"{client.pk}:{cost.snapshot_id}"
    charged = [each for each in corrected if _charged(each) and each.before is not None]
    outbox.enqueue(
        messages.CostCorrected(
            client_name=client.called,
            before=before.amount,
            after=cost.amount,
            reason=cost.breakdown["cause"],
            sessions=tuple(_changes(charged)),
            refund=-sum((amount for amount in owed.values() if amount < ZERO), ZERO),
            due=sum((amount for amount in owed.values() if amount > ZERO), ZERO),
        ),
        to=client.email,
        recipient=client.user,
        key=f"cost_corrected:{cause}",
    )
    providers: dict[Provider, list[Written]] = {}
    for each in corrected:
        providers.setdefault(each.cost.session.provider, []).append(each)
    for provider, theirs in providers.items():
        first = min(theirs, key=lambda each: (_charged(each), each.cost.session.starts_at))
        assert first.before is not None, "a correction has something to correct"
        outbox.enqueue(
            messages.CostCorrectedProvider(
                provider_name=str(provider),
                client_initials=client.initials,
                before=first.before.amount,
                after=first.cost.amount,
                reason=first.cost.breakdown["cause_for_provider"],
                sessions=sum(_charged(each) for each in theirs),
                url=f"{settings.PUBLIC_URL}/provider/clients/{client.pk}/",
            ),
            to=provider.email,
            recipient=provider.user,
            key=f"cost_corrected_provider:{cause}:{provider.pk}",
        )


def _changes(charged: list[Written]) -> list[messages.SessionChange]:
    return [
        messages.SessionChange(each.cost.session.date, each.before.amount, each.cost.amount)
        for each in sorted(charged, key=lambda each: each.cost.session.starts_at)
        if each.before is not None
    ]


def _tell_of_money(cost: SessionCost, owed: Decimal) -> None:
    """A price that nobody had verified is known now: only the money that moves is told."""
    client = cost.session.client
    if owed > ZERO:
        autopay.ask(cost.session, owed, cause=str(cost.pk))
    elif owed < ZERO:
        message = messages.RefundPromised(
            client_name=client.called,
            session_date=cost.session.date,
            amount=-owed,
            url=f"{settings.PUBLIC_URL}/payments/",
        )
        outbox.enqueue(message, to=client.email, recipient=client.user, key=f"refund_promised:{cost.pk}")
