"""The people and insurers of the demo and its stories, on our side and on the insurers' own.

Every insurer is invented. What an insurer knows of its members and what it pays is set up at the stand-ins, apart from
our rows: nothing here tells the product what an answer will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.contrib.auth.hashers import get_hasher, make_password

from billing.gateways.stripe_gateway import gateway
from billing.services import cards
from care.models import Session, StandardCharge
from care.services.sessions import Procedure, schedule_session
from common import clock
from common.money import round_cents
from headway.demo.world import World
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer
from people.models import Client, Licence, Provider, User

LONG_AGO = date(2020, 1, 1)
CHARGES = {
    "90837": Decimal("220.00"),
    "90834": Decimal("180.00"),
    "90832": Decimal("140.00"),
    "90791": Decimal("260.00"),
}
TAXONOMIES = {
    Licence.PHYSICIAN: "2084P0800X",
    Licence.DOCTORAL: "103T00000X",
    Licence.MASTERS: "101YM0800X",
    Licence.NURSE: "363LP0808X",
}
"""Provider taxonomy codes: psychiatry, psychologist, counselor, psychiatric nurse practitioner (NUCC)."""

_THEIR_LICENCES = {
    Licence.PHYSICIAN: "MD",
    Licence.DOCTORAL: "PSYCHOLOGIST",
    Licence.MASTERS: "LPC",
    Licence.NURSE: "PMHNP",
}
"""What the stand-in insurers call a licence."""


@dataclass(frozen=True, slots=True)
class Insurer:
    """An invented insurer: ids, phone, its rate for each procedure, how it pays second, whether we are in network.

    ``tiers``: what a licence is paid, as a multiple of the rate; 1 where it is not named. ``recertifies``: it wants
    its members to confirm their plans by phone once a year.
    """

    payer_id: str
    name: str
    phone: str
    rates: dict[str, str]
    method: str = Payer.SecondaryMethod.STANDARD
    in_network: bool = True
    filing_code: str = "CI"
    extra: dict[str, Any] = field(default_factory=dict)
    tiers: dict[str, str] = field(default_factory=dict)
    recertifies: bool = False

    def rate(self, cpt: str, licence: str) -> Decimal:
        """The contracted rate in dollars."""
        return round_cents(Decimal(self.rates[cpt]) * Decimal(self.tiers.get(licence, "1")))


EVERGREEN = Insurer(
    "EVGR1",
    "Evergreen Health",
    "800-555-0111",
    {"90837": "160.00", "90834": "128.00", "90832": "96.00", "90791": "190.00"},
)
HARBOR = Insurer(
    "HARB1",
    "Harbor Mutual",
    "800-555-0122",
    {"90837": "150.00", "90834": "120.00", "90832": "90.00", "90791": "180.00"},
)


def open_insurer(world: World, insurer: Insurer) -> Payer:
    """Our row of an insurer with contract and rates, and the insurer itself with the same contract in its books.

    Out of network there is no contract, so no rates of ours.
    """
    payer, _new = Payer.objects.update_or_create(
        payer_id=insurer.payer_id,
        defaults={
            "name": insurer.name,
            "member_services_phone": insurer.phone,
            "secondary_method": insurer.method,
            "claim_filing_code": insurer.filing_code,
            "recertifies": insurer.recertifies,
        },
    )
    if insurer.in_network:
        NetworkContract.objects.get_or_create(payer=payer, begins_on=LONG_AGO)
        FeeSchedule.objects.bulk_create(
            [
                FeeSchedule(payer=payer, licence=licence, cpt=cpt, begins_on=LONG_AGO, rate=insurer.rate(cpt, licence))
                for cpt in insurer.rates
                for licence in Licence.values
            ],
            ignore_conflicts=True,
        )
    for cpt, charge in CHARGES.items():
        StandardCharge.objects.get_or_create(cpt=cpt, effective_from=LONG_AGO, defaults={"amount": charge})
    set_up_insurer(world, insurer)
    return payer


def set_up_insurer(world: World, insurer: Insurer, **more: Any) -> None:
    """The insurer itself; ``more`` are further keys of its record, e.g. ``delays``."""
    world.put_payer(
        insurer.payer_id,
        {
            "name": insurer.name.upper(),
            "phone": insurer.phone,
            "fee_schedule": [
                *({"cpt": cpt, "allowed": rate} for cpt, rate in insurer.rates.items()),
                *(
                    {"cpt": cpt, "licence": name, "allowed": str(insurer.rate(cpt, licence))}
                    for cpt in insurer.rates
                    for licence, name in _THEIR_LICENCES.items()
                    if licence in insurer.tiers
                ),
            ],
            "cob_method": insurer.method,
            **insurer.extra,
            **more,
        },
    )


@lru_cache(maxsize=4)
def _hashed(password: str, algorithm: str) -> str:
    """Everybody in the demo has one password: hashing it once is enough."""
    return make_password(password, hasher=algorithm)


def login(email: str, role: str, password: str, *, staff: bool = False, superuser: bool | None = None) -> User:
    """An account with a verified address; staff may do everything in the admin unless ``superuser`` says no."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415 - only the demo makes accounts by itself

    user = User.objects.filter(email=email).first()
    if user is None:
        may_all = staff if superuser is None else superuser
        user = User(
            email=email,
            role=role,
            is_staff=staff,
            is_superuser=may_all,
            password=_hashed(password, get_hasher().algorithm),
        )
        user.save()
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def open_provider(
    *,
    first: str,
    last: str,
    npi: str,
    email: str,
    licence: str,
    payers: list[Payer],
    state: str = "NY",
    password: str | None = None,
    also_in: Sequence[str] = (),
    **looked_for: Any,
) -> Provider:
    """A provider credentialed with ``payers``, in ``state`` and ``also_in`` others; ``looked_for``: further columns."""
    provider, _new = Provider.objects.get_or_create(
        npi=npi,
        defaults={
            "first_name": first,
            "last_name": last,
            "email": email,
            "licence": licence,
            "taxonomy": TAXONOMIES[Licence(licence)],
            "state": state,
            "user": login(email, "provider", password) if password else None,
            **looked_for,
        },
    )
    for payer in payers:
        for each in (state, *also_in):
            Credential.objects.get_or_create(provider=provider, payer=payer, state=each, begins_on=LONG_AGO)
    return provider


def open_client(
    *,
    first: str,
    last: str,
    born: date,
    email: str,
    sex: str = "U",
    address: tuple[str, str, str, str] = ("18 Linden Street", "Albany", "NY", "12207"),
    password: str | None = None,
) -> Client:
    """A client, with an account when a password is given. ``address``: street, city, state, ZIP."""
    street, city, state, zip_code = address
    return Client.objects.create(
        first_name=first,
        last_name=last,
        birth_date=born,
        sex=sex,
        email=email,
        phone="212-555-0100",
        address_line=street,
        city=city,
        state=state,
        zip_code=zip_code,
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
    card = gateway().attach_payment_method(token, customer.customer_id, key=f"demo-card:{customer.customer_id}:{token}")
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
