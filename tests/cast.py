"""The permanent cast, as rows: Ana with two plans, Ben her spouse, Dr. Cole her provider, and the strangers."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from billing.models import PaymentCard, StripeCustomer
from care.models import Session, StandardCharge
from care.services.sessions import Procedure, schedule_session
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, NetworkBenefits
from insurance.models import BenefitSnapshot, Coverage, Credential, FeeSchedule, NetworkContract, Payer
from insurance.services import plan_order
from people.models import Client, Licence, Provider, Role, User

LONG_AGO = date(2020, 1, 1)


def money(text: str) -> Decimal:
    return Decimal(text)


@dataclass
class Cast:
    """Everyone and everything a test of the business needs; rates: Evergreen 160.00, Harbor 150.00, charge 220.00."""

    evergreen: Payer
    harbor: Payer
    cole: Provider
    diaz: Provider
    ana: Client
    eve: Client
    fay: User
    own_plan: Coverage
    bens_plan: Coverage

    def book(self, *, days: int = 0, hour: int = 0, client: Client | None = None, cpt: str = "90837") -> Session:
        """A session with Dr. Cole, ``days`` from today."""
        day = clock.today() + timedelta(days=days)
        return schedule_session(
            client=client or self.ana,
            provider=self.cole,
            starts_at=datetime.combine(day, time(hour), tzinfo=clock.BUSINESS_ZONE),
            procedures=[Procedure(cpt)],
            diagnoses=["F41.1"],
        )


def user(email: str, role: str, *, staff: bool = False) -> User:
    return User.objects.create_user(email, "a long pass phrase", role=role, is_staff=staff)


def payer(payer_id: str, name: str, rate: str, **columns: Any) -> Payer:
    """An insurer in network, with one rate for every licence."""
    row = Payer.objects.create(payer_id=payer_id, name=name, member_services_phone="800-555-0111", **columns)
    NetworkContract.objects.create(payer=row, begins_on=LONG_AGO)
    for licence in Licence.values:
        FeeSchedule.objects.create(payer=row, licence=licence, cpt="90837", rate=money(rate), begins_on=LONG_AGO)
    return row


def provider(last: str, npi: str, *payers: Payer) -> Provider:
    row = Provider.objects.create(
        first_name="Maya", last_name=last, npi=npi, licence=Licence.DOCTORAL, taxonomy="103T00000X", state="NY",
        email=f"{last.lower()}@example.com", user=user(f"{last.lower()}@example.com", Role.PROVIDER),
    )  # fmt: skip
    for each in payers:
        Credential.objects.create(provider=row, payer=each, state="NY", begins_on=LONG_AGO)
    return row


def client(first: str, last: str) -> Client:
    email = f"{first.lower()}@example.com"
    return Client.objects.create(
        first_name=first, last_name=last, birth_date=date(1988, 4, 12), sex="F", email=email,
        address_line="18 Linden Street", city="Albany", state="NY", zip_code="12207", user=user(email, Role.CLIENT),
    )  # fmt: skip


def benefits(
    *,
    deductible: str = "0.00",
    coinsurance: str | None = "0.20",
    copay: str | None = None,
    out_of_pocket: str | None = "3000.00",
    **more: Any,
) -> Benefits:
    """An active plan of this calendar year; ``deductible`` and ``out_of_pocket`` are what is left."""
    year = clock.today().year
    return Benefits(
        active=True,
        plan_begin=date(year, 1, 1),
        plan_end=date(year, 12, 31),
        in_network=NetworkBenefits(
            copay=None if copay is None else money(copay),
            coinsurance=None if coinsurance is None else money(coinsurance),
            deductible=Accumulators(individual=Accumulator(money("500.00"), money(deductible))),
            out_of_pocket=Accumulators(
                individual=Accumulator(None, None if out_of_pocket is None else money(out_of_pocket))
            ),
        ),
        **more,
    )


def observe(coverage: Coverage, what: Benefits) -> BenefitSnapshot:
    """A snapshot as a 271 would have left it."""
    return BenefitSnapshot.objects.create(
        coverage=coverage,
        source=BenefitSnapshot.Source.RESPONSE,
        effective_on=clock.today(),
        active=what.active,
        plan_begin=what.plan_begin,
        plan_end=what.plan_end,
        benefits=what.to_json(),
    )


def card(owner: Client) -> PaymentCard:
    """A card on file that only our rows know of."""
    StripeCustomer.objects.create(client=owner, customer_id=f"cus_{owner.pk}")
    return PaymentCard.objects.create(
        client=owner, payment_method_id=f"pm_{owner.pk}", brand="visa", last4="4242", exp_month=12, exp_year=2040,
        is_default=True,
    )  # fmt: skip


def assemble() -> Cast:
    """Everyone, with Ana's plans entered in the wrong order and put right."""
    StandardCharge.objects.create(cpt="90837", effective_from=LONG_AGO, amount=money("220.00"))
    evergreen = payer("EVGR1", "Evergreen Health", "160.00")
    harbor = payer("HARB1", "Harbor Mutual", "150.00")
    ana = client("Ana", "Rivera")
    bens_plan = Coverage.objects.create(
        client=ana, payer=harbor, member_id="HB100", stated_rank=1, holder="spouse", holder_first_name="Ben",
        holder_last_name="Rivera", holder_born=date(1986, 2, 1), holder_status="active",
    )  # fmt: skip
    own_plan = Coverage.objects.create(
        client=ana, payer=evergreen, member_id="EV100", stated_rank=2, holder_status="active"
    )
    cast = Cast(
        evergreen=evergreen,
        harbor=harbor,
        cole=provider("Cole", "1234567893", evergreen, harbor),
        diaz=provider("Diaz", "1679576722", evergreen),
        ana=ana,
        eve=client("Eve", "Stone"),
        fay=user("fay@example.com", Role.SUPPORT, staff=True),
        own_plan=own_plan,
        bens_plan=bens_plan,
    )
    observe(own_plan, benefits(deductible="50.00"))
    observe(bens_plan, benefits(deductible="120.00", coinsurance="0.00"))
    plan_order.decide(ana)
    return cast
