"""Dr. Cole's caseload as rows: insurers with rates, clients with plans and benefits, sessions in every state."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from billing.flows import book_session, confirm_session
from billing.models import PaymentCard
from billing.services import costs
from care.models import CareRelationship, Session, StandardCharge
from care.services.sessions import Procedure
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, CopayRule, NetworkBenefits
from insurance.models import (
    AccountPause,
    BenefitSnapshot,
    Coverage,
    Credential,
    EligibilityCheck,
    FeeSchedule,
    NetworkContract,
    Payer,
)
from insurance.services import plan_order
from people.models import Client, Licence, Provider, Role, User

LONG_AGO = date(2020, 1, 1)
RATES = {"90837": Decimal("160.00"), "90834": Decimal("128.00"), "90791": Decimal("190.00")}


def user(email: str, role: str) -> User:
    """An account with a password nobody types."""
    return User.objects.create_user(email, "a-long-password", role=role, is_staff=role in (Role.SUPPORT, Role.AUDITOR))


def payer(name: str, payer_id: str) -> Payer:
    """An insurer in network, with the same rates for every licence."""
    row = Payer.objects.create(name=name, payer_id=payer_id, member_services_phone="800-555-0111")
    NetworkContract.objects.create(payer=row, begins_on=LONG_AGO)
    for cpt, rate in RATES.items():
        for licence in Licence.values:
            FeeSchedule.objects.create(payer=row, licence=licence, cpt=cpt, rate=rate, begins_on=LONG_AGO)
        StandardCharge.objects.get_or_create(
            cpt=cpt, effective_from=LONG_AGO, defaults={"amount": rate + Decimal("60.00")}
        )
    return row


def provider(first: str, last: str, npi: str, *payers: Payer) -> Provider:
    """A psychologist with an account, credentialed with ``payers``."""
    row = Provider.objects.create(
        user=user(f"{last.lower()}@example.com", Role.PROVIDER),
        first_name=first,
        last_name=last,
        email=f"{last.lower()}@example.com",
        npi=npi,
        licence=Licence.DOCTORAL,
        taxonomy="103T00000X",
        state="NY",
    )
    for each in payers:
        Credential.objects.create(provider=row, payer=each, state="NY", begins_on=LONG_AGO)
    return row


def client(first: str, last: str, *, on_caseload_of: Provider | None = None, login: bool = False) -> Client:
    """A client, by default without an account."""
    email = f"{first.lower()}.{last.lower()}@example.com"
    row = Client.objects.create(
        user=user(email, Role.CLIENT) if login else None,
        first_name=first,
        last_name=last,
        birth_date=date(1990, 5, 17),
        email=email,
        address_line="18 Linden Street",
        city="Albany",
        state="NY",
        zip_code="12207",
    )
    if on_caseload_of is not None:
        CareRelationship.objects.create(client=row, provider=on_caseload_of, began_on=LONG_AGO)
    return row


def coverage(of: Client, insurer: Payer, *, rank: int = 1, member_id: str = "XQZ0018842") -> Coverage:
    """A plan on the account."""
    return Coverage.objects.create(client=of, payer=insurer, member_id=member_id, stated_rank=rank)


def benefits(of: Coverage, *, deductible_left: str = "0.00", copay: str | None = "20.00") -> BenefitSnapshot:
    """The insurer has answered: what is left of the deductible, and a copay after it."""
    year = clock.today().year
    figures = NetworkBenefits(
        covered=True,
        copay=Decimal(copay) if copay is not None else None,
        copay_rule=CopayRule.AFTER_DEDUCTIBLE,
        coinsurance=Decimal("0"),
        deductible=Accumulators(
            individual=Accumulator(Decimal("1000.00"), Decimal(deductible_left)),
            family=Accumulator(Decimal("2000.00"), Decimal("2000.00")),
        ),
        out_of_pocket=Accumulators(
            individual=Accumulator(Decimal("4500.00"), Decimal("3000.00")),
            family=Accumulator(Decimal("9000.00"), Decimal("7000.00")),
        ),
    )
    found = Benefits(active=True, plan_begin=date(year, 1, 1), plan_end=date(year, 12, 31), in_network=figures)
    return BenefitSnapshot.objects.create(
        coverage=of,
        source=BenefitSnapshot.Source.RESPONSE,
        effective_on=clock.today(),
        active=True,
        plan_begin=date(year, 1, 1),
        plan_end=date(year, 12, 31),
        benefits=json.loads(json.dumps(found.to_json())),
    )


def check(of: Coverage, state: str) -> EligibilityCheck:
    """A question to the insurer in some state."""
    return EligibilityCheck.objects.create(
        coverage=of,
        reason=EligibilityCheck.Reason.REFRESH,
        service_date=clock.today(),
        state=state,
        trace=f"T{of.pk}-{EligibilityCheck.objects.count()}",
        answered_at=clock.now() if state == "answered" else None,
    )


def book(of: Client, by: Provider, *, days: int, hour: int = 10, cpt: str = "90837") -> Session:
    """A session ``days`` from today (negative: in the past), priced."""
    return book_session.book(
        client=of,
        provider=by,
        starts_at=datetime.combine(clock.today() + timedelta(days=days), time(hour), tzinfo=clock.BUSINESS_ZONE),
        procedures=[Procedure(cpt)],
        diagnoses=["F41.1"],
        place=Session.Place.OFFICE,
        minutes=53,
    )


def card(of: Client) -> PaymentCard:
    """A card on file."""
    return PaymentCard.objects.create(
        client=of,
        payment_method_id=f"pm_{of.pk}",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=clock.today().year + 2,
        is_default=True,
    )


def pause(of: Coverage) -> AccountPause:
    """The insurer says that coordination of benefits is unresolved."""
    row = AccountPause.objects.create(
        client=of.client, coverage=of, evidence=AccountPause.Evidence.REMITTANCE, evidence_codes="CO-22 N197"
    )
    of.client.paused_since = row.opened_at
    of.client.save(update_fields=["paused_since"])
    return row


@dataclass(frozen=True, slots=True)
class Practice:
    """The cast: Dr. Cole with Ana (two plans), Ben (paused) and three others; Dr. Diaz and Eve are strangers."""

    evergreen: Payer
    harbor: Payer
    cole: Provider
    diaz: Provider
    ana: Client
    ben: Client
    gil: Client
    hana: Client
    ivy: Client
    eve: Client
    fay: User
    confirmed: Session
    waiting: Session
    upcoming: Session


def open_practice() -> Practice:
    """Ana has a confirmed session, one to confirm and one to come; Gil is being checked, Hana has no plan, Ivy's
    insurer refused the question."""
    evergreen, harbor = payer("Evergreen Health", "EVGR1"), payer("Harbor Mutual", "HARB1")
    cole = provider("Nora", "Cole", "1234567893", evergreen, harbor)
    diaz = provider("Luis", "Diaz", "1003000126", evergreen)
    ana = client("Ana", "Alvarez", on_caseload_of=cole, login=True)
    first, second = coverage(ana, evergreen), coverage(ana, harbor, rank=2, member_id="HM77120933")
    benefits(first, deductible_left="200.00")
    check(first, "answered")
    plan_order.decide(ana)
    card(ana)
    confirmed = confirm_session.confirm(book(ana, cole, days=-9))
    waiting, upcoming = book(ana, cole, days=-2), book(ana, cole, days=5)
    benefits(first, deductible_left="0.00")
    costs.reprice(ana)
    ben, gil, hana, ivy = (
        client(first_name, "Alvarez" if first_name == "Ben" else "Moreno", on_caseload_of=cole)
        for first_name in ("Ben", "Gil", "Hana", "Ivy")
    )
    bens = coverage(ben, harbor)
    book(ben, cole, days=-3, hour=12)
    pause(bens)
    check(coverage(gil, evergreen), "waiting")
    check(coverage(ivy, evergreen), "rejected")
    assert second.stated_rank == 2
    return Practice(
        evergreen=evergreen,
        harbor=harbor,
        cole=cole,
        diaz=diaz,
        ana=ana,
        ben=ben,
        gil=gil,
        hana=hana,
        ivy=ivy,
        eve=client("Eve", "Stone", login=True),
        fay=user("fay@example.com", Role.SUPPORT),
        confirmed=confirmed,
        waiting=waiting,
        upcoming=upcoming,
    )
