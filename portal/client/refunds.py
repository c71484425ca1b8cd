"""Refunds in words: each as a line of steps, and the way to support when one should have arrived."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from billing.domain.refund_steps import Kind, Step, ask_support, steps
from billing.models import Refund
from billing.services import refunds
from common.money import dollars
from portal.templatetags.headway_ui import longdate


@dataclass(frozen=True, slots=True)
class RefundStory:
    """A refund with its steps for the timeline.

    ``overdue``: it should be on the statement by now. ``settled``: it failed, and the books owe nothing of it any more.
    """

    refund: Refund
    events: tuple[dict[str, Any], ...]
    state: str
    tone: str
    overdue: bool
    settled: bool
    moving: bool

    @property
    def help_url(self) -> str:
        """To support, with the refund's reference filled in, and the bank's where we have it."""
        asked = urlencode({"category": "refund", "reference": refunds.reference_of(self.refund)})
        return f"{reverse('portal:client:messages')}?{asked}#ask"


def refund_stories(rows: Iterable[Refund]) -> list[RefundStory]:
    """The refunds as stories, in the order given: at most one query more."""
    found = list(rows)
    failed = [refund.pk for refund in found if refund.state == Refund.State.FAILED]
    open_ones = (
        set(refunds.to_send_another_way().filter(pk__in=failed).values_list("pk", flat=True)) if failed else set()
    )
    return [_story(refund, settled=refund.pk in failed and refund.pk not in open_ones) for refund in found]


def _story(refund: Refund, *, settled: bool) -> RefundStory:
    standing = refunds.standing(refund)
    line = [step for step in steps(standing) if not (settled and step.kind == Kind.ANOTHER_WAY)]
    state, tone = (_("Settled"), "success") if settled else _badge(refund)
    return RefundStory(
        refund=refund,
        events=(
            *(_event(refund, step, overdue=ask_support(standing)) for step in line),
            *([_settled()] if settled else []),
        ),
        state=state,
        tone=tone,
        overdue=ask_support(standing),
        settled=settled,
        moving=refund.state in Refund.UNBOOKED,
    )


def _settled() -> dict[str, Any]:
    text = _("Another refund or your bank gave you this money, or the session now costs more.")
    return {"when": None, "title": _("Settled"), "text": text, "tone": "success", "icon": ""}


def _badge(refund: Refund) -> tuple[str, str]:
    match refund.state:
        case Refund.State.CREATED:
            return _("Promised"), "info"
        case Refund.State.UNKNOWN:
            return _("Being checked"), "attention"
        case Refund.State.SUBMITTED | Refund.State.IN_TRANSIT:
            return _("Sent"), "info"
        case Refund.State.FAILED:
            return _("We send it another way"), "attention"
        case Refund.State.EXTERNAL:
            return _("Sent another way"), "success"
        case _:
            return _("Processed"), "success"


def _event(refund: Refund, step: Step, *, overdue: bool) -> dict[str, Any]:
    card = str(refund.payment.card) if refund.payment.card else _("the card you paid with")
    text, tone, icon = "", "success" if step.done else "neutral", "" if step.done else "clock"
    match step.kind:
        case Kind.PROMISED:
            title, tone, icon = _("Promised"), "brand", "check"
            text = _("Your session cost less than you paid. We give back %(amount)s to %(card)s.") % {
                "amount": dollars(refund.amount),
                "card": card,
            }
        case Kind.SENT:
            title = _("Sent to your bank") if step.done else _("Next: sent to your bank")
        case Kind.PROCESSED:
            title = _("Processed") if step.done else _("Then: processed")
            text = _("The money is with your bank. We sent you an e-mail about it.")
            if not step.done:
                text = _("We write to you as soon as it is.")
            icon = "refund" if step.done else icon
        case Kind.ON_STATEMENT:
            title, tone, icon = _("On your statement"), "neutral", "clock"
            text = _("Banks take 3 to 5 business days to show it.")
            if step.at is not None:
                title = _("On your statement by %(day)s") % {"day": longdate(step.at)}
            if overdue:
                title = _("It should be on your statement by now")
        case Kind.RETURNED:
            title, tone, icon = _("Your card did not take it"), "attention", ""
            text = _("This happens when a card was closed or replaced. The money is still yours.")
        case Kind.ANOTHER_WAY:
            title = _("We will send it another way")
            text = _(
                "To another card you paid with, or by check or bank transfer. We write to you when it is on its way."
            )
            if step.done:
                title = _("Sent another way: %(reference)s") % {"reference": refund.external_reference}
                text = _("We sent you an e-mail about it.")
                icon = "refund"
    return {"when": step.at, "title": title, "text": text, "tone": tone, "icon": icon}
