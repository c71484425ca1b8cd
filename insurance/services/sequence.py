"""From one plan's answer to the next plan's claim: released, sent on by the insurer itself, or not needed.

``insurance.services.claims`` plans and moves the claims; here is what an answer means for those that come after it.
The rules for denials are the table of :mod:`insurance.domain.denials`.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import DomainError
from common.money import ZERO
from common.states import move
from insurance.domain import insurer_names
from insurance.domain.decisions import FORWARDED, Meaning, Reason
from insurance.domain.denials import TOO_LATE, Denial, read_denial
from insurance.models import Adjudication, Claim
from insurance.services import claims
from insurance.services.claim_content import answer_in_force, as_sent, content_of, decision_of
from insurance.x12 import x837p
from insurance.x12.adjustments import Adjustment

_CROSSOVER = "crossover"
GOES_ON = "goes_on"
"""The event of a claim whose plan does not pay, and that nobody has to look at any more."""
FILING_ENDED = "filing_ended"
"""The event of a claim that was not with its insurer on the last day for filing."""


def denial_of(answer: Adjudication) -> Denial | None:
    """What a denial means for the plans after it; ``None`` for an answer that is no denial."""
    if answer.decision.meaning is not Meaning.DENIED:
        return None
    reasons = [Reason(each.group, each.code, each.amount) for each in answer.adjustments_in_all]
    return read_denial(reasons, answer.remarks)


def is_last_word(claim: Claim) -> bool:
    """Whether a plan that denied its claim has nothing more to say: by the table, or because a person closed it."""
    if claim.decision != Claim.Decision.DENIED:
        return False
    answer = decision_of(claim)
    if answer is None:
        return False
    if claim.submission == Claim.Submission.NOT_NEEDED:
        return True
    denial = denial_of(answer)
    return denial is not None and denial.goes_on


def writes_off(claim: Claim, answer: Adjudication) -> bool:
    """Whether a denial by the table leaves nothing to the patient under the first plan's contract (group CO)."""
    denial = denial_of(answer)
    return claim.rank == 1 and denial is not None and denial.goes_on and denial.written_off


def may_end_with(claim: Claim) -> bool:
    """Whether nobody has to look at the plan that spoke last before the cost is final.

    A denial that leaves nothing to the patient may be a mistake worth an appeal: a person looks at it first.
    """
    if claim.decision == Claim.Decision.PAID or claim.submission == Claim.Submission.NOT_NEEDED:
        return True
    answer = decision_of(claim)
    denial = denial_of(answer) if answer is not None else None
    return denial is not None and not denial.written_off


def go_on(last: Claim, answer: Adjudication, later: Sequence[Claim], *, nothing_left: bool) -> None:
    """What the newest plan to have spoken leaves for the plans after it. Repeating it adds nothing."""
    if answer.status_code in FORWARDED and (to := send_on(last, answer, later)) is not None:
        # Plans between the two are asked by us; those behind wait for the answer of the one that has it.
        later = [claim for claim in later if claim.rank < to.rank]
    payer = {"payer": last.coverage.payer}
    if nothing_left:
        for claim in later:
            if claim.submission in Claim.UNSENT and not _has_paid(claim):
                claims.close(claim, reason=_("Nothing was left to pay after %(payer)s.") % payer)
        return
    for claim in later:
        claims.release(claim, after=last, on=answer.remittance.day)
        if claim.submission != Claim.Submission.NOT_NEEDED:
            if last.decision == Claim.Decision.DENIED:
                _note_going_on(last, answer, claim)
            return


def note_end(last: Claim, answer: Adjudication) -> None:
    """The plan that spoke last does not pay, and no plan is left to ask."""
    if last.decision == Claim.Decision.DENIED:
        _note(last, answer, _("%(payer)s does not pay (%(codes)s: %(why)s). No other plan is left to ask."))


def _note_going_on(last: Claim, answer: Adjudication, claim: Claim) -> None:
    words = _("%(payer)s does not pay (%(codes)s: %(why)s). %(next)s is asked next.")
    _note(last, answer, words, next=claim.coverage.payer)


def _note(last: Claim, answer: Adjudication, text: str, **words: object) -> None:
    if last.events.filter(kind=GOES_ON).exists():
        return
    denial = denial_of(answer)
    why = "; ".join(str(each) for each in denial.why) if denial else ""
    words |= {"payer": last.coverage.payer, "why": why or _("closed by support"), "codes": answer.decision.codes}
    claims.note(last, GOES_ON, text % words)


# --- Decided by an answer that was corrected since --------------------------------------------------------------------


def ask_anew(planned: Sequence[Claim]) -> bool:
    """Replace the first claim whose insurer has decided by an answer of a plan ahead that is no longer its answer.

    Only amounts count: an answer that was taken back and given again the same changes nothing. A claim that is still
    under way is replaced when its insurer has decided it (only then can it take a decision back), one that came by
    crossover never: the plan before it sends its correction on too. Plans behind it wait for the new answer. Whether
    anything was replaced; repeating it adds nothing. The caller holds the client's lock.
    """
    ahead: list[Claim] = []
    for claim in planned:
        if ahead and _is_decided(claim) and _rests_on_old_answers(claim, ahead):
            payers = ", ".join(str(each.coverage.payer) for each in ahead)
            words = _("%(ahead)s has corrected its answer: %(payer)s is asked again with the new amounts.")
            claims.replace_decided(claim, reason=words % {"ahead": payers, "payer": claim.coverage.payer})
            return True
        if claim.submission == Claim.Submission.NOT_NEEDED and claim.decision != Claim.Decision.DENIED:
            continue
        if claim.decision != Claim.Decision.PAID and not is_last_word(claim):
            return False
        ahead.append(claim)
    return False


def _is_decided(claim: Claim) -> bool:
    """Decided on what we sent, and not closed by a person."""
    decided = claim.decision in (Claim.Decision.PAID, Claim.Decision.DENIED)
    return decided and claim.submission == Claim.Submission.ACCEPTED and claim.file_id is not None


def _rests_on_old_answers(claim: Claim, ahead: Sequence[Claim]) -> bool:
    answers = Adjudication.objects.filter(
        claim__session=claim.session_id,
        claim__coverage__in=[each.coverage_id for each in ahead],
        posted_at__isnull=False,
    )
    if answers.count() <= len(ahead):  # nobody has answered twice, as nearly always
        return False
    try:
        now = content_of(claim)
    except DomainError:
        return False
    return _amounts_of_others(as_sent(claim)) != _amounts_of_others(now)


def _amounts_of_others(content: x837p.Claim) -> list[object]:
    """What a claim says that the plans ahead of it paid and adjusted, without days and numbers."""

    def adjusted(adjustments: Iterable[Adjustment]) -> list[tuple[str, str, Decimal]]:
        return sorted((each.group, each.code, each.amount) for each in adjustments)

    payers = [
        (each.rank, each.paid, adjusted(each.adjustments)) for each in content.other_payers if each.paid is not None
    ]
    lines = [[(each.payer_id, each.paid, adjusted(each.adjustments)) for each in line.prior] for line in content.lines]
    return [sorted(payers), lines]


def _has_paid(claim: Claim) -> bool:
    """Whether the claim's plan has paid for the session, by an answer to a claim that this one takes the place of."""
    answer = answer_in_force(claim)
    return answer is not None and answer.paid > ZERO


# --- Crossover --------------------------------------------------------------------------------------------------------


def send_on(claim: Claim, answer: Adjudication, later: Sequence[Claim]) -> Claim | None:
    """The insurer sent the claim on by itself: the claim it went on as, which is not sent again.

    Named is the insurer it went to; without a name it is the next plan in order. One that is on no plan of the account
    stops nothing (it is a question to the client: ``insurance.services.discovery``).
    """
    to = _sent_on_to(answer, later)
    if to is None:
        return None
    if to.submission in Claim.UNSENT:
        # Sending it again would be a duplicate.
        reason = _("%(payer)s sent the claim on itself.") % {"payer": claim.coverage.payer}
        move(to, Claim.SUBMISSIONS, Claim.Submission.ACCEPTED, reason=reason)
    if not was_sent_on(to):
        claims.note(
            to,
            _CROSSOVER,
            _("%(payer)s sent the claim on itself.") % {"payer": claim.coverage.payer},
            file=answer.remittance.file,
        )
    return to


def _sent_on_to(answer: Adjudication, later: Sequence[Claim]) -> Claim | None:
    open_claims = [each for each in later if each.submission != Claim.Submission.NOT_NEEDED]
    if not answer.forwarded_to:
        return open_claims[0] if open_claims and answer.status_code in FORWARDED else None
    named = [each for each in open_claims if insurer_names.same(each.coverage.payer.name, answer.forwarded_to)]
    return named[0] if named else None


def was_sent_on(claim: Claim) -> bool:
    """Whether the plan before it has sent this claim on, so that its insurer has it without us."""
    return claim.events.filter(kind=_CROSSOVER).exists()


# --- Timely filing ----------------------------------------------------------------------------------------------------


def not_for_our_lateness(share: Decimal, planned: Sequence[Claim], *, charged: Decimal) -> Decimal:
    """The client's share when a claim of the session was filed too late: never more than was ``charged`` at first.

    What an insurer does not pay because of our delay is never billed to the client (timely filing, ``RULES.md`` 4).
    """
    return min(share, charged) if any(lost_to_filing(claim) for claim in planned) else share


def lost_to_filing(claim: Claim) -> bool:
    """Whether a claim was refused for coming too late, or was given up after its day had passed."""
    if claim.decision == Claim.Decision.NONE and claim.submission == Claim.Submission.NOT_NEEDED:
        return claim.events.filter(kind=FILING_ENDED).exists()
    if claim.decision != Claim.Decision.DENIED:
        return False
    answer = decision_of(claim)
    return answer is not None and any(each.code == TOO_LATE for each in answer.adjustments_in_all)
