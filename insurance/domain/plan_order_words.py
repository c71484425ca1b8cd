"""The order of plans in words: why one plan comes before the next, and which facts are missing."""

from collections.abc import Sequence
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from insurance.domain.plan_facts import (
    CLIENT,
    ESRD_MONTHS,
    FAMILY,
    Facts,
    Holder,
    Key,
    PlanFacts,
    about,
    about_holder,
)
from insurance.domain.plan_order_rules import Link

_NEEDS = {
    "workers_compensation": ("type",),
    "medicaid_last": ("type",),
    "tricare_after": ("type", "holder", "holder_status"),
    "active_duty": ("type", "holder", "holder_status"),
    "step_parent_before_tricare": ("type", "holder"),
    "medicare_esrd": ("type", "medicare_because", "esrd_months"),
    "medicare_age": ("type", "medicare_because", "holder", "holder_status", "employer_size", "multi_employer"),
    "medicare_disability": ("type", "medicare_because", "holder_status", "employer_size", "multi_employer"),
    "medicare_first": ("type", "medicare_because", "holder_status"),
    "medicare_reversal": ("type", "medicare_because", "holder", "holder_status", "employer_size", "multi_employer"),
    "does_not_coordinate": (),
    "non_dependent": ("holder",),
    "birthday": ("holder", "holder_born", "parents", "decree", "custodial_parent"),
    "decree": ("holder", "parents", "decree"),
    "custody": ("holder", "parents", "decree", "custodial_parent"),
    "active_before_inactive": ("holder_status",),
    "ordinary_before_continuation": ("holder_status",),
    "longer_coverage": ("since", "holder_status"),
    "undecided": (),
}
"""The facts that each rule reads. A sentence that would rest on a guess at one of them is not said."""


def only_plan(plan: PlanFacts) -> str:
    """The whole answer for a client with one plan."""
    return _("“%(plan)s” is the only plan, so it pays first") % {"plan": plan.label}


def link_in_words(link: Link, facts: Facts, *, settled: bool) -> str:
    """Why ``link.before`` pays before ``link.after``; ``settled``: whatever is missing does not change the order."""
    names = {"before": link.before.label, "after": link.after.label}
    subjects = {about(link.before), about(link.after), CLIENT, FAMILY, *map(about_holder, Holder)}
    guessed = any(subject in subjects and fact in _NEEDS[link.rule] for subject, fact in facts.relied_on)
    if guessed and settled:
        return _("“%(before)s” pays before “%(after)s”, whatever the facts are that we do not have") % names
    if guessed:
        return _("“%(before)s” stays before “%(after)s” for now: a fact that decides this is missing") % names
    return _sentence(link, facts) % {**names, **_details(link, facts)}


def _sentence(link: Link, facts: Facts) -> str:
    earlier_than_medicare = link.rule.startswith("medicare") and facts.type(link.after) == "medicare"
    match link.rule:
        case "workers_compensation":
            return _(
                "“%(before)s” covers an injury at work or an accident and pays before “%(after)s” for that injury; "
                "our support team looks at this with you"
            )
        case "medicaid_last":
            return _("“%(after)s” is Medicaid, which always pays last, after “%(before)s”")
        case "active_duty":
            return _("“%(before)s” is the TRICARE of someone on active duty and pays before “%(after)s”")
        case "step_parent_before_tricare":
            return _("“%(before)s” is a step-parent's plan and pays before “%(after)s”, a child's TRICARE")
        case "tricare_after":
            return _("“%(after)s” is TRICARE, which pays after “%(before)s”")
        case "medicare_esrd" if earlier_than_medicare:
            return _(
                "“%(before)s” pays before Medicare (“%(after)s”) during the first 30 months of Medicare because of "
                "kidney failure; the last of them is %(last_month)s"
            )
        case "medicare_esrd":
            return _(
                "Medicare (“%(before)s”) pays before “%(after)s”: the first 30 months of Medicare because of kidney "
                "failure are over"
            )
        case "medicare_age" if earlier_than_medicare:
            return _(
                "“%(before)s” comes from present work of yours or your spouse's, at an employer with 20 or more "
                "people, so it pays before Medicare (“%(after)s”)"
            )
        case "medicare_age":
            return _(
                "Medicare (“%(before)s”) pays before “%(after)s”, which does not come from present work of yours or "
                "your spouse's at an employer with 20 or more people"
            )
        case "medicare_disability" if earlier_than_medicare:
            return _(
                "“%(before)s” comes from present work in your family, at an employer with 100 or more people, so it "
                "pays before Medicare (“%(after)s”)"
            )
        case "medicare_disability":
            return _(
                "Medicare (“%(before)s”) pays before “%(after)s”, which does not come from present work at an employer "
                "with 100 or more people"
            )
        case "medicare_first":
            return _("Medicare (“%(before)s”) pays before “%(after)s”, which does not come from present work")
        case "medicare_reversal":
            return _(
                "“%(before)s” pays before Medicare (“%(after)s”), and Medicare before your own plan; so your own plan, "
                "which otherwise comes first, comes last"
            )
        case _:
            return _between_ordinary_plans(link)


def _between_ordinary_plans(link: Link) -> str:
    match link.rule:
        case "does_not_coordinate":
            return _("“%(before)s” does not coordinate with other plans, so it pays before “%(after)s”")
        case "non_dependent":
            return _("“%(before)s” is your own plan; it pays before “%(after)s”, which you have through someone else")
        case "birthday":
            return _(
                "“%(before)s” pays before “%(after)s”: its holder's birthday, %(before_birthday)s, comes earlier in "
                "the year than %(after_birthday)s"
            )
        case "decree":
            return _("“%(before)s” pays before “%(after)s”: a court decided which parent's plan pays first")
        case "custody":
            return _("“%(before)s” pays before “%(after)s”: plans on the side of the parent with custody come first")
        case "active_before_inactive":
            return _(
                "“%(before)s” comes from present work; it pays before “%(after)s”, whose holder is laid off or retired"
            )
        case "ordinary_before_continuation":
            return _("“%(after)s” is continued coverage (COBRA) and pays after “%(before)s”")
        case "longer_coverage":
            return _("“%(before)s” has covered longer, since %(before_since)s; “%(after)s” since %(after_since)s")
        case _:
            return _(
                "No rule tells “%(before)s” and “%(after)s” apart; they stay in the order given until you ask both"
            )


def _details(link: Link, facts: Facts) -> dict[str, str]:
    """The figures that a sentence names. Only facts the rule has read, so none is missing here."""
    if link.rule == "medicare_esrd":
        return {"last_month": _last_month(facts)}
    if link.rule == "birthday":
        return {
            "before_birthday": _birthday(facts.born(link.before)),
            "after_birthday": _birthday(facts.born(link.after)),
        }
    if link.rule == "longer_coverage":
        return {
            "before_since": date_format(facts.since(link.before), "DATE_FORMAT"),
            "after_since": date_format(facts.since(link.after), "DATE_FORMAT"),
        }
    return {}


def _last_month(facts: Facts) -> str:
    left = max(0, ESRD_MONTHS - facts.esrd_months())
    if facts.on is None or facts.on.year > date.max.year - 100:
        return ngettext("%(count)s month away", "%(count)s months away", left) % {"count": left}
    months = facts.on.year * 12 + facts.on.month - 1 + min(left, 12 * 100)
    return date_format(date(months // 12, months % 12 + 1, 1), "YEAR_MONTH_FORMAT")


def _birthday(born: date) -> str:
    return date_format(born, "MONTH_DAY_FORMAT")


def doubt_in_words(doubt: str) -> str:
    """What the sources do not agree on."""
    return {
        "individual_plan": _("Sources disagree on how a plan you bought yourself goes together with others: ask both"),
        "esrd_after_age": _(
            "If Medicare already paid first because of your age, before kidney failure, it still does: ask Medicare"
        ),
        "other_holder": _("The rules do not say which guardian's plan comes first: ask the insurers"),
    }[doubt]


def missing_in_words(key: Key, plans: Sequence[PlanFacts]) -> str:
    """A question to be asked, from whose fact it is and which."""
    subject, fact = key
    labels = {about(plan): plan.label for plan in plans}
    name = labels.get(subject, subject.removeprefix("holder "))
    return {
        "type": _("Not known: what kind of plan “%(name)s” is"),
        "holder": _("Not known: through whom you have “%(name)s”"),
        "holder_born": _("Not known: the birthday of the holder (%(name)s)"),
        "holder_status": _("Not known: whether the holder of “%(name)s” works there now"),
        "employer_size": _("Not known: how many people the employer behind “%(name)s” has"),
        "multi_employer": _("Not known: whether a larger employer takes part in “%(name)s”"),
        "since": _("Not known: since when “%(name)s” covers"),
        "medicare_because": _("Not known: why you have Medicare (age, disability or kidney failure)"),
        "esrd_months": _("Not known: how many months you have had Medicare because of kidney failure"),
        "parents": _("Not known: whether the parents live together"),
        "decree": _("Not known: whether a court decided which parent pays for health care"),
        "custodial_parent": _("Not known: which parent has custody"),
    }[fact] % {"name": name}
