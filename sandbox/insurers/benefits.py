"""270 in, 271 out: how an insurer finds a member, and what it says of their behavioural-health benefits."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from insurance.x12 import eligibility as x12
from insurance.x12.eligibility import Contact, Name, Period, Reference, Trace, between, on_day
from insurance.x12.x270 import Inquiry
from insurance.x12.x271 import Benefit as Told
from insurance.x12.x271 import Rejection, Response
from sandbox.insurers.books import Books
from sandbox.insurers.records import Benefit, Insurer, Member, Plan
from sandbox.insurers.reported import reported_member
from sandbox.insurers.shares import room

SHARED = ("30", "MH")
"""Deductible and maximum are one for body and mind (parity), so they are told for both service types."""
RELATIONSHIP = {"self": "18", "spouse": "01", "child": "19", "other": "G8"}
OTHER_RANK = {"primary": "PRP", "secondary": "SEP", "tertiary": "TTP", "unresolved": "PR"}
COPAY_SAYS = {
    "waives_deductible": "DEDUCTIBLE DOES NOT APPLY, COPAY ONLY",
    "before_deductible": "COPAY THEN DEDUCTIBLE, COINSURANCE ON THE REST",
    "after_deductible": "COPAY APPLIES AFTER DEDUCTIBLE",
}
COB_SAYS = (
    "COORDINATION OF BENEFITS INFORMATION IS NOT UP TO DATE. MEMBER MUST CALL MEMBER SERVICES TO UPDATE OTHER INSURANCE"
)
TELEHEALTH_PLACES = ("02", "10")


def answer(books: Books, insurer: Insurer | None, inquiry: Inquiry, *, now: datetime) -> Response:
    """What ``insurer`` answers at ``now`` by its wall's clock; ``None``: a payer the clearinghouse does not know."""
    blank = Response(
        traces=(Trace("2", inquiry.trace, inquiry.trace_origin),),
        payer=inquiry.payer,
        provider=inquiry.provider,
        reference=inquiry.reference or inquiry.trace,
    )
    if insurer is None:
        return replace(blank, rejections=(Rejection("2000A", "79", "C"),))
    contacts = (Contact("MEMBER SERVICES", (("TE", _digits(insurer.phone)),)),) if insurer.phone else ()
    known = replace(blank, payer=x12.payer(insurer.name, insurer.payer_id, contacts))
    if insurer.down:
        return replace(known, rejections=(Rejection("2000A", "42", "P"),))
    known = replace(known, subscriber=inquiry.subscriber, dependent=inquiry.dependent)
    found = _find(books, insurer, inquiry)
    if isinstance(found, Rejection):
        return replace(known, rejections=(found,))
    return _told(books, insurer, found, known, on=inquiry.on or now.date(), now=now)


def _find(books: Books, insurer: Insurer, inquiry: Inquiry) -> Member | Rejection:
    """The member asked about, or why they cannot be told apart. Codes: AAA03 of 2100C and 2100D."""
    asked, loop = inquiry.patient, "2100D" if inquiry.dependent else "2100C"
    card_id = asked.member_id or inquiry.subscriber.member_id
    if not card_id:
        return Rejection("2100C", "72", "C")
    on_card = books.on_card(insurer.payer_id, card_id)
    if not on_card:
        elsewhere = [
            member
            for member in books.members(insurer.payer_id)
            if member.person.born == asked.born and _same(member.person.last_name, asked.last)
        ]
        return Rejection("2100C", "72" if elsewhere else "75", "C")
    named = [
        member
        for member in on_card
        if _same(member.person.last_name, asked.last) and _same(member.person.first_name, asked.first)
    ]
    if not named:
        alone = len(on_card) == 1 and on_card[0].person.born == asked.born
        code = ("73" if alone else "75") if loop == "2100C" else ("65" if alone else "67")
        return Rejection(loop, code, "C")
    born = [member for member in named if asked.born is None or member.person.born == asked.born]
    if not born:
        return Rejection(loop, "71", "C")
    return born[0]


def _same(ours: str, theirs: str) -> bool:
    return "".join(filter(str.isalnum, ours.upper())) == "".join(filter(str.isalnum, theirs.upper()))


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))[-10:]


def _told(books: Books, insurer: Insurer, found: Member, response: Response, *, on: date, now: datetime) -> Response:
    document = books.member_document(found.payer_id, found.key)
    reported = reported_member(document, found.payer_id, found.key)
    member, plan = reported.member, reported.member.plan
    year = plan.year_of(on)
    used = books.told(found, reported, year, now=now)
    dates: list[Period] = [
        on_day("472", on),
        on_day("346", year),
        on_day("347", plan.year_end(year)),
        on_day("356", plan.effective),
    ]
    if plan.terminated is not None:
        dates.append(on_day("357", plan.terminated))
    subscriber, dependent = _people(member, plan)
    response = replace(response, dates=tuple(dates), subscriber=subscriber, dependent=dependent)
    if not plan.covers(on):
        return replace(response, benefits=(Told("6", "IND", ("30",), plan=plan.name),))
    left = room(plan, used)
    benefits = [Told("1", "IND", SHARED, "C1", plan=plan.name)]
    for code, level, limit, remaining in (
        ("C", "IND", plan.deductible, left.deductible),
        ("C", "FAM", plan.family_deductible, left.family_deductible),
        ("G", "IND", plan.out_of_pocket, left.out_of_pocket),
        ("G", "FAM", plan.family_out_of_pocket, left.family_out_of_pocket),
    ):
        if limit is not None and remaining is not None:
            period = "23" if (plan.begins.month, plan.begins.day) == (1, 1) else "22"
            benefits.append(Told(code, level, SHARED, period=period, amount=limit, network="Y"))
            benefits.append(Told(code, level, SHARED, period="29", amount=remaining, network="Y"))
    benefits += _shares(plan, plan.office, ())
    if plan.telehealth is not None:
        benefits += _shares(plan, plan.telehealth, TELEHEALTH_PLACES)
    if plan.visit_limit is not None and left.visits is not None:
        for period, count in (("23", plan.visit_limit), ("29", left.visits)):
            benefits.append(Told("F", "IND", ("MH",), period=period, unit="VS", quantity=Decimal(count), network="Y"))
    return replace(response, benefits=(*benefits, *_other_payers(insurer, member, on)))


def _people(member: Member, plan: Plan) -> tuple[x12.Member, x12.Member | None]:
    group = (Reference("6P", plan.group_number),) if plan.group_number else ()
    holder = member.subscriber
    subscriber = x12.Member(
        last=holder.last_name,
        first=holder.first_name,
        member_id=member.card_id,
        born=holder.born,
        gender=holder.gender,
        relationship="18",
        references=group,
    )
    if member.relationship == "self":
        return subscriber, None
    person = member.person
    dependent = x12.Member(
        last=person.last_name,
        first=person.first_name,
        born=person.born,
        gender=person.gender,
        relationship=RELATIONSHIP[member.relationship],
    )
    return subscriber, dependent


def _shares(plan: Plan, benefit: Benefit, places: tuple[str, ...]) -> list[Told]:
    """Copay and coinsurance of a visit; the rule between copay and deductible can only be said in words."""
    told = []
    authorization = "Y" if plan.authorization_required else "N"
    if benefit.copay is not None:
        told.append(
            Told(
                "B",
                "IND",
                ("MH",),
                period="27",
                amount=benefit.copay,
                authorization=authorization,
                network="Y",
                messages=(COPAY_SAYS[benefit.copay_rule],) if plan.deductible is not None else (),
                places=places,
            )
        )
    only_copay = benefit.copay is not None and benefit.copay_rule == "waives_deductible"
    if benefit.coinsurance is not None and not only_copay:
        told.append(
            Told(
                "A",
                "IND",
                ("MH",),
                share=benefit.coinsurance,
                authorization=authorization,
                network="Y",
                places=places,
            )
        )
    return told


def _other_payers(insurer: Insurer, member: Member, on: date) -> list[Told]:
    """Other cover as EB*R with a 2120 loop; an order that is not settled is said in words as well."""
    unresolved = member.cob.rank == "unresolved"
    told = []
    for other in member.cob.others:
        name = Name(
            OTHER_RANK[other.rank],
            last=other.payer_name,
            qualifier="PI" if other.payer_id else "",
            id=other.payer_id,
        )
        references = (Reference("1W", other.member_id),) if other.member_id else ()
        told.append(
            Told(
                "R",
                "IND",
                ("30",),
                references=references,
                dates=(between("290", member.plan.year_of(on), member.plan.year_end(member.plan.year_of(on))),),
                messages=(COB_SAYS,) if unresolved else (),
                names=(name,),
            )
        )
    if unresolved and not told:
        contacts = (Contact("MEMBER SERVICES", (("TE", _digits(insurer.phone)),)),) if insurer.phone else ()
        payer = Name("PR", last=insurer.name, qualifier="PI", id=insurer.payer_id, contacts=contacts)
        told.append(Told("U", "IND", ("30",), messages=(COB_SAYS,), names=(payer,)))
    return told
