"""For how long an insurer may take back what it paid, by the state's law. Pure.

Only limits that are well known are here; for every other state the answer is "not known", never a guess. They bind
insurers that the state regulates: an employer that pays for its members itself (a self-funded plan) is bound by its own
contract, and no limit holds for fraud.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from common import us_states


@dataclass(frozen=True, slots=True)
class Limit:
    """Months or days from the payment on; ``for_cob``: months when another plan should have paid."""

    source: str
    months: int | None = None
    days: int | None = None
    for_cob: int | None = None


LIMITS: dict[str, Limit] = {
    "AL": Limit("Alabama Code, title 27, section 27-1-17", months=12, for_cob=18),
    "AR": Limit("Arkansas Code, section 23-63-1802", months=18),
    "AZ": Limit("Arizona Revised Statutes, section 20-3102", months=12),
    "CA": Limit("California Insurance Code, section 10133.66", days=365),
    "CO": Limit("Colorado Revised Statutes, section 10-16-704", months=12),
    "CT": Limit("Connecticut General Statutes, section 38a-479b", months=18),
    "DE": Limit("Delaware insurance law", months=24),
    "NY": Limit("New York Insurance Law, section 3224-b", months=24),
    "TX": Limit("Texas Insurance Code, sections 843.350 and 1301.132", days=180),
}


@dataclass(frozen=True, slots=True)
class Window:
    """How a payment stands to its state's limit on a day. ``until`` is the last day; ``None``: not known."""

    state: str
    paid_on: date
    days: int
    limit: Limit | None = None
    until: date | None = None
    until_for_cob: date | None = None

    @property
    def state_name(self) -> str:
        return us_states.name_of(self.state)

    @property
    def beyond(self) -> bool | None:
        """Whether the limit is over, whatever the reason for taking back; ``None``: not known."""
        if self.until is None:
            return None
        return self.paid_on + timedelta(days=self.days) > max(self.until, self.until_for_cob or self.until)

    @property
    def only_for_cob(self) -> bool:
        """Over, unless another plan should have paid."""
        today = self.paid_on + timedelta(days=self.days)
        return self.until is not None and self.until_for_cob is not None and self.until < today <= self.until_for_cob


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def window(*, state: str, paid_on: date, taken_on: date) -> Window:
    """A payment of ``paid_on`` that is taken back on ``taken_on``, for a session held in ``state`` (USPS code)."""
    days = (taken_on - paid_on).days
    limit = LIMITS.get(state)
    if limit is None:
        return Window(state, paid_on, days)
    until = add_months(paid_on, limit.months) if limit.months is not None else paid_on + timedelta(days=limit.days or 0)
    cob = add_months(paid_on, limit.for_cob) if limit.for_cob is not None else None
    return Window(state, paid_on, days, limit, until, cob)
