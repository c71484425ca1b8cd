"""Which declined charges are tried once more, and when. Pure.

A bank's refusal either passes by itself (no money today, a system that does not answer) or it does not. The first kind
is tried again at most twice; for any other one the client is asked, because only the client can put it right.

Trying what a bank will never allow costs fees and standing: Visa forbids to try a transaction again that was refused
for good (lost, stolen, closed: its category 1) and allows at most 15 more tries in 30 days for the rest, Mastercard 35
(Visa's excessive reattempts rule, Mastercard's excessive authorisation attempts; 20 and 35 since 2025). Two of ours are
far below either. What each code means: docs.stripe.com/declines/codes.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

SHORT_OF_MONEY = (3, 7)
"""Days to wait after the first and the second refusal when the account was short: pay days come between."""

SYSTEM_TROUBLE = (1, 3)
"""The same when the bank or the network could not say."""

WAITS: Mapping[str, tuple[int, ...]] = {
    "insufficient_funds": SHORT_OF_MONEY,
    "withdrawal_count_limit_exceeded": SHORT_OF_MONEY,
    "card_velocity_exceeded": SHORT_OF_MONEY,
    "processing_error": SYSTEM_TROUBLE,
    "try_again_later": SYSTEM_TROUBLE,
    "issuer_not_available": SYSTEM_TROUBLE,
    "reenter_transaction": SYSTEM_TROUBLE,
}
"""Everything not named here is asked of the client: expired, lost and stolen cards, wrong details, suspected fraud,
"do not honor", a refusal without a reason, and any code that is new to us."""

MOST_RETRIES = 2


def retry_on(
    decline_code: str, *, tries: int, declined_on: date, is_business_day: Callable[[date], bool]
) -> date | None:
    """The day of the next try after the ``tries``-th one (1, 2, …) was declined; ``None``: the client is asked.

    A business day, because accounts are filled and banks answer on those.
    """
    waits = WAITS.get(decline_code, ())[:MOST_RETRIES]
    if not 1 <= tries <= len(waits):
        return None
    day = declined_on + timedelta(days=waits[tries - 1])
    while not is_business_day(day):
        day += timedelta(days=1)
    return day
