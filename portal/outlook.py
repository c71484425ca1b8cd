"""What comes next of a session's cost, in words for both portals: the headline, where it turns, what it adds up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.domain.forecast import Forecast, Run, Total, Turn, TurningPoint
from billing.services.forecast import Outlook
from common.money import ZERO, dollars
from portal.cost_chart import CostChart, draw
from portal.templatetags.headway_ui import longdate

__all__ = ["Next", "Row", "TurnRow", "told"]


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn of the price; ``before`` and ``then`` are dollars, ``None`` where not known."""

    number: int
    title: str
    when: str
    note: str
    before: Decimal | None
    then: Decimal | None
    changes: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Sessions in a row that cost the same, for the table."""

    first: date
    last: date
    sessions: int
    booked: int
    client: Decimal | None
    at_most: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Next:
    """A forecast ready for a page. ``chart`` is ``None`` when there is no price to draw."""

    headline: str
    turns: tuple[TurnRow, ...]
    rows: tuple[Row, ...]
    totals: tuple[Total, ...]
    chart: CostChart | None
    basis: tuple[str, ...]

    @property
    def booked(self) -> int:
        """How many of the sessions are booked."""
        return sum(row.booked for row in self.rows)


def told(outlook: Outlook, *, id: str) -> Next | None:
    """The outlook in words; ``None`` when there is no forecast. ``id`` is unique on the page."""
    if outlook.forecast is None:
        return None
    forecast = outlook.forecast
    return Next(
        headline=_headline(outlook, forecast),
        turns=tuple(_turn(number, turn, outlook, forecast) for number, turn in enumerate(forecast.turns, start=1)),
        rows=tuple(_row(run) for run in forecast.runs),
        totals=forecast.totals,
        chart=draw(forecast, id=id) if any(point.client is not None for point in forecast.points) else None,
        basis=tuple(_basis(outlook, forecast)),
    )


def _headline(outlook: Outlook, forecast: Forecast) -> str:
    first = forecast.points[0].client
    if first is None:
        return _("Nobody can say yet when it changes: %(payer)s has not told us enough about this plan.") % {
            "payer": outlook.coverage.payer if outlook.coverage else ""
        }
    # Other care can turn the price again before the session after the first turn: then that is the price to name.
    turn = next((each for each in reversed(forecast.turns) if each.after == forecast.turns[0].after), None)
    last = {"day": longdate(forecast.points[-1].day)}
    if turn is None:
        if len({point.client for point in forecast.points}) == 1:
            return _("It stays at %(amount)s for every session that we can see, until %(day)s.") % {
                "amount": dollars(first or ZERO),
                **last,
            }
        return _("Nothing in the plan changes it until %(day)s; sessions of another length cost another amount.") % last
    words = {"then": _amount(turn.then), "day": longdate(turn.day), "before": _amount(turn.before)}
    if turn.turn is Turn.NEW_YEAR:
        if turn.then is None:
            return _("It holds until the plan year starts again on %(day)s. What comes then is not known yet.") % words
        if turn.then == turn.before:
            return _("It stays at %(then)s, also after the plan year starts again on %(day)s.") % words
        return _("It changes when the plan year starts again on %(day)s: then a session costs %(then)s.") % words
    if turn.elsewhere:
        return _("With the other care, a session costs %(then)s from %(day)s on.") % words
    return ngettext(
        "After %(count)s more session, the next one costs %(then)s.",
        "After %(count)s more sessions, the next one costs %(then)s.",
        turn.after,
    ) % {"count": turn.after, **words}


def _amount(amount: Decimal | None) -> str:
    return _("an amount that is not known yet") if amount is None else dollars(amount)


def _turn(number: int, turn: TurningPoint, outlook: Outlook, forecast: Forecast) -> TurnRow:
    titles = {
        Turn.DEDUCTIBLE_MET: _("The deductible is met"),
        Turn.MAXIMUM_REACHED: _("The out-of-pocket maximum is reached"),
        Turn.VISITS_USED: _("The plan's visits are used up"),
        Turn.NEW_YEAR: _("The plan year starts again"),
    }
    notes = {
        Turn.DEDUCTIBLE_MET: _("From then on the plan pays its share."),
        Turn.MAXIMUM_REACHED: _("From then on the plan pays everything until its year ends."),
        Turn.VISITS_USED: _("From then on the plan pays nothing until its year ends."),
        Turn.NEW_YEAR: _("Deductible, maximum and visits count from the start."),
    }
    note = notes[turn.turn]
    if turn.turn is Turn.NEW_YEAR and outlook.assumed:
        note += " " + _("This holds if the plan stays as it is: %(payer)s has not told us about that year yet.") % {
            "payer": outlook.coverage.payer if outlook.coverage else ""
        }
    return TurnRow(
        number=number,
        title=titles[turn.turn],
        when=_when(turn, forecast),
        note=note,
        before=turn.before,
        then=turn.then,
        changes=turn.then is None or turn.then != turn.before,
    )


def _when(turn: TurningPoint, forecast: Forecast) -> str:
    day = longdate(turn.day)
    if turn.turn is Turn.NEW_YEAR:
        return _("On %(day)s") % {"day": day}
    if turn.elsewhere:
        return _("With the other care, about %(day)s") % {"day": day}
    words = {"count": turn.after, "day": day}
    if all(point.booked for point in forecast.points[: turn.after]):
        words_for = ngettext(
            "After %(count)s more session, on %(day)s", "After %(count)s more sessions, on %(day)s", turn.after
        )
    else:
        words_for = ngettext(
            "After %(count)s more session, about %(day)s", "After %(count)s more sessions, about %(day)s", turn.after
        )
    return words_for % words


def _row(run: Run) -> Row:
    return Row(
        first=run.first,
        last=run.last,
        sessions=len(run.points),
        booked=run.booked,
        client=run.price.client,
        at_most=run.allowed,
        why=_parts(run),
    )


def _parts(run: Run) -> str:
    """What the price is made of, in a few words."""
    price = run.price
    if price.client is None:
        return _("The insurer has not told us enough")
    if price.client == ZERO:
        return _("The plan pays all of it")
    labels = (
        (price.deductible, _("deductible %(amount)s")),
        (price.copay, _("copay %(amount)s")),
        (price.coinsurance, _("coinsurance %(amount)s")),
        (price.not_covered, _("not covered %(amount)s")),
    )
    parts = [label % {"amount": dollars(amount)} for amount, label in labels if amount]
    words = " + ".join(parts) or _("your part of the price")
    return words[:1].upper() + words[1:]


def _basis(outlook: Outlook, forecast: Forecast) -> Sequence[str]:
    """What the forecast rests on, sentence by sentence."""
    booked = sum(point.booked for point in forecast.points)
    expected = len(forecast.points) - booked
    found = []
    if booked:
        found.append(
            ngettext("%(count)s session is booked.", "%(count)s sessions are booked.", booked) % {"count": booked}
        )
    if expected:
        rhythm = {"rhythm": outlook.rhythm.label.lower()}
        found.append(
            _("The others are not booked: we go on with a session %(rhythm)s.") % rhythm
            if booked
            else _("None is booked: we go on with a session %(rhythm)s.") % rhythm
        )
    if outlook.assumed and any(point.booked and point.year for point in forecast.points):
        found.append(
            _("Sessions booked in the new plan year have a price that is not verified; it is worked out anew as soon "
              "as %(payer)s tells us about that year.")
            % {"payer": outlook.coverage.payer if outlook.coverage else ""}
        )  # fmt: skip
    if not outlook.year_end_known:
        found.append(
            _("%(payer)s has not told us when its plan year ends, so we look no further than %(day)s.")
            % {"payer": outlook.coverage.payer if outlook.coverage else "", "day": longdate(forecast.years[0][1])}
        )
    if outlook.ends_before is not None:
        found.append(
            _("From about %(day)s on, this plan no longer pays first, so we look no further.")
            % {"day": longdate(outlook.ends_before)}
        )
    return found
