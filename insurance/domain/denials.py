"""Which denials end a plan's part, so that the next plan may be asked, and which need something first. Pure.

A table, because insurers' codes are a list: CARC → what it means for the plans that come after. Sources: the CARC list
of X12 (external code list 139) for the meanings; for billing on, the rule of the 837's other-payer loops that a plan's
final answer goes with the next claim (``X12.md`` 3.3 to 3.5). What is not in the table waits for a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from insurance.domain.decisions import Reason, explains_amounts

GOES_ON: dict[str, str] = {
    "26": _("the costs are from before the coverage began"),
    "27": _("the coverage had ended"),
    "32": _("the patient is no eligible dependent of this plan"),
    "33": _("the plan has no coverage for dependents"),
    "35": _("the lifetime maximum is reached"),
    "49": _("the plan does not cover routine care"),
    "51": _("the condition was there before the coverage"),
    "96": _("the plan does not cover it"),
    "119": _("the maximum for this time is reached"),
    "149": _("the lifetime maximum for this service is reached"),
    "167": _("the plan does not cover this diagnosis"),
    "204": _("the plan does not cover this service"),
    "273": _("the plan's guidelines do not cover so much of it"),
}
"""The plan's benefits do not reach the session: its last word, whoever asks again. The next plan may be asked."""

STOPS: dict[str, str] = {
    "4": _("the modifier does not fit"),
    "11": _("the diagnosis does not fit the procedure"),
    "16": _("something is missing in the claim"),
    "18": _("the insurer has the claim already"),
    "22": _("another plan pays first"),
    "29": _("the time for filing had ended"),
    "31": _("the patient was not found"),
    "50": _("the insurer does not find it necessary"),
    "97": _("it is part of another service"),
    "109": _("it belongs to another insurer"),
    "125": _("there is a fault in the claim"),
    "129": _("what the plan before it decided was not understood"),
    "133": _("the insurer has not decided yet"),
    "140": _("name and member ID do not belong together"),
    "146": _("the diagnosis is not valid"),
    "147": _("the rate is not agreed"),
    "148": _("information of another provider is missing"),
    "151": _("the insurer does not find so many visits necessary"),
    "163": _("an attachment is missing"),
    "164": _("an attachment came too late"),
    "170": _("this kind of provider is not paid for it"),
    "177": _("the patient does not meet the plan's conditions"),
    "181": _("the procedure is not valid"),
    "185": _("the provider may not do this"),
    "197": _("it was not authorized before"),
    "198": _("it went beyond the authorization"),
    "208": _("the provider's number does not fit"),
    "216": _("a review decided so"),
    "226": _("information of the provider is missing"),
    "227": _("information of the patient is missing"),
    "228": _("information was not given to the plan before it"),
    "242": _("the provider is not in the network"),
    "243": _("it was not authorized by the network"),
    "252": _("an attachment is needed"),
    "256": _("the managed care contract does not pay for it"),
    "272": _("the plan's guidelines are not met"),
    "288": _("a referral is missing"),
    "296": _("the authorization is not for this provider"),
    "300": _("it went to the company for behavioral health"),
    "301": _("it belongs to the company for behavioral health"),
    "302": _("the authorization is not for this day"),
    "A1": _("a remark says what is wrong"),
    "B7": _("the provider was not eligible on this day"),
    "B11": _("it went to another insurer"),
    "B13": _("it may have been paid before"),
    "B15": _("it needs another service that was not billed"),
}
"""Something can be put right, sent, appealed or asked elsewhere first: a person looks. Not a complete list; every CARC
that is in neither table stops too, these only with better words."""

TOO_LATE = "29"

_ASKS_FOR_MORE = frozenset({"MA130", "MA04", "MA64", "MA83", "MA92", "N4", "N8", "N36", "N48", "N179", "N191", "N197",
                            "N245", "N307", "N375", "N479", "N480", "N598", "N686", "N706", "N747", "N802",
                            "N811"})  # fmt: skip
"""RARCs that ask for something or send the claim elsewhere, whatever the CARC beside them says (``X12.md`` 3.4)."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a denial means for the plans after it.

    ``goes_on``: the next plan may be asked. ``written_off``: the plan's contract leaves nothing to the patient (group
    CO), so that the client owes nothing whatever a later plan leaves. ``why``: in words.
    """

    goes_on: bool
    written_off: bool
    why: tuple[str, ...]


def read_denial(reasons: Iterable[Reason], remarks: Iterable[str]) -> Denial:
    """What the reasons and remarks of a denied claim come to: it goes on when every one of them is a last word."""
    refusing: Sequence[Reason] = [each for each in reasons if not explains_amounts(each.code)]
    codes = dict.fromkeys(each.code for each in refusing)
    asks = not _ASKS_FOR_MORE.isdisjoint(remarks)
    return Denial(
        goes_on=bool(codes) and not asks and all(code in GOES_ON for code in codes),
        written_off=bool(refusing) and all(each.group == "CO" for each in refusing),
        why=tuple(gettext(words) for code in codes if (words := GOES_ON.get(code) or STOPS.get(code))),
    )
