"""AAA: why an insurer could not answer an eligibility inquiry, in our words, and what to do next.

Which code may stand in which loop follows 005010X279A1; a code in a loop where the guide does not have it is read all
the same. An AAA never means that the member is not covered.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _


class Cause(StrEnum):
    """What a rejection is about."""

    TRY_AGAIN = "try_again"
    """The insurer cannot answer now: ask again later."""
    SETUP = "setup"
    """Our ids, enrolment or the way we ask."""
    MEMBER = "member"
    """What we know of the member does not match the insurer's records."""
    DATES = "dates"
    """The date asked about."""
    SERVICE = "service"
    """The service, diagnosis or procedure asked about."""


class Helper(StrEnum):
    """Who can do something about a rejection."""

    NOBODY = "nobody"
    """It is asked again without anybody's help."""
    CLIENT = "client"
    PROVIDER = "provider"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a rejection: who does it, and a sentence with a full stop.

    ``again`` tells whether the same question, unchanged, may be asked again; ``None``: the insurer does not say.
    """

    helper: Helper
    sentence: str
    again: bool | None = None


_LOOPS = {
    "2000A": _("transaction"),
    "2100A": _("insurer"),
    "2100B": _("provider"),
    "2100C": _("subscriber"),
    "2100D": _("dependent"),
}

_WAIT = (Helper.NOBODY, _("Nothing needs to be done: we ask again by ourselves."))
_PAYER_ID = (Helper.SUPPORT, _("Support checks the id we use for this insurer and asks the clearinghouse."))
_ACCESS = (Helper.SUPPORT, _("Support checks with the clearinghouse that we may ask this insurer for this provider."))
_NPI = (Helper.SUPPORT, _("Support checks the provider's NPI and enrollment with this insurer."))
_PROFILE = (Helper.PROVIDER, _("The provider checks name, specialty, telephone and address in their profile."))
_ID_CARD = (Helper.CLIENT, _("Compare the member id with the card, sign by sign, and enter it again."))
_NAME_CARD = (Helper.CLIENT, _("Enter the name exactly as it stands on the card."))
_BORN = (Helper.CLIENT, _("Check the date of birth. If it is right, call the insurer: its records have another one."))
_WHOLE_CARD = (
    Helper.CLIENT,
    _("Compare insurer, member id, name and date of birth with the card. If all is right, call the insurer."),
)
_GENDER = (Helper.SUPPORT, _("Support asks again with the gender that the insurer has on record."))
_TWO_PEOPLE = (
    Helper.SUPPORT,
    _("Support asks again with the full name and the date of birth, or calls the insurer."),
)
_DAY = (Helper.SUPPORT, _("Support asks again about another day, such as today."))
_REQUEST = (Helper.SUPPORT, _("Support looks at the question we sent and what this insurer needs in it."))
_OTHER_WORDS = (Helper.SUPPORT, _("Support asks again for the plan in general, or calls the insurer."))
_REFERRAL = (
    Helper.CLIENT,
    _("Ask the insurer whether therapy needs a referral from the primary care provider."),
)
_AUTHORIZATION = (Helper.SUPPORT, _("Support asks the insurer which authorization it needs, with its number."))

_Known = tuple[Cause, str, tuple[Helper, str]]

_GENERAL: dict[str, _Known] = {
    "04": (Cause.SETUP, _("The insurer does not allow this many inquiries in one request"), _REQUEST),
    "15": (Cause.MEMBER, _("Something the insurer needs to find the member or answer is missing"), _WHOLE_CARD),
    "33": (Cause.SERVICE, _("The insurer could not use what was asked about this service"), _REQUEST),
    "35": (Cause.MEMBER, _("The insurer calls this out of its network"), _NPI),
    "41": (Cause.SETUP, _("The insurer has not authorized this access"), _ACCESS),
    "42": (Cause.TRY_AGAIN, _("The insurer's system cannot answer right now"), _WAIT),
    "43": (Cause.SETUP, _("The provider's identification is missing or not valid"), _NPI),
    "44": (Cause.SETUP, _("The provider's name is missing or not valid"), _PROFILE),
    "45": (Cause.SETUP, _("The provider's specialty is missing or not valid"), _PROFILE),
    "46": (Cause.SETUP, _("The provider's telephone number is missing or not valid"), _PROFILE),
    "47": (Cause.SETUP, _("The provider's state is missing or not valid"), _PROFILE),
    "48": (Cause.SETUP, _("The referring provider's number is missing or not valid"), _REQUEST),
    "49": (Cause.MEMBER, _("This provider is not the member's primary care provider"), _REFERRAL),
    "50": (Cause.SETUP, _("This provider may not ask about this member"), _ACCESS),
    "51": (Cause.SETUP, _("The insurer does not have this provider on file"), _NPI),
    "52": (Cause.DATES, _("The date of service is outside the provider's participation in the plan"), _NPI),
    "53": (Cause.SERVICE, _("A provider of this kind cannot ask about this benefit"), _OTHER_WORDS),
    "54": (Cause.SERVICE, _("The insurer does not know this way of naming a service"), _OTHER_WORDS),
    "55": (Cause.SERVICE, _("The product or service code is not valid"), _OTHER_WORDS),
    "56": (Cause.DATES, _("The date is not one the insurer accepts"), _DAY),
    "57": (Cause.DATES, _("The date of service is missing or not valid"), _DAY),
    "58": (Cause.MEMBER, _("The date of birth is missing or not valid"), _BORN),
    "60": (Cause.DATES, _("The date of birth is later than the date of service"), _BORN),
    "61": (
        Cause.DATES,
        _("The insurer's records have a date of death before the date of service"),
        (Helper.SUPPORT, _("Support calls the insurer before anybody is asked: its records may be wrong.")),
    ),
    "62": (Cause.DATES, _("The date of service is further away than the insurer answers for"), _DAY),
    "63": (
        Cause.DATES,
        _("The date of service lies in the future"),
        (Helper.NOBODY, _("Nothing needs to be done: we ask again on a day the insurer answers for.")),
    ),
    "64": (Cause.MEMBER, _("The dependent's member id is missing or not valid"), _ID_CARD),
    "65": (Cause.MEMBER, _("The dependent's name is missing or not valid"), _NAME_CARD),
    "66": (Cause.MEMBER, _("The dependent's gender is missing or not valid"), _GENDER),
    "67": (Cause.MEMBER, _("The insurer did not find this dependent"), _WHOLE_CARD),
    "68": (Cause.MEMBER, _("The dependent's member id belongs to more than one person"), _TWO_PEOPLE),
    "69": (Cause.SERVICE, _("This service does not fit the member's age"), _BORN),
    "70": (Cause.SERVICE, _("This service does not fit the member's gender"), _GENDER),
    "71": (Cause.MEMBER, _("The date of birth is not the one the insurer has"), _BORN),
    "72": (Cause.MEMBER, _("The member id is missing or not valid"), _ID_CARD),
    "73": (Cause.MEMBER, _("The member's name is missing or not valid"), _NAME_CARD),
    "74": (Cause.MEMBER, _("The member's gender is missing or not valid"), _GENDER),
    "75": (Cause.MEMBER, _("The insurer did not find this member"), _WHOLE_CARD),
    "76": (Cause.MEMBER, _("The member id belongs to more than one person"), _TWO_PEOPLE),
    "77": (
        Cause.MEMBER,
        _("The insurer found the subscriber but not the patient"),
        (Helper.CLIENT, _("Check whose plan it is and how you are related. If it is right, call the insurer.")),
    ),
    "78": (
        Cause.MEMBER,
        _("The subscriber is not in the group or plan that was named"),
        (Helper.CLIENT, _("Compare the group number with the card, or leave it out.")),
    ),
    "79": (Cause.SETUP, _("A participant in the request is not known or not valid"), _PAYER_ID),
    "80": (Cause.TRY_AGAIN, _("The insurer's system gave no answer"), _WAIT),
    "97": (Cause.SETUP, _("The provider's address is missing or not valid"), _PROFILE),
    "98": (Cause.SERVICE, _("The insurer calls this service experimental"), _OTHER_WORDS),
    "AA": (Cause.SERVICE, _("The authorization number was not found"), _AUTHORIZATION),
    "AE": (Cause.SERVICE, _("A primary care provider's authorization is needed"), _REFERRAL),
    "AF": (Cause.SERVICE, _("The diagnosis code is missing or not valid"), _OTHER_WORDS),
    "AG": (Cause.SERVICE, _("The procedure code is missing or not valid"), _OTHER_WORDS),
    "AO": (Cause.SERVICE, _("The insurer wants to know more about the member's condition"), _OTHER_WORDS),
    "CI": (Cause.SERVICE, _("The certification is not the one of this member"), _AUTHORIZATION),
    "E8": (Cause.SERVICE, _("The insurer reviews this service before it answers"), _AUTHORIZATION),
    "IA": (Cause.SERVICE, _("The authorization number does not have the right form"), _AUTHORIZATION),
    "MA": (Cause.SERVICE, _("The authorization number is missing"), _AUTHORIZATION),
    "T4": (Cause.SETUP, _("The name or id of the insurer is missing"), _PAYER_ID),
}

_IN_LOOP: dict[tuple[str, str], _Known] = {
    ("2100A", "79"): (Cause.SETUP, _("This insurer cannot be reached under the id that was used"), _PAYER_ID),
    ("2100B", "15"): (Cause.SETUP, _("Something the insurer needs about the provider is missing"), _NPI),
    ("2100B", "79"): (Cause.SETUP, _("The insurer does not know this provider as a participant"), _NPI),
    ("2100B", "T4"): (Cause.SETUP, _("The provider's name or id is missing"), _NPI),
    ("2110", "15"): (
        Cause.SERVICE,
        _("Something the insurer needs to answer about this service is missing"),
        _REQUEST,
    ),
}

_UNKNOWN = (Helper.SUPPORT, _("Support asks the insurer what it means."))

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

_AGAIN = {"P": True, "R": True, "W": True, "X": True, "C": False, "N": False, "S": False, "Y": False}


def cause(loop: str, code: str) -> Cause:
    """What it is about; for an unknown code, our own setup."""
    known = _known(loop, code)
    return known[0] if known else Cause.SETUP


def text(loop: str, code: str) -> str:
    """A sentence for AAA03 ``code`` in ``loop`` (``2100C``), without a full stop."""
    known = _known(loop, code)
    if known:
        return gettext(known[1])
    message = gettext("The insurer rejected the %(about)s with code %(code)s, which is not in the guide")
    about = _LOOPS.get(loop, _("service") if loop.startswith("2110") else _("inquiry"))
    return message % {"about": gettext(about), "code": code or gettext("(none)")}


def advice(loop: str, code: str, follow_up: str = "") -> Advice:
    """What to do about AAA03 ``code`` in ``loop``, with the insurer's own word on it (AAA04 ``follow_up``)."""
    known = _known(loop, code)
    helper, sentence = known[2] if known else _UNKNOWN
    sentence = gettext(sentence)
    if helper is Helper.NOBODY and follow_up in ("", "C", "P", "R"):
        # "Correct it" is what some insurers write for any rejection; there is nothing to correct in this one.
        return Advice(helper, sentence, again=True)
    if follow_up in FOLLOW_UP:
        said = gettext("The insurer says: %(what)s.") % {"what": gettext(FOLLOW_UP[follow_up])}
        sentence = f"{sentence} {said}"
    return Advice(helper, sentence, _AGAIN.get(follow_up))


def _known(loop: str, code: str) -> _Known | None:
    family = loop[:4] if loop.startswith("2110") else loop
    return _IN_LOOP.get((family, code)) or _GENERAL.get(code)
