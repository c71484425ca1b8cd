"""A missing fact as a question a person can answer: plain words, and the answers there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from insurance.domain.plan_facts import (
    CLIENT,
    FAMILY,
    LARGE_FOR_AGE,
    LARGE_FOR_DISABILITY,
    ClientFacts,
    Custody,
    Decree,
    Holder,
    HolderStatus,
    Key,
    MedicareReason,
    Parents,
    PlanFacts,
    PlanType,
    about,
)

Learned = dict[Key, object]
"""Facts that an answer tells, as ``insurance.domain.plan_facts.Key`` → value."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to choose; ``value`` is how a form sends it."""

    value: str
    label: str
    facts: tuple[tuple[Key, object], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. Without ``answers`` a day is asked for."""

    key: Key
    text: str
    hint: str = ""
    answers: tuple[Answer, ...] = ()

    @property
    def name(self) -> str:
        """Its name in a form; the same as long as the same fact is missing."""
        return "-".join((*self.key[0].split(), self.key[1]))

    @property
    def asks_for_a_day(self) -> bool:
        return not self.answers

    def learned(self, value: str | date) -> Learned:
        """What an answer tells. Raises ``ValueError`` for one that is none."""
        if self.asks_for_a_day:
            if not isinstance(value, date):
                raise ValueError(f"{self.name} asks for a day")
            return {self.key: value}
        for answer in self.answers:
            if answer.value == value:
                return dict(answer.facts)
        raise ValueError(f"{value!r} is no answer to {self.name}")


ESRD_SINCE: Key = (CLIENT, "esrd_since")
"""Asked for instead of ``esrd_months``: people know the month in which it began."""

TOPICS = {"multi_employer": "employer_size"}
"""Facts that are asked about in the question for another one."""


def topic(key: Key) -> Key:
    """The question that tells a fact."""
    subject, fact = key
    return subject, TOPICS.get(fact, fact)


def question(key: Key, client: ClientFacts, plans: Sequence[PlanFacts], possible: Sequence[object] = ()) -> Question:
    """The question about one missing fact. ``possible``: what it may be, where that depends on other facts."""
    subject, fact = key
    if subject == CLIENT:
        return _of_client(fact)
    if subject == FAMILY:
        return _of_family(fact)
    if subject.startswith("holder "):
        return _birthday(key, Holder(subject.removeprefix("holder ")), "")
    plan = next(each for each in plans if about(each) == subject)
    match fact:
        case "holder_born":
            return _birthday(key, Holder.OTHER, plan.label)
        case "holder_status":
            return _status(key, plan, possible)
        case "employer_size":
            return _employer(key, client, plan)
        case "since":
            return _since(key, plan)
        case "type":
            return Question(
                key,
                _("What kind of plan is “%(plan)s”?") % {"plan": plan.label},
                answers=_choices(key, _types()),
            )
        case "holder":
            return Question(
                key, _("Whose plan is “%(plan)s”?") % {"plan": plan.label}, answers=_choices(key, _holders())
            )
    raise ValueError(f"there is no question about {fact}")


def _choices(key: Key, labels: Mapping[str, str]) -> tuple[Answer, ...]:
    return tuple(Answer(str(value), label, ((key, value),)) for value, label in labels.items())


def _of_client(fact: str) -> Question:
    if fact == "medicare_because":
        labels: dict[str, str] = {
            MedicareReason.AGE: _("Because of my age"),
            MedicareReason.DISABILITY: _("Because of a disability"),
            MedicareReason.ESRD: _("Because of kidney failure"),
        }
        key = (CLIENT, fact)
        return Question(key, _("Why do you have Medicare?"), answers=_choices(key, labels))
    return Question(
        ESRD_SINCE,
        _("When did Medicare because of kidney failure begin?"),
        _("Choose the first day of that month."),
    )


def _of_family(fact: str) -> Question:
    key = (FAMILY, fact)
    if fact == "parents":
        labels: dict[str, str] = {Parents.TOGETHER: _("Yes"), Parents.APART: _("No")}
        return Question(
            key,
            _("Do your parents live together?"),
            _("Whether they are married does not matter."),
            _choices(key, labels),
        )
    if fact == "decree":
        labels = {
            Decree.NONE: _("No court decided that"),
            Decree.MOTHER: _("My mother"),
            Decree.FATHER: _("My father"),
            Decree.BOTH: _("Both of them"),
        }
        text = _("Did a court decide which parent pays for your health care?")
        return Question(key, text, _("It is in the papers of a divorce or a custody case."), _choices(key, labels))
    labels = {
        Custody.MOTHER: _("My mother"),
        Custody.FATHER: _("My father"),
        Custody.JOINT: _("Both share it"),
    }
    return Question(key, _("Which parent has custody of you?"), answers=_choices(key, labels))


def _who(holder: Holder | None) -> str:
    return {
        Holder.SPOUSE: _("your spouse or partner"),
        Holder.MOTHER: _("your mother"),
        Holder.FATHER: _("your father"),
        Holder.STEPMOTHER: _("your stepmother"),
        Holder.STEPFATHER: _("your stepfather"),
    }.get(holder or Holder.OTHER, _("the person whose plan it is"))


def _birthday(key: Key, holder: Holder, plan: str) -> Question:
    if holder == Holder.OTHER:
        text = _("When is the birthday of the person whose plan “%(plan)s” is?") % {"plan": plan}
    else:
        text = _("When is the birthday of %(who)s?") % {"who": _who(holder)}
    return Question(key, text, _("The plan of the person whose birthday comes first in the year pays first."))


def _status(key: Key, plan: PlanFacts, possible: Sequence[object]) -> Question:
    words = {"plan": plan.label, "who": _who(plan.holder)}
    if plan.type == PlanType.TRICARE:
        text = (
            _("Are you on active duty now?")
            if plan.holder == Holder.SELF
            else _("Is %(who)s on active duty now? (“%(plan)s”)") % words
        )
        labels: dict[str, str] = {
            HolderStatus.ACTIVE: _("Yes, on active duty"),
            HolderStatus.RETIRED: _("No, not any more"),
        }
        return Question(key, text, answers=_choices(key, labels))
    text = (
        _("Do you still work for the employer behind “%(plan)s”?")
        if plan.holder == Holder.SELF
        else _("Does %(who)s still work for the employer behind “%(plan)s”?")
    )
    labels = {
        HolderStatus.ACTIVE: _("Yes"),
        HolderStatus.LAID_OFF: _("No, laid off"),
        HolderStatus.RETIRED: _("No, retired"),
        HolderStatus.COBRA: _("No, but the plan is kept by paying for it (COBRA)"),
    }
    if possible:
        labels = {value: label for value, label in labels.items() if value in possible}
    return Question(key, text % words, answers=_choices(key, labels))


def _employer(key: Key, client: ClientFacts, plan: PlanFacts) -> Question:
    subject = about(plan)
    size, shared = (subject, "employer_size"), (subject, "multi_employer")
    least = LARGE_FOR_AGE if client.medicare_because == MedicareReason.AGE else LARGE_FOR_DISABILITY
    words = {"plan": plan.label, "count": least}
    if plan.employer_size is not None:
        text = _("Do several employers share “%(plan)s”, and does one of them have %(count)s or more people?")
        answers = (Answer("yes", _("Yes"), ((shared, True),)), Answer("no", _("No"), ((shared, False),)))
        return Question(key, text % words, _("Plans through a union often are."), answers)
    steps = [
        Answer("small", _("Fewer than 20"), ((size, 1), (shared, False))),
        Answer("medium", _("20 to 99"), ((size, LARGE_FOR_AGE), (shared, False))),
        Answer("large", _("100 or more"), ((size, LARGE_FOR_DISABILITY),)),
    ]
    if plan.multi_employer is None:
        label = _("Several employers share the plan, and one of them has %(count)s or more people")
        steps.append(Answer("several", label % words, ((shared, True),)))
    text = _("How many people work for the employer behind “%(plan)s”?")
    return Question(key, text % words, _("A guess is fine. Count all its offices."), tuple(steps))


def _since(key: Key, plan: PlanFacts) -> Question:
    words = {"plan": plan.label, "who": _who(plan.holder)}
    text = (
        _("Since when has %(who)s had “%(plan)s”?")
        if plan.holder in (Holder.MOTHER, Holder.FATHER, Holder.STEPMOTHER, Holder.STEPFATHER, Holder.OTHER)
        else _("Since when have you been covered by “%(plan)s”?")
    )
    hint = _("Without a break. If the employer changed insurance companies, count from the first one.")
    return Question(key, text % words, hint)


def _types() -> dict[str, str]:
    return {
        PlanType.GROUP: _("Through a job"),
        PlanType.INDIVIDUAL: _("Bought by myself"),
        PlanType.STUDENT: _("Through a school"),
        PlanType.MEDICARE: _("Medicare"),
        PlanType.MEDICAID: _("Medicaid"),
        PlanType.TRICARE: _("TRICARE"),
        PlanType.WORKERS_COMPENSATION: _("Workers' compensation"),
        PlanType.AUTO: _("Auto insurance"),
    }


def _holders() -> dict[str, str]:
    return {
        Holder.SELF: _("Mine"),
        Holder.SPOUSE: _("My spouse's or partner's"),
        Holder.MOTHER: _("My mother's"),
        Holder.FATHER: _("My father's"),
        Holder.STEPMOTHER: _("My stepmother's"),
        Holder.STEPFATHER: _("My stepfather's"),
        Holder.OTHER: _("Someone else's"),
    }
