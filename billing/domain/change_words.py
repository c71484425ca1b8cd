"""Why an estimate changed, in words: one clause for each reason, without a full stop. Pure.

``name`` is ``None`` when the client reads it; else it is about the client of that name.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain.benefit_changes import Correction, Part, deductibles, in_words, lesser, maximums, visit_share
from billing.domain.estimates import Estimate, not_covered, visit_changed, weighed, year_began
from billing.domain.price_words import percent
from billing.domain.pricing import PlanTerms
from common.money import ZERO, dollars


def first(now: Estimate, name: str | None) -> str:
    """The first price of a session."""
    if not now.verified:
        return _said(
            name,
            _("%(payer)s has not told us enough about your benefits yet"),
            _("%(payer)s has not told us enough about %(name)s's benefits yet"),
            payer=now.payer,
        )
    return _said(
        name,
        _("We worked out this price from your benefits with %(payer)s"),
        _("We worked out this price from %(name)s's benefits with %(payer)s"),
        payer=now.payer,
    )


def new_plan(before: Estimate | None, now: Estimate, name: str | None) -> str:
    """Another plan is the one that pays first."""
    if before is None:
        return _("%(payer)s now pays first") % {"payer": now.payer}
    if before.payer != now.payer:
        return _("%(payer)s now pays first, not %(other)s") % {"payer": now.payer, "other": before.payer}
    return _said(
        name,
        _("Another of your plans with %(payer)s now pays first"),
        _("Another of %(name)s's plans with %(payer)s now pays first"),
        payer=now.payer,
    )


def new_rate(before: Estimate | None, now: Estimate) -> str:
    """The price agreed with the insurer, before anybody's share of it."""
    if before is None or before.allowed == now.allowed:
        return _("The full price agreed with %(payer)s changed") % {"payer": now.payer}
    words = {"payer": now.payer, "now": dollars(now.allowed), "was": dollars(before.allowed)}
    return _("The full price agreed with %(payer)s is now %(now)s, not %(was)s") % words


def new_year(before: Estimate | None, now: Estimate, on: date, name: str | None) -> str:
    """A plan year began, and with it the deductible and the maximum."""
    began = _year_began(now, on, name)
    if not now.verified:
        words = {"began": began, "payer": now.payer}
        return _("%(began)s, and %(payer)s has not told us enough about it yet") % words
    if now.deductible and now.deductible_left is not None:
        return _with_deductible(began, now, now.deductible, now.deductible_left)
    if before and before.terms and now.terms and visit_share(before.terms) != visit_share(now.terms):
        return _from_then_on(began, _pays(now.terms, name))
    return began


def _year_began(now: Estimate, on: date, name: str | None) -> str:
    if now.plan_begin is None:
        return _said(name, _("Your plan year started again"), _("%(name)s's plan year started again"))
    day = day_in_words(now.plan_begin, on)
    if now.plan_begin > on:
        to_client, about_client = (
            _("Your plan year starts again on %(day)s"),
            _("%(name)s's plan year starts again on %(day)s"),
        )
    else:
        to_client, about_client = (
            _("Your plan year started again on %(day)s"),
            _("%(name)s's plan year started again on %(day)s"),
        )
    return _said(name, to_client, about_client, day=day)


def _with_deductible(began: str, now: Estimate, part: Decimal, left: Decimal) -> str:
    """What is left of the deductible, as the insurer told it: one figure for every session, and the one on the benefits
    page. What is left just before this session is told only where it makes another price."""
    told = lesser(deductibles(now.terms)) if now.terms else None
    if told is None or told == left or part < left:
        words = {"began": began, "left": dollars(left if told is None else told)}
        return _("%(began)s; %(left)s of deductible is left") % words
    words = {"began": began, "left": dollars(left)}
    return _("%(began)s; %(left)s of deductible is left before this session") % words


def maximum_met(now: Estimate, name: str | None) -> str:
    """The out-of-pocket maximum is reached, or this session reaches it."""
    if now.amount > ZERO:
        return _said(
            name,
            _("Only %(left)s is left until you reach your out-of-pocket maximum"),
            _("Only %(left)s is left until %(name)s reaches the out-of-pocket maximum"),
            left=dollars(now.amount),
        )
    own, family = maximums(now.terms) if now.terms else (None, None)
    if own != ZERO and family == ZERO:
        return _said(
            name,
            _("Your family has reached its out-of-pocket maximum: your plan pays all of a session"),
            _("%(name)s's family has reached its out-of-pocket maximum: the plan pays all of a session"),
        )
    if lesser((own, family)):
        return _said(
            name,
            _("You will have reached your out-of-pocket maximum by then: your plan pays all of a session"),
            _("%(name)s will have reached the out-of-pocket maximum by then: the plan pays all of a session"),
        )
    return _said(
        name,
        _("You have reached your out-of-pocket maximum: your plan pays all of a session"),
        _("%(name)s has reached the out-of-pocket maximum: the plan pays all of a session"),
    )


def deductible_met(now: Estimate, name: str | None) -> str:
    """The deductible is used up, or what is left of it is less than this session would take."""
    if now.deductible_left:
        return _said(
            name,
            _("Only %(left)s of your deductible is left before this session"),
            _("Only %(left)s of %(name)s's deductible is left before this session"),
            left=dollars(now.deductible_left),
        )
    own, family = deductibles(now.terms) if now.terms else (None, None)
    pays = _pays(now.terms, name) if now.terms else ""
    if lesser((own, family)):
        met = _said(
            name,
            _("You will have met your deductible by then"),
            _("%(name)s will have met the deductible by then"),
        )
        return _from_then_on(met, pays)
    if own != ZERO and family == ZERO:
        met = _said(name, _("Your family has met its deductible"), _("%(name)s's family has met its deductible"))
    else:
        met = _said(name, _("You have met your deductible"), _("%(name)s has met the deductible"))
    return _("%(met)s: from now on %(pays)s") % {"met": met, "pays": pays} if pays else met


def session_changed(before: Estimate | None, now: Estimate, on: date, name: str | None) -> str:
    """The session itself is another one, or other sessions leave more or less of the plan to it."""
    if before is None:
        return _("This session changed")
    if visit_changed(before, now):
        return _other_visit(before, now, on)
    if not_covered(now) and not not_covered(before):
        return _("No covered visits are left by then")
    if not_covered(before) and not not_covered(now):
        return _("A covered visit is left for this session again")
    left = _other_left(before, now, name)
    if before.snapshot != now.snapshot:
        words = {"payer": now.payer, "day": day_in_words(on, on)}
        return left or _("%(payer)s gave us newer figures on %(day)s") % words
    if left:
        return _("Other sessions changed: %(left)s") % {"left": left}
    return _said(
        name,
        _("Your other sessions now use a different part of your benefits"),
        _("%(name)s's other sessions now use a different part of the benefits"),
    )


def _other_left(before: Estimate, now: Estimate, name: str | None) -> str:
    """What is left before the session and was not, or the other way round; "" when that is the same or not known."""
    was, left = before.deductible_left, now.deductible_left
    if was is not None and left is not None and was != left and before.deductible != now.deductible:
        return _said(
            name,
            _("%(left)s of your deductible is left before this session, not %(was)s"),
            _("%(left)s of %(name)s's deductible is left before this session, not %(was)s"),
            left=dollars(left),
            was=dollars(was),
        )
    was, left = before.maximum_left, now.maximum_left
    if was is not None and left is not None and was != left:
        return _said(
            name,
            _("%(left)s is left to your out-of-pocket maximum before this session, not %(was)s"),
            _("%(left)s is left to %(name)s's out-of-pocket maximum before this session, not %(was)s"),
            left=dollars(left),
            was=dollars(was),
        )
    return ""


def _other_visit(before: Estimate, now: Estimate, on: date) -> str:
    """What is another one: the day, the place, or what is done."""
    was, visit = (dict(enumerate(each.visit)) for each in (before, now))
    day = _as_day(visit.get(0))
    said = []
    if day is not None and day != _as_day(was.get(0)):
        said.append(_("moved to %(day)s") % {"day": day_in_words(day, on)})
    if visit.get(1) != was.get(1):
        said.append(_("is now by video") if visit.get(1) else _("is now at the office"))
    if visit.get(2) != was.get(2) or not said:
        said.append(_("is now of another kind"))
    clause = _("This session %(changes)s") % {"changes": _(" and ").join(said)}
    if year_began(before, now):
        return _("%(clause)s, in a new plan year") % {"clause": clause}
    return clause


def benefits_corrected(before: Estimate | None, now: Estimate, on: date, name: str | None) -> str:
    """What the insurer told us before was wrong, or not known."""
    if not now.verified:
        return _said(
            name,
            _("What %(payer)s tells us is not enough to work out your share"),
            _("What %(payer)s tells us is not enough to work out %(name)s's share"),
            payer=now.payer,
        )
    if before is not None and not before.verified:
        return _said(
            name,
            _("We now know your benefits with %(payer)s"),
            _("We now know %(name)s's benefits with %(payer)s"),
            payer=now.payer,
        )
    weight = weighed(before, now) if before else ()
    if before is None or not weight:
        words = {"payer": now.payer, "day": day_in_words(on, on)}
        return _("%(payer)s gave us newer information on %(day)s") % words
    found = [each for each, _bears in weight]
    clause = _put_right(found, now, name)
    if now.allowed != before.allowed and (now.allowed < before.allowed) is (now.amount < before.amount):
        words = {"clause": clause, "full": dollars(now.allowed)}
        clause = _("%(clause)s, and the full price agreed with it is now %(full)s") % words
    if not any(bears and each.part is Part.DEDUCTIBLE for each, bears in weight) and _deductible_fell(before, now):
        return _said(
            name,
            _("%(clause)s, and less of your deductible is left"),
            _("%(clause)s, and less of %(name)s's deductible is left"),
            clause=clause,
        )
    return clause


def _put_right(found: Sequence[Correction], now: Estimate, name: str | None) -> str:
    words = {"payer": now.payer, "what": in_words(found, name)}
    if now.by_support:
        return _said(
            name,
            _("Our team checked your benefits with %(payer)s and found that %(what)s"),
            _("Our team checked %(name)s's benefits with %(payer)s and found that %(what)s"),
            **words,
        )
    if not now.from_evidence:
        return _("%(payer)s now tells us that %(what)s") % words
    if len(found) == 1 and found[0].figure == "copay":
        words |= {"is": found[0].after, "was": found[0].before}
        return _("%(payer)s processed a session with a copay of %(is)s, not the %(was)s it had told us") % words
    return _("A session that %(payer)s processed shows that %(what)s") % words


def _deductible_fell(before: Estimate, now: Estimate) -> bool:
    """Whether a lower price is lower also because less of it goes to the deductible."""
    if before.deductible is None or now.deductible is None or now.amount >= before.amount:
        return False
    return now.deductible < before.deductible


def _from_then_on(cause: str, pays: str) -> str:
    return _("%(cause)s: from then on %(pays)s") % {"cause": cause, "pays": pays} if pays else cause


def _pays(terms: PlanTerms, name: str | None) -> str:
    """Who pays what past the deductible, as a clause; "" when it is not known."""
    share = visit_share(terms)
    if share is None:
        return ""
    copay, coinsurance = share
    words = {"copay": dollars(copay), "share": percent(coinsurance)}
    if copay and coinsurance:
        return _said(
            name,
            _("you pay your copay of %(copay)s and %(share)s of the rest"),
            _("the client pays a copay of %(copay)s and %(share)s of the rest"),
            **words,
        )
    if copay:
        return _said(name, _("you pay your copay of %(copay)s"), _("the client pays a copay of %(copay)s"), **words)
    if coinsurance:
        return _said(name, _("you pay your %(share)s"), _("the client pays %(share)s"), **words)
    return _said(name, _("your plan pays all of a session"), _("the plan pays all of a session"))


def day_in_words(day: date, on: date) -> str:
    """``1 January`` in the year of ``on``, ``1 January 2027`` in another."""
    return date_format(day, "j F" if day.year == on.year else "j F Y")


def _as_day(value: object) -> date | None:
    """A day as a value, or as it is kept in JSON."""
    if isinstance(value, str):
        return date.fromisoformat(value)
    return value if isinstance(value, date) else None


def _said(name: str | None, to_client: str, about_client: str, **words: str) -> str:
    return to_client % words if name is None else about_client % {**words, "name": name}
