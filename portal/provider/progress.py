"""How far the claims of a confirmed session have come, as one line and as steps: values from loaded rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from billing.models import SessionCost
from insurance.models import Claim

_TRAVELLING = (Claim.Submission.SUBMITTED, Claim.Submission.RECEIVED)
_GONE = (Claim.Submission.NOT_NEEDED, Claim.Submission.REPLACED)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way; ``state`` is ``done``, ``current`` or ``todo``."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Progress:
    """``label`` is a word or two for a badge with its ``tone``; ``line`` a sentence; ``steps`` the whole way."""

    label: str
    tone: str
    line: str
    steps: tuple[Step, ...]


def open_claims() -> "Prefetch[str]":
    """Prefetch for sessions: their claims in order of payment, replaced ones left out."""
    return Prefetch(
        "claims",
        queryset=Claim.objects.exclude(Claim.OUTSIDE).select_related("coverage__payer").order_by("rank", "pk"),
    )


def progress_of(claims: Sequence[Claim], cost: SessionCost | None) -> Progress:
    """Progress of one session from its claims (in order of payment) and the cost in force."""
    asked = [claim for claim in claims if claim.submission not in _GONE]
    if cost is not None and cost.basis == SessionCost.Basis.FINAL:
        return Progress(
            _("Final"), "success", _("All plans have decided. The cost is final."), _steps(asked, finished=True)
        )
    steps = _steps(asked, finished=False)
    for claim in asked:
        if claim.decision != Claim.Decision.PAID and not _passed(claim, asked):
            label, tone, line = _where(claim)
            return Progress(label, tone, line, steps)
    if not asked:
        reason = next((claim.reason for claim in claims if claim.reason), "")
        return Progress(_("No claim"), "neutral", reason or _("There is no plan to send a claim to."), steps)
    return Progress(_("Processed"), "info", _("All plans have answered. The final cost is being worked out."), steps)


def _passed(claim: Claim, asked: Sequence[Claim]) -> bool:
    """Whether the plan does not pay, and the next one is asked already."""
    unpaid = claim.decision in (Claim.Decision.DENIED, Claim.Decision.ROUTED)
    unsent = (Claim.Submission.WAITING, Claim.Submission.HELD)
    return unpaid and any(each.rank > claim.rank and each.submission not in unsent for each in asked)


def _where(claim: Claim) -> tuple[str, str, str]:
    payer = {"payer": claim.coverage.payer.name}
    match claim.decision:
        case Claim.Decision.DENIED:
            return (
                _("Denied"),
                "attention",
                _("%(payer)s denied the claim. Our billing team is looking into it.") % payer,
            )
        case Claim.Decision.COB:
            return (
                _("Waiting for the client"),
                "paused",
                _("%(payer)s needs your client to update coordination of benefits first.") % payer,
            )
        case Claim.Decision.ROUTED:
            return (
                _("Elsewhere"),
                "attention",
                _("%(payer)s says that another insurer pays first. Our billing team is finding out which.") % payer,
            )
        case Claim.Decision.REVERSED:
            return _("Being redone"), "info", _("%(payer)s took back its decision and will decide again.") % payer
    match claim.submission:
        case Claim.Submission.READY:
            return _("Being sent"), "neutral", _("The claim goes to %(payer)s with the next batch.") % payer
        case Claim.Submission.ACCEPTED:
            return _("Accepted"), "info", _("%(payer)s has accepted the claim and will decide.") % payer
        case Claim.Submission.REJECTED:
            return (
                _("Being corrected"),
                "attention",
                _("%(payer)s sent the claim back. Our billing team is correcting it.") % payer,
            )
        case Claim.Submission.HELD:
            return _("On hold"), "paused", _("The claim waits until the account is no longer paused.")
        case Claim.Submission.WAITING:
            return _("Waiting"), "neutral", _("The claim to %(payer)s goes out after the plan before it.") % payer
    return _("Sent"), "info", _("The claim is with %(payer)s.") % payer


def _steps(asked: Sequence[Claim], *, finished: bool) -> tuple[Step, ...]:
    steps: list[tuple[str, bool]] = []
    for claim in asked:
        payer = {"payer": claim.coverage.payer.name}
        decided = claim.decision not in (Claim.Decision.NONE, Claim.Decision.REVERSED)
        sent = decided or claim.submission in (*_TRAVELLING, Claim.Submission.ACCEPTED, Claim.Submission.REJECTED)
        steps += [
            (_("Sent to %(payer)s") % payer, sent),
            (_("Accepted"), decided or claim.submission == Claim.Submission.ACCEPTED),
            (_("%(payer)s has paid") % payer, claim.decision == Claim.Decision.PAID),
        ]
    steps.append((_("Cost is final"), finished))
    current = next((number for number, (_label, done) in enumerate(steps) if not done), len(steps))
    return tuple(
        Step(label, "done" if done else "current" if number == current else "todo")
        for number, (label, done) in enumerate(steps)
    )
