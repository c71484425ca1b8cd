"""The people and insurers of the demo and its stories, on our side and on the insurers' own.

Every insurer is invented. What an insurer knows of its members and what it pays is set up at the stand-ins, apart from
our rows: nothing here tells the product what an answer will be.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from billing.gateways.stripe_gateway import gateway
from billing.services import cards
from care.models import Session, StandardCharge
from care.services.sessions import Procedure, schedule_session
from common import clock
from headway.demo.world import World
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer
from people.models import Client, Licence, Provider, User

LONG_AGO = date(2020, 1, 1)
CHARGES = {"90837": Decimal("220.00"), "90834": Decimal("180.00"), "90791": Decimal("260.00")}


@dataclass(frozen=True, slots=True)
class Insurer:
    """An invented insurer: ids, phone, its rate for each procedure, how it pays second, whether we are in network."""

    payer_id: str
    name: str
    phone: str
    rates: dict[str, str]
    method: str = Payer.SecondaryMethod.STANDARD
    in_network: bool = True
    filing_code: str = "CI"
    extra: dict[str, Any] = field(default_factory=dict)


EVERGREEN = Insurer(
    "EVGR1", "Evergreen Health", "800-555-0111", {"90837": "160.00", "90834": "128.00", "90791": "190.00"}
)
HARBOR = Insurer("HARB1", "Harbor Mutual", "800-555-0122", {"90837": "150.00", "90834": "120.00", "90791": "180.00"})


def open_insurer(world: World, insurer: Insurer) -> Payer:
    """Our row of an insurer with contract and rates, and the insurer itself with the same contract in its books."""
    payer, _new = Payer.objects.update_or_create(
        payer_id=insurer.payer_id,
        defaults={
            "name": insurer.name,
            "member_services_phone": insurer.phone,
            "secondary_method": insurer.method,
            "claim_filing_code": insurer.filing_code,
        },
    )
    if insurer.in_network:
        NetworkContract.objects.get_or_create(payer=payer, begins_on=LONG_AGO)
    for cpt, rate in insurer.rates.items():
        for licence in Licence.values:
            FeeSchedule.objects.get_or_create(
                payer=payer, licence=licence, cpt=cpt, begins_on=LONG_AGO, defaults={"rate": Decimal(rate)}
            )
    for cpt, charge in CHARGES.items():
        StandardCharge.objects.get_or_create(cpt=cpt, effective_from=LONG_AGO, defaults={"amount": charge})
    world.put_payer(
        insurer.payer_id,
        {
            "name": insurer.name.upper(),
            "phone": insurer.phone,
            "fee_schedule": [{"cpt": cpt, "allowed": rate} for cpt, rate in insurer.rates.items()],
            "cob_method": insurer.method,
            **insurer.extra,
        },
    )
    return payer


def login(email: str, role: str, password: str, *, staff: bool = False) -> User:
    """An account with a verified address."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415 - only the demo makes accounts by itself

    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password, role=role, is_staff=staff, is_superuser=staff)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def open_provider(
    *, first: str, last: str, npi: str, email: str, licence: str, payers: list[Payer], password: str | None = None
) -> Provider:
    """A provider credentialed with ``payers``."""
    provider, _new = Provider.objects.get_or_create(
        npi=npi,
        defaults={
            "first_name": first,
            "last_name": last,
            "email": email,
            "licence": licence,
            "taxonomy": "103T00000X" if licence == Licence.DOCTORAL else "101YM0800X",
            "state": "NY",
            "user": login(email, "provider", password) if password else None,
        },
    )
    for payer in payers:
        Credential.objects.get_or_create(provider=provider, payer=payer, state="NY", begins_on=LONG_AGO)
    return provider


def open_client(
    *, first: str, last: str, born: date, email: str, sex: str = "U", password: str | None = None
) -> Client:
    """A client, with an account when a password is given."""
    return Client.objects.create(
        first_name=first,
        last_name=last,
        birth_date=born,
        sex=sex,
        email=email,
        phone="212-555-0100",
        address_line="18 Linden Street",
        city="Albany",
        state="NY",
        zip_code="12207",
        user=login(email, "client", password) if password else None,
    )


def person(client: Client) -> dict[str, Any]:
    """A client as an insurer's records name them."""
    return {
        "first_name": client.first_name,
        "last_name": client.last_name,
        "birth_date": client.birth_date.isoformat(),
        "gender": client.sex,
    }


def plan_year(day: date) -> str:
    """First day of the calendar year: when the demo's plan years begin."""
    return date(day.year, 1, 1).isoformat()


def save_card(client: Client, token: str = "pm_card_visa") -> None:  # noqa: S107 - a public test token
    """A card on file, as the browser would save it, with consent."""
    customer = cards.ensure_customer(client)
    card = gateway().attach_payment_method(token, customer.customer_id, key=f"demo-card:{client.pk}:{token}")
    cards.keep(client, card.payment_method)


def book(client: Client, provider: Provider, *, days: int, hour: int = 10, cpt: str = "90837") -> Session:
    """A session ``days`` from today (negative: in the past)."""
    day = clock.today() + timedelta(days=days)
    return schedule_session(
        client=client,
        provider=provider,
        starts_at=datetime.combine(day, time(hour), tzinfo=clock.BUSINESS_ZONE),
        procedures=[Procedure(cpt)],
        diagnoses=["F41.1"],
        place=Session.Place.OFFICE,
    )
