"""Three clients with two plans each, played from booking to the end against the real servers.

The stories drive the product through its own flows and wait for the worker, as people do; what the insurers answer is
their own doing. The figures they must end with are worked out by hand in ``docs/demo-stories.md``.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from billing.flows import collect_payment, confirm_session, refresh_benefits
from billing.models import Payment, Refund, SessionCost
from billing.services.balances import session_balance
from billing.services.cards import default_card
from care.models import Session
from common import clock
from common.money import dollars
from headway.demo import cast
from headway.demo.world import World
from insurance.models import AccountPause, Claim, Coverage, EligibilityCheck
from insurance.services.plan_order import current_decision, plans_in_order
from notifications import messages
from people.models import Client, Licence, Provider

PATIENCE_SECONDS = 90
Found = TypeVar("Found")


class StoryFailed(Exception):
    """Something that the story waits for did not happen."""


@dataclass
class Stage:
    """One story being played: who is in it, what it found, and how it tells of its progress."""

    world: World
    tell: Callable[[str], None]
    client: Client
    provider: Provider
    own: Coverage
    spouses: Coverage
    session: Session
    figures: dict[str, str] = field(default_factory=dict)

    def figure(self, name: str, value: Decimal | str | int) -> None:
        self.figures[name] = dollars(value) if isinstance(value, Decimal) else str(value)

    def wait(self, what: str, look: Callable[[], Found | None]) -> Found:
        """Look until there is something; the worker does the work."""
        self.tell(f"waiting: {what}")
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = look()
            if found:
                return found
            time.sleep(0.2)
        raise StoryFailed(f"{what}: it did not happen within {PATIENCE_SECONDS} seconds")

    def cost(self, basis: str) -> SessionCost | None:
        return self.session.costs.filter(basis=basis).order_by("-pk").first()

    def mail(self, kind: type[messages.Message]) -> dict[str, Any] | None:
        """The newest e-mail of this kind that arrived in the client's mailbox."""
        subject = kind.sample().subject()
        found = [each for each in self.world.mail_to(self.client.email) if each["subject"] == subject]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Story:
    """A story's name as the docs page heads it, and how it is played."""

    name: str
    play: Callable[[World, Callable[[str], None]], Stage]


def _plan(**more: Any) -> dict[str, Any]:
    return {"begins": cast.plan_year(clock.today()), "out_of_pocket": "4000.00", **more}


def _open(
    world: World,
    tell: Callable[[str], None],
    *,
    first: str,
    last: str,
    own_plan: dict[str, Any],
    own_used: dict[str, str],
    spouses_plan: dict[str, Any],
    spouses_used: dict[str, str],
    own_reported: dict[str, Any] | None = None,
) -> Stage:
    """A fresh client who enters the spouse's plan first, a card on file, and a session booked for today."""
    evergreen, harbor = cast.open_insurer(world, cast.EVERGREEN), cast.open_insurer(world, cast.HARBOR)
    cole = cast.open_provider(
        first="Maya", last="Cole", npi="1234567893", email="cole@example.com", licence=Licence.DOCTORAL,
        payers=[evergreen, harbor],
    )  # fmt: skip
    tag = secrets.token_hex(3).upper()
    client = cast.open_client(
        first=first, last=last, born=date(1988, 4, 12), sex="F", email=f"{first}.{last}.{tag}@example.com".lower()
    )
    own_id, spouses_id = f"EV{tag}", f"HB{tag}"
    tell(f"{client} opens an account and enters two plans, the spouse's first")
    world.put_member(
        evergreen.payer_id,
        own_id,
        {
            **cast.person(client),
            "plan": own_plan,
            "used": own_used,
            "cob": _knows("primary", harbor.name, harbor.payer_id, spouses_id, "secondary"),
            **({"reported": own_reported} if own_reported else {}),
        },
    )
    spouse = {"first_name": "Sam", "last_name": last, "birth_date": "1986-02-01", "gender": "M"}
    world.put_member(
        harbor.payer_id,
        spouses_id,
        {
            **cast.person(client),
            "relationship": "spouse",
            "subscriber": spouse,
            "plan": spouses_plan,
            "used": spouses_used,
            "cob": _knows("secondary", evergreen.name, evergreen.payer_id, own_id, "primary"),
        },
    )
    cast.save_card(client)
    spouses = refresh_benefits.add_plan(
        client=client, payer=harbor, member_id=spouses_id, holder=Coverage.Holder.SPOUSE, holder_first_name="Sam",
        holder_last_name=last, holder_born=date(1986, 2, 1), holder_status=Coverage.HolderStatus.ACTIVE,
        employer_size=200,
    )  # fmt: skip
    own = refresh_benefits.add_plan(
        client=client, payer=evergreen, member_id=own_id, holder_status=Coverage.HolderStatus.ACTIVE, employer_size=50
    )
    session = cast.book(client, cole, days=0, hour=0)
    stage = Stage(world, tell, client, cole, own, spouses, session)
    stage.wait(
        "both insurers answer the eligibility inquiry",
        lambda: EligibilityCheck.objects.filter(coverage__client=client, settled_at__isnull=False).count() == 2,
    )
    return stage


def _knows(rank: str, other: str, other_id: str, member_id: str, other_rank: str) -> dict[str, Any]:
    return {
        "rank": rank,
        "others": [{"payer_name": other.upper(), "payer_id": other_id, "member_id": member_id, "rank": other_rank}],
    }


def _order_and_confirm(stage: Stage) -> None:
    """The order is right with no one's action; the provider confirms; the card is charged the primary's estimate."""
    order = [plan.payer.name for plan in plans_in_order(stage.client, on=stage.session.date)]
    decision = current_decision(stage.client)
    stage.figure("Plans in order", " then ".join(order))
    stage.figure("Put right by us", "yes" if decision is not None and decision.changed else "no")
    preview = confirm_session.preview(stage.session)
    stage.tell(f"{stage.provider} confirms the session: {dollars(preview.charge)} to {preview.card}")
    for sentence in preview.why:
        stage.tell(f"  {sentence}")
    confirm_session.confirm(stage.session)
    stage.session.refresh_from_db()
    payment = stage.wait(
        "the card is charged",
        lambda: Payment.objects.filter(parts__session=stage.session, state=Payment.State.SUCCEEDED).first(),
    )
    stage.figure("Charged at confirmation", payment.amount)
    stage.figure("Provider earns", stage.session.earning.amount)


def _both_answer(stage: Stage) -> None:
    """Primary, then secondary: claims, acknowledgements, remittances."""
    for rank, words in ((1, "primary"), (2, "secondary")):
        claim = stage.wait(
            f"the {words} insurer's remittance is posted",
            lambda rank=rank: Claim.objects.filter(  # type: ignore[misc]  # bound now, not at the loop's end
                session=stage.session, rank=rank, decision=Claim.Decision.PAID
            ).first(),
        )
        for event in claim.events.all():
            stage.tell(f"  {claim.coverage.payer}: {event.text}")
        paid = sum((each.paid for each in claim.adjudications.all()), Decimal("0.00"))
        stage.figure(f"{words.capitalize()} pays", paid)
    final = stage.wait("the final cost is set", lambda: stage.cost(SessionCost.Basis.FINAL))
    stage.figure("Final cost", final.amount)


def _close(stage: Stage) -> None:
    stage.figure("Still owed", session_balance(stage.session).due)


def play_refund(world: World, tell: Callable[[str], None]) -> Stage:
    """The second plan covers a part: the client gets money back."""
    stage = _open(
        world, tell, first="Ana", last="Rivera",
        own_plan=_plan(deductible="500.00", coinsurance="0.20"),
        own_used={"deductible": "450.00", "out_of_pocket": "450.00"},
        spouses_plan=_plan(deductible="600.00", coinsurance="0.00"),
        spouses_used={"deductible": "480.00", "out_of_pocket": "480.00"},
    )  # fmt: skip
    _order_and_confirm(stage)
    _both_answer(stage)
    refund = stage.wait(
        "the refund is processed",
        lambda: Refund.objects.filter(session=stage.session, state=Refund.State.SUCCEEDED).first(),
    )
    stage.figure("Refunded", refund.amount)
    mail = stage.wait("the confirmation of the refund arrives", lambda: stage.mail(messages.RefundProcessed))
    tell(f"  e-mail: {mail['subject']}")
    stage.figure("E-mail tells amount and session", "yes" if _tells(mail, stage.session, refund.amount) else "no")
    _close(stage)
    return stage


def _tells(mail: dict[str, Any], session: Session, amount: Decimal) -> bool:
    day = f"{session.date.day}"
    return dollars(amount) in mail["text"] and day in mail["text"] and str(session.date.year) in mail["text"]


def play_balance(world: World, tell: Callable[[str], None]) -> Stage:
    """The first insurer had told us of a deductible that was met, wrongly: a balance is due, and paid."""
    stage = _open(
        world, tell, first="Dana", last="Okafor",
        own_plan=_plan(deductible="500.00", coinsurance="0.20"),
        own_used={"deductible": "400.00", "out_of_pocket": "400.00"},
        own_reported={"used": {"deductible": "500.00", "out_of_pocket": "500.00"}},
        spouses_plan=_plan(deductible="2000.00", coinsurance="0.20"),
        spouses_used={},
    )  # fmt: skip
    _order_and_confirm(stage)
    _both_answer(stage)
    due = session_balance(stage.session).due
    stage.figure("Balance due", due)
    mail = stage.wait("the e-mail with the button arrives", lambda: stage.mail(messages.PayNow))
    tell(f"  e-mail: {mail['subject']}")
    stage.figure("Button leads to past appointments", "yes" if "/appointments/past/" in mail["text"] else "no")
    tell(f"{stage.client} presses “pay now”")
    collect_payment.start_pay_now(client=stage.client, card=default_card(stage.client), shown=due)
    paid = stage.wait(
        "the payment succeeds",
        lambda: Payment.objects.filter(
            parts__session=stage.session, purpose=Payment.Purpose.PAY_NOW, state=Payment.State.SUCCEEDED
        ).first(),
    )
    stage.figure("Paid now", paid.amount)
    _close(stage)
    return stage


def play_pause(world: World, tell: Callable[[str], None]) -> Stage:
    """The first insurer wants its member to settle who pays first: the account pauses and resumes."""
    stage = _open(
        world, tell, first="Mina", last="Castell",
        own_plan=_plan(deductible="0.00", coinsurance="0.20"),
        own_used={},
        spouses_plan=_plan(deductible="0.00", copay="15.00"),
        spouses_used={},
    )  # fmt: skip
    member = (stage.own.payer.payer_id, stage.own.member_id)
    tell("meanwhile the client's coordination of benefits lapses at Evergreen Health")
    world.patch_member(*member, {"cob": {"rank": "unresolved", "others": []}})
    _order_and_confirm(stage)
    pause = stage.wait("the account pauses", lambda: AccountPause.objects.filter(client=stage.client).first())
    stage.client.refresh_from_db()
    stage.figure("Codes that paused the account", pause.evidence_codes)
    stage.figure("Paused", "yes" if stage.client.paused_since else "no")
    stage.figure("Owed while paused", session_balance(stage.session).due)
    mail = stage.wait("the e-mail says whom to call and what to say", lambda: stage.mail(messages.AccountPaused))
    tell(f"  e-mail: {mail['subject']}")
    stage.figure(
        "E-mail has the insurer's number", "yes" if stage.own.payer.member_services_phone in mail["text"] else "no"
    )
    tell("the client gives a reference number before the insurer's records are right")
    early = refresh_benefits.give_reference(pause, "REF-1001")
    stage.wait("the insurer is asked again", lambda: _settled(early))
    stage.client.refresh_from_db()
    stage.figure("Paused while the records are wrong", "yes" if stage.client.paused_since else "no")
    tell("the insurer's records are put right, support checks again")
    world.set_cob(
        *member, _knows("primary", cast.HARBOR.name, cast.HARBOR.payer_id, stage.spouses.member_id, "secondary")
    )
    again = refresh_benefits.ask_again(stage.own)
    stage.wait("the insurer is asked again", lambda: _settled(again))
    stage.client.refresh_from_db()
    stage.figure("Paused after the new check", "yes" if stage.client.paused_since else "no")
    _both_answer(stage)
    refund = stage.wait(
        "the refund is processed",
        lambda: Refund.objects.filter(session=stage.session, state=Refund.State.SUCCEEDED).first(),
    )
    stage.figure("Refunded", refund.amount)
    _close(stage)
    return stage


def _settled(check: EligibilityCheck) -> bool:
    check.refresh_from_db()
    return check.settled_at is not None


STORIES = (
    Story("The second plan covers a part: a refund", play_refund),
    Story("The first insurer was wrong: a balance, paid now", play_balance),
    Story("Coordination of benefits lapses: paused and resumed", play_pause),
)


@contextmanager
def quiet() -> Iterator[None]:
    """Stripe's library logs each request; a story has its own words."""
    import logging  # noqa: PLC0415 - only here

    logger = logging.getLogger("stripe")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
