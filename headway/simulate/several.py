"""Clients with two and three plans: who holds them, which truly pays first, and how that comes to light. And clients
whose insurer stops paying until they call it. Drawn, never told to the product."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Protocol

from headway.demo.cast import EVERGREEN, HARBOR, Insurer
from headway.demo.seed_insurers import BLUESTEM, CEDAR, GRANITE, LARKSPUR, SUMMIT, TIDEWATER
from headway.simulate.plans import Drawn
from insurance.domain.plan_questions import Question
from insurance.models import Coverage, Payer

MEDICARE = Insurer(
    "MDCR1", "Northern Medicare", "800-555-0199",
    {"90837": "136.00", "90834": "110.00", "90832": "84.00", "90791": "164.00"},
    method=Payer.SecondaryMethod.MEDICARE, filing_code="MB",
)  # fmt: skip

FORWARDS: dict[str, tuple[str, ...]] = {
    "MDCR1": ("EVGR1", "HARB1", "BLST1", "GRPK1", "LKSP1"),
    "BLST1": ("EVGR1", "HARB1", "GRPK1", "LKSP1"),
}
"""Insurers that send claims on by themselves, and to whom."""

AT_INTAKE = ("SMLN1", "CDRG1")
"""Insurers that refuse a claim at the door (277CA) while their member's order of payers is unresolved."""

SILENT: dict[str, Any] = {"rank": "primary", "others": []}
"""How a 271 reads that says nothing of other insurance."""

TOGETHER, AT_ONCE, LATER, ASKED, REFUSED = "facts", "271", "a later 271", "question", "835"
"""How an order that was stated wrongly is found: by the rules from what is known at once, by the first answers of the
insurers, by later ones when claims are under way, from the client's answer to our question, from a claim refused."""
FOUND = (TOGETHER, AT_ONCE, LATER, ASKED, REFUSED)

Status, Holder, Type = Coverage.HolderStatus, Coverage.Holder, Coverage.PlanType


@dataclass(frozen=True, slots=True)
class Held:
    """One plan of a kind: what it truly is. ``withheld``: what of it the client says only when asked."""

    holder: str = Holder.SELF
    facts: dict[str, Any] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    insurer: Insurer | None = None
    drawn: bool = False
    """The plan that was drawn for the client already."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Plans in the order in which they truly pay, and the rule that says so. ``client``: facts of the client that no
    plan has. An ``open`` kind leaves the order uncertain as long as something is withheld."""

    rule: str
    plans: tuple[Held, ...]
    client: dict[str, str] = field(default_factory=dict)
    young: bool = False
    old: bool = False
    not_credentialed: bool = False

    @property
    def open(self) -> bool:
        return bool(self.client) or any(each.withheld for each in self.plans)


_OWN = Held(drawn=True)
_SPOUSES = Held(Holder.SPOUSE)
_MEDICAID = Held(facts={"plan_type": Type.MEDICAID, "holder_status": None}, insurer=LARKSPUR)
_STATUS = ("holder_status",)
_MOTHERS = Held(Holder.MOTHER, drawn=True)
_FATHERS = Held(Holder.FATHER)
_ACTIVE = Held(withheld=_STATUS, drawn=True)
_COBRA = Held(facts={"holder_status": Status.COBRA}, withheld=_STATUS)

KINDS: tuple[Kind, ...] = (
    Kind("own before a spouse's", (_OWN, _SPOUSES)),
    Kind("own by COBRA before a spouse's",
          (Held(facts={"holder_status": Status.COBRA}, drawn=True), _SPOUSES)),
    Kind("the earlier birthday of the parents", (_MOTHERS, _FATHERS), {"parents": "together"}, young=True),
    Kind("present work before COBRA", (_ACTIVE, _COBRA)),
    Kind("the longer coverage", (
        Held(facts={"since": date(2019, 5, 1)}, withheld=("since",), drawn=True),
        Held(facts={"since": date(2026, 9, 1)}, withheld=("since",)),
    )),
    Kind("Medicare before a retiree plan", (
        Held(facts={"plan_type": Type.MEDICARE, "holder_status": None}, insurer=MEDICARE),
        Held(facts={"holder_status": Status.RETIRED}, withheld=_STATUS, drawn=True),
    ), {"medicare_because": "age"}, old=True),
    Kind("Medicaid last", (_OWN, _MEDICAID)),
    Kind("a spouse's plan out of network", (_OWN, Held(Holder.SPOUSE, insurer=TIDEWATER))),
    Kind("a spouse's plan that the provider is not credentialed with", (_OWN, _SPOUSES), not_credentialed=True),
    Kind("own, a spouse's, Medicaid", (_OWN, _SPOUSES, _MEDICAID)),
    Kind("present work, COBRA, a spouse's", (_ACTIVE, _COBRA, _SPOUSES)),
    Kind("mother's, father's, Medicaid", (_MOTHERS, _FATHERS, _MEDICAID), {"parents": "together"}, young=True),
    Kind("own, a spouse's out of network, Medicaid",
          (_OWN, Held(Holder.SPOUSE, insurer=TIDEWATER), _MEDICAID)),
)  # fmt: skip

SECONDS = (EVERGREEN, HARBOR, BLUESTEM, SUMMIT, GRANITE, CEDAR)
"""Insurers of further plans."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """From a day on an insurer pays nothing until its member has called. ``plan``: place in the true order.

    ``told``: its 271s say so; else only what becomes of claims does, the 835 or the 277CA.
    """

    plan: int
    on: date
    told: bool


@dataclass(frozen=True, slots=True)
class Habits:
    """What a client does about all this. Days; ``answers_after`` is ``None`` for one who answers no question."""

    answers_after: int | None = None
    calls_after: int = 5
    records_after: int = 0
    """How long after the call the insurer's records are right."""


class Ways:
    """How the order of each client comes to light: every way before any comes twice."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self._left: list[str] = []

    def of(self, kind: Kind) -> str:
        """Empty: it is stated rightly. What is certain at once needs no finding."""
        if any(each.insurer is TIDEWATER for each in kind.plans) or kind.not_credentialed or not kind.open:
            return self._draw.choice(("", TOGETHER))
        if not self._left:
            self._left = self._draw.sample((*FOUND, ""), len(FOUND) + 1)
        return self._left.pop()


def stated(draw: Random, count: int, found: str) -> list[int]:
    """The order in which plans are entered: another than the true one unless there is nothing to find."""
    right = list(range(count))
    if not found:
        return right
    order = right[:]
    while order[0] == right[0]:
        draw.shuffle(order)
    return order


def habits(draw: Random, found: str) -> Habits:
    answers: int | None = None
    if found == TOGETHER:
        answers = 0
    elif found == ASKED:
        answers = draw.randrange(4, 13)
    elif not found and draw.random() < 0.5:
        answers = draw.randrange(0, 20)
    return Habits(answers, draw.randrange(3, 13), draw.choice((0, 0, 0, 3)))


def silent(draw: Random, found: str) -> bool:
    """Whether the insurers' answers say nothing of other insurance, at first."""
    return found in (TOGETHER, LATER, ASKED, REFUSED) or (not found and draw.random() < 0.5)


def reported_until(draw: Random, found: str, first_visit: date) -> date | None:
    """The day from which insurers that were silent tell: right after the first session, when its claim is under way."""
    return first_visit + timedelta(days=draw.randrange(1, 3)) if found == LATER else None


def lapse(draw: Random, billable: list[int], days: int, first_day: date, *, share: float) -> Lapse | None:
    """A lapse at one of the plans that are billed, early enough for the year to show it; ``None``: there is none."""
    if draw.random() >= share or days < 28:
        return None
    on = first_day + timedelta(days=draw.randrange(int(days * 0.15), int(days * 0.6)))
    return Lapse(draw.choice(billable), on, told=draw.random() < 0.5)


def second_design(draw: Random, right: Callable[[Random], Drawn], *, place: int) -> Drawn:
    """A further plan: some do not cover the first session's procedure."""
    drawn = right(draw)
    if place and draw.random() < 0.2:
        drawn.plan["not_covered"] = ["90791"]
    return drawn


class Truthful(Protocol):
    """A plan as far as answers about it go."""

    @property
    def truth(self) -> dict[str, Any]: ...


def answer(question: Question, client: Mapping[str, str], plans: Mapping[str, Truthful]) -> str | date:
    """What the client says to a question about the order of plans: the truth. ``plans`` by the subject's name.

    Raises ``KeyError`` for a question that the draw has no answer to.
    """
    subject, fact = question.key
    truth: str | date = plans[subject].truth[fact] if subject in plans else client[fact]
    if question.asks_for_a_day:
        return truth
    return next(each.value for each in question.answers if dict(each.facts).get(question.key) == truth)
