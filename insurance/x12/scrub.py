"""Would an insurer turn this claim away? Named rules, held against a claim before it leaves.

Each rule is one function with a sentence for support and the place to mend; :data:`RULES` lists them all, so that the
desk can show what is looked at. Arithmetic between payers is :mod:`insurance.x12.balance_837p`, the guide's own
structure :mod:`insurance.x12.validate`. Sources: X12 005010X222A1, the CMS-1500 instructions of the NUCC, CPT's
introductory notes on psychiatry, CMS's place-of-service list, 45 CFR 162.406 (NPI). Pure.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

from common.us_states import STATES
from insurance.x12.names import Address
from insurance.x12.values import is_npi
from insurance.x12.x837p_model import Claim, Person


class Mend(StrEnum):
    """Where what is wrong is put right."""

    CLIENT = "client"
    PLAN = "plan"
    PROVIDER = "provider"
    ORGANISATION = "organisation"
    SESSION = "session"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why the claim must not leave: the rule's name, a sentence, and where to mend it."""

    rule: str
    sentence: str
    mend: Mend


Found = Iterator[tuple[Mend, str]]
Rule = Callable[[Claim, date], Found]

RULES: dict[str, Rule] = {}


def _rule(check: Rule) -> Rule:
    RULES[check.__name__] = check
    return check


def problems(claim: Claim, *, on: date) -> list[Problem]:
    """Everything that is wrong with ``claim`` when it is sent on a day, in the order of the rules."""
    return [Problem(name, sentence, mend) for name, rule in RULES.items() for mend, sentence in rule(claim, on)]


# Who bills and who was there


@_rule
def npi(claim: Claim, on: date) -> Found:
    if not is_npi(claim.billing.npi):
        yield Mend.ORGANISATION, _("The organisation's NPI %(npi)s is not a valid NPI.") % {"npi": claim.billing.npi}
    rendering = [claim.rendering, claim.supervising, *(line.rendering for line in claim.lines)]
    for number in dict.fromkeys(each.npi for each in rendering if each is not None):
        if not is_npi(number):
            yield Mend.PROVIDER, _("The provider's NPI “%(npi)s” is not a valid NPI.") % {"npi": number}


@_rule
def tax_id(claim: Claim, on: date) -> Found:
    if not re.fullmatch(r"\d{9}", claim.billing.tax_id):
        yield Mend.ORGANISATION, _("The organisation's tax number must have nine digits.")


@_rule
def billing_address(claim: Claim, on: date) -> Found:
    """Loop 2010AA wants a street: a post-office box belongs to the pay-to address. Its ZIP code has nine digits."""
    address = claim.billing.address
    if re.match(r"(?i)\s*(p\.?\s*o\.?\s*)?box\b", address.line1):
        yield Mend.ORGANISATION, _("The organisation's address must be a street, not a post-office box.")
    if not re.fullmatch(r"\d{9}", address.zip):
        yield Mend.ORGANISATION, _("The organisation's ZIP code needs all nine digits.")
    yield from _address(address, Mend.ORGANISATION, _("The organisation's address"), zip_checked=True)


def _address(address: Address | None, mend: Mend, whose: str, *, zip_checked: bool = False) -> Found:
    if address is None or not (address.line1 and address.city):
        yield mend, _("%(whose)s lacks its street or city.") % {"whose": whose}
        return
    if address.state not in STATES:
        yield mend, _("%(whose)s has no known state: “%(state)s”.") % {"whose": whose, "state": address.state}
    if not zip_checked and not re.fullmatch(r"\d{5}(\d{4})?", address.zip):
        yield mend, _("%(whose)s has no ZIP code of five or nine digits.") % {"whose": whose}


# Who was treated, and who holds the plan


@_rule
def patient(claim: Claim, on: date) -> Found:
    """The person treated: name, birth date, sex, address (loop 2010BA or 2010CA)."""
    person = claim.treated
    yield from _person(person, Mend.CLIENT, _("The client"))
    if person.born is None:
        yield Mend.CLIENT, _("The client's birth date is missing.")
    elif any(line.service_date is not None and person.born > line.service_date for line in claim.lines):
        yield Mend.CLIENT, _("The client's birth date lies after the session.")
    if person.sex not in ("F", "M", "U"):
        yield Mend.CLIENT, _("The client's sex, as the insurer records it, is missing.")
    yield from _address(person.address, Mend.CLIENT, _("The client's address"))


@_rule
def plan_holder(claim: Claim, on: date) -> Found:
    if claim.patient is None:
        if claim.relationship != "18":
            yield Mend.PLAN, _("The client holds the plan, but the claim says they are somebody's relative.")
        return
    yield from _person(claim.subscriber, Mend.PLAN, _("The plan's holder"))
    if claim.relationship in ("18", ""):
        yield Mend.PLAN, _("How the client is related to the plan's holder is missing.")


def _person(person: Person, mend: Mend, who: str) -> Found:
    if not person.last or not person.first:
        yield mend, _("%(who)s's first or last name is missing.") % {"who": who}
    elif re.search(r"\d", person.last + person.first):
        yield mend, _("%(who)s's name has a digit in it.") % {"who": who}


@_rule
def member_id(claim: Claim, on: date) -> Found:
    held = [(claim.payer.name, claim.member_id), *((each.payer.name, each.member_id) for each in claim.other_payers)]
    for payer, number in held:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 -]{1,78}", number) or number.upper() in ("UNKNOWN", "NONE", "NA"):
            yield Mend.PLAN, _("The member id at %(payer)s is missing or not one.") % {"payer": payer}


# What was done


_TELEHEALTH_PLACES = frozenset({"02", "10"})
_TELEHEALTH_MODIFIERS = frozenset({"95", "93", "GT", "FQ"})
_PLACES = frozenset(
    {"02", "03", "04", "10", "11", "12", "15", "18", "19", "22", "49", "50", "52", "53", "57", "71", "99"}
)
"""Places of service at which outpatient behavioural health is given (CMS place-of-service codes)."""

_NEEDS_ONE_OF = {
    **dict.fromkeys(("90833", "90836", "90838"), tuple(f"992{number:02}" for number in range(2, 16))),
    "90785": ("90791", "90792", "90832", "90833", "90834", "90836", "90837", "90838", "90853"),
    "90840": ("90839",),
}
"""Add-on procedures and those beside which they are billed (CPT, psychiatry)."""

_ONCE = frozenset({"90791", "90792", "90832", "90834", "90837", "90839", "90845", "90846", "90847", "90853"})
"""Procedures that stand for a whole session: one unit, whatever its length."""


@_rule
def lines(claim: Claim, on: date) -> Found:
    if not claim.lines:
        yield Mend.SESSION, _("The session has no procedure.")
    if len(claim.lines) > 50:
        yield Mend.SESSION, _("A claim has 50 lines at most.")
    numbers = [line.control_number for line in claim.lines]
    if len(set(numbers)) < len(numbers):
        yield Mend.CLAIM, _("Two lines have the same number.")


@_rule
def procedures(claim: Claim, on: date) -> Found:
    """Codes that are none, add-ons without what they are added to, a session billed as several units."""
    billed = {line.procedure for line in claim.lines}
    for line in claim.lines:
        code = {"code": line.procedure}
        if not re.fullmatch(r"\d{4}[0-9A-Z]|[A-Z]\d{4}", line.procedure):
            yield Mend.SESSION, _("“%(code)s” is not a procedure code.") % code
        beside = _NEEDS_ONE_OF.get(line.procedure, ())
        if beside and not billed & set(beside):
            yield Mend.SESSION, _("%(code)s is added to another procedure, which is missing.") % code
        if line.units is None or line.units <= 0 or line.units != int(line.units):
            yield Mend.SESSION, _("%(code)s needs a whole number of units.") % code
        elif line.procedure in _ONCE and line.units != 1:
            yield Mend.SESSION, _("%(code)s stands for the whole session: it is billed as one unit.") % code


@_rule
def modifiers(claim: Claim, on: date) -> Found:
    for line in claim.lines:
        code = {"code": line.procedure}
        if len(line.modifiers) > 4 or len(set(line.modifiers)) < len(line.modifiers):
            yield Mend.SESSION, _("%(code)s has more than four modifiers, or one of them twice.") % code
        if not all(re.fullmatch(r"[0-9A-Z]{2}", each) for each in line.modifiers):
            yield Mend.SESSION, _("A modifier of %(code)s does not have two characters.") % code


@_rule
def place_of_service(claim: Claim, on: date) -> Found:
    for place in {claim.place_of_service, *(line.place_of_service for line in claim.lines if line.place_of_service)}:
        if place not in _PLACES:
            yield Mend.SESSION, _("“%(place)s” is not a place of outpatient care.") % {"place": place}
    for line in claim.lines:
        remote = (line.place_of_service or claim.place_of_service) in _TELEHEALTH_PLACES
        if {"95", "93"} <= set(line.modifiers):
            yield Mend.SESSION, _("A session is either by video (95) or by phone (93), not both.")
        elif not remote and claim.place_of_service == "12" and _TELEHEALTH_MODIFIERS & set(line.modifiers):
            yield Mend.SESSION, _("A visit at the client's home is not telehealth.")


@_rule
def amounts(claim: Claim, on: date) -> Found:
    for line in claim.lines:
        if line.charge <= 0:
            yield Mend.SESSION, _("%(code)s has no charge.") % {"code": line.procedure}


_DIAGNOSIS = re.compile(r"[A-TV-Z]\d[0-9A-Z][0-9A-Z]{0,4}")


@_rule
def diagnoses(claim: Claim, on: date) -> Found:
    if not claim.diagnoses:
        yield Mend.SESSION, _("The session has no diagnosis.")
        return
    if len(claim.diagnoses) > 12 or len(set(claim.diagnoses)) < len(claim.diagnoses):
        yield Mend.SESSION, _("A claim has twelve diagnoses at most, each of them once.")
    for code in claim.diagnoses:
        if not _DIAGNOSIS.fullmatch(code.replace(".", "")):
            yield Mend.SESSION, _("“%(code)s” is not a diagnosis code (ICD-10-CM).") % {"code": code}
    if re.match(r"[V-Y]", claim.diagnoses[0]):
        # ICD-10-CM guidelines I.C.20: an external cause is never the first.
        yield (
            Mend.SESSION,
            _("%(code)s says what caused it; it cannot be the main diagnosis.") % {"code": claim.diagnoses[0]},
        )
    for line in claim.lines:
        if not 1 <= len(line.pointers) <= 4 or len(set(line.pointers)) < len(line.pointers):
            yield Mend.SESSION, _("%(code)s must name one to four diagnoses.") % {"code": line.procedure}


@_rule
def service_dates(claim: Claim, on: date) -> Found:
    for line in claim.lines:
        if line.service_date is None:
            yield Mend.SESSION, _("%(code)s has no date.") % {"code": line.procedure}
        elif line.service_date > on:
            yield Mend.SESSION, _("The session lies in the future: %(day)s.") % {"day": line.service_date}
        elif line.service_date < on - LONGEST_TO_FILE:
            yield Mend.SESSION, _("The session is more than two years old: %(day)s.") % {"day": line.service_date}


LONGEST_TO_FILE = timedelta(days=731)
"""No insurer takes claims longer than this; the plan's own limit is watched elsewhere."""


# The claim itself


@_rule
def control_number(claim: Claim, on: date) -> Found:
    """CLM01 comes back in the 835: at most 20 characters, none of which is a separator."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,20}", claim.control_number):
        yield Mend.CLAIM, _("Our claim number “%(number)s” cannot be sent.") % {"number": claim.control_number}


@_rule
def frequency(claim: Claim, on: date) -> Found:
    if claim.frequency not in ("1", "7", "8"):
        yield Mend.CLAIM, _("A claim is an original, a replacement or a void.")
    elif claim.frequency != "1" and not claim.payer_control_number:
        yield Mend.CLAIM, _("A replacement or void must name the insurer's own number of the claim it is about.")
    elif claim.frequency == "1" and claim.payer_control_number:
        yield Mend.CLAIM, _("An original claim names no number of the insurer's.")


@_rule
def order_of_payers(claim: Claim, on: date) -> Found:
    """Every plan ahead of the one that is asked has decided; none after it has."""
    order = "PSTABCDEFGH"
    if claim.rank not in order or any(other.rank not in order for other in claim.other_payers):
        yield Mend.CLAIM, _("A plan's place in the order of payment is not known.")
        return
    for other in claim.other_payers:
        ahead = order.index(other.rank) < order.index(claim.rank)
        if ahead and other.paid is None:
            yield Mend.CLAIM, _("%(payer)s comes first and has not decided yet.") % {"payer": other.payer.name}
        elif not ahead and other.paid is not None:
            yield Mend.CLAIM, _("%(payer)s comes later and cannot have decided.") % {"payer": other.payer.name}


@_rule
def sendable_text(claim: Claim, on: date) -> Found:
    """Only the basic and extended characters of X12, whatever a name or address holds."""
    people = [claim.subscriber, *([claim.patient] if claim.patient else [])]
    for person in people:
        address = person.address
        text = " ".join([person.last, person.first, person.middle, *([address.line1, address.city] if address else [])])
        if not re.fullmatch(r"[A-Za-z0-9 !\"&'()+,\-./;?=%@\[\]_{}\\|<>#$]*", text):
            yield Mend.CLIENT, _("A name or address has a character that insurers cannot read.")
