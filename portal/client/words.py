"""States in words a client understands: what a cost rests on, where the claims stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import SessionCost
from billing.services.out_of_network import OutOfNetwork
from common import clock
from common.money import ZERO, dollars, plain
from insurance.models import Claim
from insurance.services.deadlines import result_by


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a price: see ``{% breakdown %}``."""

    kind: str
    label: str
    amount: Decimal | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """How a cost is made up, ready for ``{% breakdown %}``, with the reasons as sentences."""

    parts: tuple[Part, ...]
    total: Decimal
    total_label: str
    whole: Decimal
    whole_label: str
    why: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class Paid:
    """What one plan has paid for a session, in dollars."""

    payer: str
    rank: int
    amount: Decimal


def _money(text: object) -> Decimal | None:
    return Decimal(text) if isinstance(text, str) else None


def price(cost: SessionCost, paid: Sequence[Paid] = ()) -> Price:
    """A cost in its parts. ``paid`` is what the plans have paid, once they have; an estimate needs none."""
    told = cost.breakdown
    verified = bool(told.get("verified"))
    own = _own_parts(told)
    if cost.basis == SessionCost.Basis.ESTIMATE or not paid:
        plan = _money(told.get("plan"))
        payer = told.get("payer", "")
        parts = [Part("plan", _("%(payer)s pays") % {"payer": payer} if payer else _("Your plan pays"), plan), *own]
    else:
        parts = [
            Part("plan" if each.rank == 1 else "secondary", _("%(payer)s paid") % {"payer": each.payer}, each.amount)
            for each in paid
        ]
        if own:
            parts += own
        elif cost.amount > ZERO:
            parts.append(Part("other", _("What your plans leave to you"), cost.amount))
        rest = cost.allowed - cost.amount - sum((each.amount for each in paid), ZERO)
        if rest > ZERO:
            parts.append(Part("other", _("Taken off the price: nobody pays this"), rest))
    return Price(
        parts=tuple(parts),
        total=cost.amount,
        total_label=_total_label(cost),
        whole=cost.allowed,
        whole_label=_("Full price agreed with your plan"),
        why=tuple(told.get("why", ())),
        verified=verified,
    )


def out_of_network(found: OutOfNetwork) -> tuple[Part, ...]:
    """The charge of a session out of network in its parts: what comes back, the client's share, and what is above."""
    price = found.price
    parts = [Part("plan", _("%(payer)s pays back") % {"payer": found.coverage.payer}, price.plan)]
    if price.client is None:
        return tuple(parts)
    if price.share is None:
        return (*parts, Part("not_covered", _("Not paid back"), price.client))
    share = price.share
    told = {kind: plain(getattr(share, kind)) for kind in ("deductible", "copay", "coinsurance", "not_covered")}
    parts += _own_parts(told)
    if not share.not_covered and price.above:
        note = _("The part of the charge that your plan does not look at")
        parts.append(Part("other", _("Above what your plan allows"), price.above, note))
    return tuple(parts)


def in_short(cost: SessionCost) -> str:
    """The reason for a price in one line: what the plan pays of it, and the rule by which the rest is the client's."""
    told = cost.breakdown
    why = [str(sentence).rstrip(".") + "." for sentence in list(told.get("why", ()))[:1]]
    plan = _money(told.get("plan"))
    if plan is not None and cost.basis == SessionCost.Basis.ESTIMATE:
        words = {"payer": told.get("payer", ""), "part": dollars(plan), "whole": dollars(cost.allowed)}
        why.insert(0, _("%(payer)s pays %(part)s of %(whole)s.") % words)
    return " ".join(why)


def why_it_moved(estimate: SessionCost | None, now: SessionCost) -> tuple[str, ...]:
    """Part by part, what the first plan counted otherwise than the estimate; parts that are not known are left out.

    Empty once a later plan has decided (its answer names no price of the first contract): then that plan's payment is
    the reason, and its own parts do not compare with an estimate that leaves it out.
    """
    if estimate is None or estimate.amount == now.amount or now.breakdown.get("allowed") is None:
        return ()
    found = []
    for kind, label in (
        ("deductible", _("your deductible")),
        ("copay", _("your copay")),
        ("coinsurance", _("your coinsurance")),
        ("not_covered", _("what is not covered")),
    ):
        before, after = _money(estimate.breakdown.get(kind)), _money(now.breakdown.get(kind))
        if before is not None and after is not None and before != after:
            words = {"part": label, "before": dollars(before), "after": dollars(after)}
            found.append(_("For %(part)s our estimate had %(before)s; your insurer counted %(after)s.") % words)
    return tuple(found)


def _own_parts(told: dict[str, Any]) -> list[Part]:
    labels = {
        "deductible": (_("Your deductible"), _("What you pay yourself each year before your plan starts to pay")),
        "copay": (_("Your copay"), _("A fixed amount for each visit")),
        "coinsurance": (_("Your coinsurance"), _("Your share of the price, as a percentage")),
        "not_covered": (_("Not covered"), _("A part your plan does not pay for")),
    }
    found = []
    for kind, (label, note) in labels.items():
        amount = _money(told.get(kind))
        if amount:
            found.append(Part(kind, label, amount, note))
    return found


def _total_label(cost: SessionCost) -> str:
    match cost.basis:
        case SessionCost.Basis.ESTIMATE:
            return _("You pay (estimate)")
        case SessionCost.Basis.AFTER_PRIMARY:
            return _("Left after your first plan")
        case _:
            return _("You pay")


def cost_tone(cost: SessionCost) -> str:
    """The tone of the badge that names what a cost rests on."""
    return "success" if cost.basis == SessionCost.Basis.FINAL else "info"


def cost_basis(cost: SessionCost, *, past: bool) -> str:
    """What a cost rests on, in two or three words."""
    match cost.basis:
        case SessionCost.Basis.ESTIMATE:
            return _("Estimate charged") if past else _("Estimate")
        case SessionCost.Basis.AFTER_PRIMARY:
            return _("Waiting for your second plan")
        case _:
            return _("Final cost")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a session's claims stand: one sentence, the steps for a stepper, and by when we expect to know."""

    sentence: str
    steps: tuple[dict[str, str], ...] = ()
    by: date | None = None
    late: bool = False
    final: bool = False
    call: bool = False
    """The client has to call an insurer first."""
    notes: tuple[str, ...] = field(default=())


def progress(day: date, cost: SessionCost | None, claims: Sequence[Claim]) -> Progress:
    """``claims`` are the session's own in order of payment, replaced ones left out, with ``coverage.payer`` loaded."""
    notes = tuple(claim.reason for claim in claims if claim.submission == Claim.Submission.NOT_NEEDED and claim.reason)
    asked = [claim for claim in claims if claim.submission != Claim.Submission.NOT_NEEDED]
    final = cost is not None and cost.basis == SessionCost.Basis.FINAL
    ordinals = (_("First plan"), _("Second plan"), _("Third plan"))
    steps = [
        (_("Session"), True),
        *(
            (ordinals[number] if number < 3 else _("Next plan"), _answered(claim, asked))
            for number, claim in enumerate(asked)
        ),
        (_("Final cost"), final),
    ]
    by = result_by(day)
    if final:
        return Progress(_("Every plan has answered. This cost is final."), _stepper(steps), final=True, notes=notes)
    open_claim = next((claim for claim in asked if not _answered(claim, asked)), None)
    if open_claim is not None and (filing := _filing(open_claim)):
        notes = (filing, *notes)
    return Progress(
        sentence=_standing(open_claim, asked),
        steps=_stepper(steps),
        by=by,
        late=clock.today() > by,
        call=open_claim is not None and open_claim.decision == Claim.Decision.COB,
        notes=notes,
    )


_ON_ITS_WAY = (
    Claim.Submission.READY,
    Claim.Submission.SUBMITTED,
    Claim.Submission.RECEIVED,
    Claim.Submission.ACCEPTED,
)


def _answered(claim: Claim, asked: Sequence[Claim]) -> bool:
    """Whether the plan has paid, or does not pay and the next one is asked already."""
    if claim.decision in (Claim.Decision.DENIED, Claim.Decision.ROUTED):
        return any(each.rank > claim.rank and each.submission in _ON_ITS_WAY for each in asked)
    return claim.decision == Claim.Decision.PAID


def _filing(claim: Claim) -> str:
    """Until when a claim that is not with its insurer can be sent, in a sentence; empty for all others."""
    if claim.file_by is None or claim.submission not in (Claim.Submission.HELD, Claim.Submission.REJECTED):
        return ""
    words = {"payer": claim.coverage.payer.name, "day": date_format(claim.file_by, "j F Y")}
    if claim.file_by < clock.today():
        return _("%(payer)s took claims for this session until %(day)s. You do not pay for our delay.") % words
    return _("We can send the claim to %(payer)s until %(day)s.") % words


def _stepper(steps: list[tuple[str, bool]]) -> tuple[dict[str, str], ...]:
    found: list[dict[str, str]] = []
    current = False
    for label, done in steps:
        if done and not current:
            found.append({"label": label, "state": "done"})
        else:
            found.append({"label": label, "state": "todo" if current else "current"})
            current = True
    return tuple(found)


def _standing(claim: Claim | None, asked: Sequence[Claim]) -> str:
    """The sentence for the first claim that is not answered yet."""
    if claim is None:
        return (
            _("Your plans have answered. We are working out your final cost.")
            if asked
            else _("No plan could be asked to pay for this session.")
        )
    words = {"payer": claim.coverage.payer.name}
    match claim.decision:
        case Claim.Decision.COB:
            return _("%(payer)s needs a call from you before it can go on.") % words
        case Claim.Decision.DENIED:
            return _("%(payer)s has not paid yet. We are asking it why; there is nothing you need to do.") % words
        case Claim.Decision.ROUTED:
            return _("%(payer)s says that another insurer pays for this session. We are finding out which.") % words
        case Claim.Decision.REVERSED:
            return _("%(payer)s took its answer back and is looking at this session again.") % words
    state = Claim.Submission
    match claim.submission:
        case state.HELD:
            return _("On hold while your account is paused.")
        case state.WAITING:
            return _("%(payer)s is asked next, as soon as the plan before it has answered.") % words
        case state.READY:
            return _("We are sending the claim to %(payer)s.") % words
        case state.REJECTED:
            return _("%(payer)s sent the claim back. We are putting it right; there is nothing you need to do.") % words
        case state.ACCEPTED:
            return _("%(payer)s has the claim and is working on it.") % words
        case _:
            return _("Sent to %(payer)s. We are waiting for its answer.") % words
