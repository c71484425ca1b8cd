"""AAA: why an insurer could not answer an eligibility inquiry, in our words, and what may help.

Which code may stand in which loop follows 005010X279A1; a code in a loop where the guide does not have it is read all
the same. An AAA never means that the member is not covered.
"""

from enum import StrEnum

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _


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


_NAMES = {
    "2000A": _("transaction"),
    "2100A": _("insurer"),
    "2100B": _("provider"),
    "2100C": _("subscriber"),
    "2100D": _("dependent"),
}

_GENERAL: dict[str, tuple[Cause, str]] = {
    "04": (Cause.SETUP, _("The insurer does not allow this many inquiries in one request")),
    "15": (Cause.MEMBER, _("Something the insurer needs to find the member or answer is missing")),
    "33": (Cause.SERVICE, _("Something the insurer needs to answer about this service is missing")),
    "35": (Cause.MEMBER, _("The member is outside the area this insurer serves")),
    "41": (Cause.SETUP, _("The insurer has not authorized this access")),
    "42": (Cause.TRY_AGAIN, _("The insurer's system cannot answer right now")),
    "43": (Cause.SETUP, _("The provider's identification is missing or not valid")),
    "44": (Cause.SETUP, _("The provider's name is missing or not valid")),
    "45": (Cause.SETUP, _("The provider's specialty is missing or not valid")),
    "46": (Cause.SETUP, _("The provider's telephone number is missing or not valid")),
    "47": (Cause.SETUP, _("The provider's state is missing or not valid")),
    "48": (Cause.SETUP, _("The referring provider's number is missing or not valid")),
    "49": (Cause.MEMBER, _("This provider is not the member's primary care provider")),
    "50": (Cause.SETUP, _("This provider may not ask about this member")),
    "51": (Cause.SETUP, _("The insurer does not have this provider on file")),
    "52": (Cause.DATES, _("The date of service is outside the provider's participation in the plan")),
    "53": (Cause.SERVICE, _("This benefit cannot be asked about in this way")),
    "54": (Cause.SERVICE, _("This product or service cannot be asked about in this way")),
    "55": (Cause.SERVICE, _("The product or service code is not valid")),
    "56": (Cause.DATES, _("The date is not one the insurer accepts")),
    "57": (Cause.DATES, _("The date of service is missing or not valid")),
    "58": (Cause.MEMBER, _("The date of birth is missing or not valid")),
    "60": (Cause.DATES, _("The date of birth is later than the date of service")),
    "61": (Cause.DATES, _("The date of death is before the date of service")),
    "62": (Cause.DATES, _("The date of service is further away than the insurer answers for")),
    "63": (Cause.DATES, _("The date of service lies in the future")),
    "64": (Cause.MEMBER, _("The dependent's member id is missing or not valid")),
    "65": (Cause.MEMBER, _("The dependent's name is missing or not valid")),
    "66": (Cause.MEMBER, _("The dependent's gender is missing or not valid")),
    "67": (Cause.MEMBER, _("The insurer did not find this dependent")),
    "68": (Cause.MEMBER, _("The dependent's member id belongs to more than one person")),
    "69": (Cause.SERVICE, _("This service does not fit the member's age")),
    "70": (Cause.SERVICE, _("This service does not fit the member's gender")),
    "71": (Cause.MEMBER, _("The date of birth is not the one the insurer has")),
    "72": (Cause.MEMBER, _("The member id is missing or not valid")),
    "73": (Cause.MEMBER, _("The member's name is missing or not valid")),
    "74": (Cause.MEMBER, _("The member's gender is missing or not valid")),
    "75": (Cause.MEMBER, _("The insurer did not find this member")),
    "76": (Cause.MEMBER, _("The member id belongs to more than one person")),
    "77": (Cause.MEMBER, _("The insurer found the subscriber but not the patient")),
    "78": (Cause.MEMBER, _("The subscriber is not in the group or plan that was named")),
    "79": (Cause.SETUP, _("A participant in the request is not known or not valid")),
    "80": (Cause.TRY_AGAIN, _("The insurer's system gave no answer")),
    "97": (Cause.SETUP, _("The provider's address is missing or not valid")),
    "98": (Cause.SERVICE, _("The insurer reserves this information for the member's own plan contact")),
    "AA": (Cause.SERVICE, _("The authorization number was not found")),
    "AE": (Cause.SERVICE, _("A primary care provider's authorization is needed")),
    "AF": (Cause.SERVICE, _("The diagnosis code is missing or not valid")),
    "AG": (Cause.SERVICE, _("The procedure code is missing or not valid")),
    "AO": (Cause.SERVICE, _("More diagnosis codes were sent than the insurer reads")),
    "CI": (Cause.SERVICE, _("The authorization or certification does not match")),
    "E8": (Cause.SERVICE, _("The insurer needs an authorization to answer about this service")),
    "IA": (Cause.SERVICE, _("The authorization number is missing or not valid")),
    "MA": (Cause.SERVICE, _("The authorization number is missing")),
    "T4": (Cause.SETUP, _("The name or id of the insurer or of its source is missing")),
}

_IN_LOOP: dict[tuple[str, str], tuple[Cause, str]] = {
    ("2100B", "15"): (Cause.SETUP, _("Something the insurer needs about the provider is missing")),
    ("2100B", "79"): (Cause.SETUP, _("The insurer does not know this provider as a participant")),
    ("2100B", "T4"): (Cause.SETUP, _("The provider's name or id is missing")),
    ("2100A", "79"): (Cause.SETUP, _("This insurer cannot be reached under the id that was used")),
    ("2110", "15"): (Cause.SERVICE, _("Something the insurer needs to answer about this service is missing")),
}

FOLLOW_UP = {
    "C": _("Correct it and ask again"),
    "N": _("Do not ask again"),
    "P": _("Ask again with the original request"),
    "R": _("Asking again is allowed"),
    "S": _("Do not ask again: the inquiry was sent on to a third party"),
    "W": _("Ask again after 30 days"),
    "X": _("Ask again after 10 days"),
    "Y": _("Do not ask again: the insurer holds the inquiry and will answer"),
}
"""AAA04, what the insurer says to do next."""


def cause(loop: str, code: str) -> Cause:
    """Who can do something about it; for an unknown code, support."""
    known = _known(loop, code)
    return known[0] if known else Cause.SETUP


def text(loop: str, code: str) -> str:
    """A sentence for AAA03 ``code`` in ``loop`` (``2100C``), without a full stop."""
    known = _known(loop, code)
    if known:
        return gettext(known[1])
    message = gettext("The insurer rejected the %(about)s with code %(code)s, which is not in the guide")
    about = _NAMES.get(loop, _("service") if loop.startswith("2110") else _("inquiry"))
    return message % {"about": gettext(about), "code": code or gettext("(none)")}


def _known(loop: str, code: str) -> tuple[Cause, str] | None:
    family = loop[:4] if loop.startswith("2110") else loop
    return _IN_LOOP.get((family, code)) or _GENERAL.get(code)
