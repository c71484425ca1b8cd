"""AAA: why an insurer could not answer an eligibility inquiry, in our words, and what may help.

Which code may stand in which loop follows 005010X279A1; a code in a loop where the guide does not have it is read all
the same. An AAA never means that the member is not covered.
"""

from enum import StrEnum


class Cause(StrEnum):
    """Who can do something about a rejection."""

    TRY_AGAIN = "try_again"
    """The insurer cannot answer now: ask again later."""
    SETUP = "setup"
    """Our ids, enrolment or the way we ask: support."""
    MEMBER = "member"
    """What we know of the member does not match the insurer's records: check the card."""
    DATES = "dates"
    """The date asked about."""
    SERVICE = "service"
    """The service, diagnosis or procedure asked about."""


_NAMES = {"2000A": "transaction", "2100A": "payer", "2100B": "provider", "2100C": "subscriber", "2100D": "dependent"}

_GENERAL: dict[str, tuple[Cause, str]] = {
    "04": (Cause.SETUP, "The insurer does not allow this many inquiries in one request"),
    "15": (Cause.MEMBER, "Something the insurer needs to find the member or answer is missing"),
    "33": (Cause.SERVICE, "Something the insurer needs to answer about this service is missing"),
    "35": (Cause.MEMBER, "The member is outside the area this insurer serves"),
    "41": (Cause.SETUP, "The insurer has not authorized this access"),
    "42": (Cause.TRY_AGAIN, "The insurer's system cannot answer right now"),
    "43": (Cause.SETUP, "The provider's identification is missing or not valid"),
    "44": (Cause.SETUP, "The provider's name is missing or not valid"),
    "45": (Cause.SETUP, "The provider's specialty is missing or not valid"),
    "46": (Cause.SETUP, "The provider's telephone number is missing or not valid"),
    "47": (Cause.SETUP, "The provider's state is missing or not valid"),
    "48": (Cause.SETUP, "The referring provider's number is missing or not valid"),
    "49": (Cause.MEMBER, "This provider is not the member's primary care provider"),
    "50": (Cause.SETUP, "This provider may not ask about this member"),
    "51": (Cause.SETUP, "The insurer does not have this provider on file"),
    "52": (Cause.DATES, "The date of service is outside the provider's participation in the plan"),
    "53": (Cause.SERVICE, "This benefit cannot be asked about in this way"),
    "54": (Cause.SERVICE, "This product or service cannot be asked about in this way"),
    "55": (Cause.SERVICE, "The product or service code is not valid"),
    "56": (Cause.DATES, "The date is not one the insurer accepts"),
    "57": (Cause.DATES, "The date of service is missing or not valid"),
    "58": (Cause.MEMBER, "The date of birth is missing or not valid"),
    "60": (Cause.DATES, "The date of birth is later than the date of service"),
    "61": (Cause.DATES, "The date of death is before the date of service"),
    "62": (Cause.DATES, "The date of service is further away than the insurer answers for"),
    "63": (Cause.DATES, "The date of service lies in the future"),
    "64": (Cause.MEMBER, "The dependent's member id is missing or not valid"),
    "65": (Cause.MEMBER, "The dependent's name is missing or not valid"),
    "66": (Cause.MEMBER, "The dependent's gender is missing or not valid"),
    "67": (Cause.MEMBER, "The insurer did not find this dependent"),
    "68": (Cause.MEMBER, "The dependent's member id belongs to more than one person"),
    "69": (Cause.SERVICE, "This service does not fit the member's age"),
    "70": (Cause.SERVICE, "This service does not fit the member's gender"),
    "71": (Cause.MEMBER, "The date of birth is not the one the insurer has"),
    "72": (Cause.MEMBER, "The member id is missing or not valid"),
    "73": (Cause.MEMBER, "The member's name is missing or not valid"),
    "74": (Cause.MEMBER, "The member's gender is missing or not valid"),
    "75": (Cause.MEMBER, "The insurer did not find this member"),
    "76": (Cause.MEMBER, "The member id belongs to more than one person"),
    "77": (Cause.MEMBER, "The insurer found the subscriber but not the patient"),
    "78": (Cause.MEMBER, "The subscriber is not in the group or plan that was named"),
    "79": (Cause.SETUP, "A participant in the request is not known or not valid"),
    "80": (Cause.TRY_AGAIN, "The insurer's system gave no answer"),
    "97": (Cause.SETUP, "The provider's address is missing or not valid"),
    "98": (Cause.SERVICE, "The insurer reserves this information for the member's own plan contact"),
    "AA": (Cause.SERVICE, "The authorization number was not found"),
    "AE": (Cause.SERVICE, "A primary care provider's authorization is needed"),
    "AF": (Cause.SERVICE, "The diagnosis code is missing or not valid"),
    "AG": (Cause.SERVICE, "The procedure code is missing or not valid"),
    "AO": (Cause.SERVICE, "More diagnosis codes were sent than the insurer reads"),
    "CI": (Cause.SERVICE, "The authorization or certification does not match"),
    "E8": (Cause.SERVICE, "The insurer needs an authorization to answer about this service"),
    "IA": (Cause.SERVICE, "The authorization number is missing or not valid"),
    "MA": (Cause.SERVICE, "The authorization number is missing"),
    "T4": (Cause.SETUP, "The name or id of the insurer or of its source is missing"),
}

_IN_LOOP: dict[tuple[str, str], tuple[Cause, str]] = {
    ("2100B", "15"): (Cause.SETUP, "Something the insurer needs about the provider is missing"),
    ("2100B", "79"): (Cause.SETUP, "The insurer does not know this provider as a participant"),
    ("2100B", "T4"): (Cause.SETUP, "The provider's name or id is missing"),
    ("2100A", "79"): (Cause.SETUP, "This insurer cannot be reached under the id that was used"),
    ("2110", "15"): (Cause.SERVICE, "Something the insurer needs to answer about this service is missing"),
}

FOLLOW_UP = {
    "C": "Correct it and ask again",
    "N": "Do not ask again",
    "P": "Ask again with the original request",
    "R": "Asking again is allowed",
    "S": "Do not ask again: the inquiry was sent on to a third party",
    "W": "Ask again after 30 days",
    "X": "Ask again after 10 days",
    "Y": "Do not ask again: the insurer holds the inquiry and will answer",
}
"""AAA04, what the insurer says to do next."""


def cause(loop: str, code: str) -> Cause:
    """Who can do something about it; for an unknown code, support."""
    return _entry(loop, code)[0]


def text(loop: str, code: str) -> str:
    """A sentence for AAA03 ``code`` in ``loop`` (``2100C``), without a full stop."""
    return _entry(loop, code)[1]


def _entry(loop: str, code: str) -> tuple[Cause, str]:
    family = loop[:4] if loop.startswith("2110") else loop
    known = _IN_LOOP.get((family, code)) or _GENERAL.get(code)
    if known:
        return known
    about = _NAMES.get(loop, "service" if family == "2110" else "inquiry")
    return Cause.SETUP, f"The insurer rejected the {about} with code {code or '(none)'}, which is not in the guide"
