"""Good Faith Estimates for clients who go on without their insurance while their account is paused.

45 CFR 149.610: in writing, with each expected service, its codes and charge, within days of booking or request. It is
issued at once, kept as it was issued, and read behind the login. ``docs/pauses.md``.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain import good_faith
from billing.domain.good_faith import Frequency, Item
from billing.models import GoodFaithEstimate
from billing.services.good_faith_pdf import write
from care.models import Session, StandardCharge
from common import clock
from common.errors import BadInput, DomainError
from common.money import plain
from notifications import messages, outbox
from people.models import Client, Provider

SCHEMA = 1
FIRST_ASSESSMENT, USUAL = "90791", "90837"
EARLIEST_AHEAD, LATEST_AHEAD = timedelta(days=0), timedelta(days=365)


class NoEstimate(DomainError):
    """No Good Faith Estimate can be made of this."""


def words_for(cpt: str) -> str:
    """A procedure in clear language."""
    known = {
        "90791": _("First assessment"),
        "90832": _("Therapy session, 30 minutes"),
        "90834": _("Therapy session, 45 minutes"),
        "90837": _("Therapy session, 60 minutes"),
        "90846": _("Family session without the client, 50 minutes"),
        "90847": _("Family session with the client, 50 minutes"),
        "90853": _("Group session"),
    }
    return known.get(cpt.split(maxsplit=1)[0], _("Session"))


@dataclass(frozen=True, slots=True)
class _Usual:
    """What a session with this provider has been: CPT codes with units, diagnoses, by video or not."""

    procedures: tuple[tuple[str, tuple[str, ...], int], ...]
    diagnoses: tuple[str, ...]
    telehealth: bool


def own_providers(client: Client) -> "Sequence[Provider]":
    """Those whose caseload the client is on."""
    mine = Provider.objects.filter(caseload__client=client, caseload__ended_on=None)
    return list(mine.distinct().order_by("last_name", "pk"))


@transaction.atomic
def issue(
    *, client: Client, provider: Provider, frequency: str, first_on: date, months: int = good_faith.LONGEST_MONTHS
) -> GoodFaithEstimate:
    """Write the estimate, keep it, and tell the client by e-mail that it can be read. The same one twice a day is one.

    Raises :class:`NoEstimate` for an account that is not paused (its sessions are billed to insurance), a provider who
    does not see the client or a service without a charge; ``BadInput`` for days that cannot be.
    """
    client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    if client.paused_since is None:
        raise NoEstimate(_("Your account is active: your sessions are billed to your insurance, and priced by it."))
    if provider.pk not in {each.pk for each in own_providers(client)}:
        raise NoEstimate(_("You have no sessions with this provider."))
    today = clock.today()
    if not today + EARLIEST_AHEAD <= first_on <= today + LATEST_AHEAD:
        raise BadInput(_("Please choose a day from today on, within a year."), "first_on")
    often = Frequency(frequency)
    last_on = first_on if often is Frequency.ONCE else good_faith.last_day(first_on, months)
    booked = list(
        Session.objects.filter(
            client=client, provider=provider, status=Session.Status.SCHEDULED, date__range=(first_on, last_on)
        )
        .order_by("starts_at")
        .values_list("date", flat=True)
    )
    due_on = _due_on(today, booked)
    content = _content(client, provider, often, first_on, last_on, booked, issued_on=today, due_on=due_on)
    for earlier in GoodFaithEstimate.objects.filter(client=client, issued_on=today, provider=provider):
        if earlier.content == content:
            return earlier
    pdf = write(content)
    estimate = GoodFaithEstimate.objects.create(
        client=client,
        provider=provider,
        requested_on=today,
        due_on=due_on,
        issued_on=today,
        first_on=first_on,
        last_on=last_on,
        frequency=frequency,
        sessions=content["sessions"],
        total=content["total"],
        content=content,
        pdf=pdf,
        sha256=hashlib.sha256(pdf).hexdigest(),
    )
    estimate.refresh_from_db()
    outbox.enqueue(
        messages.EstimateReady(
            client_name=client.called, url=f"{settings.PUBLIC_URL}/good-faith-estimates/{estimate.pk}/"
        ),
        to=client.email,
        recipient=client.user,
        key=f"good_faith_estimate:{estimate.pk}",
    )
    return estimate


def _due_on(today: date, booked: Sequence[date]) -> date:
    """The rule's last day for the estimate: by the request, and by the first session that is booked."""
    ahead = None
    if booked:
        day, ahead = today, 0
        while day < booked[0]:
            day = clock.add_business_days(day, 1)
            ahead += day <= booked[0]
    return clock.add_business_days(today, good_faith.business_days_to_issue(ahead))


def _usual(client: Client, provider: Provider) -> _Usual:
    sessions = Session.objects.filter(client=client, provider=provider).exclude(status=Session.Status.CANCELLED)
    last = sessions.prefetch_related("lines").order_by("-starts_at").first()
    if last is None:
        return _Usual((), (), provider.telehealth and not provider.office)
    lines = tuple(
        (" ".join([line.cpt, *line.modifiers]), (line.cpt, *line.modifiers), line.units) for line in last.lines.all()
    )
    if any(codes[0] == FIRST_ASSESSMENT for _words, codes, _units in lines):
        lines = ((USUAL, (USUAL,), 1),)
    return _Usual(lines, tuple(last.diagnoses), last.is_telehealth)


def _items(usual: _Usual, days: Sequence[date]) -> list[Item]:
    items = []
    for number, day in enumerate(days):
        first = FIRST_ASSESSMENT if number == 0 else USUAL
        procedures = usual.procedures or ((first, (first,), 1),)
        for words, codes, units in procedures:
            charge = StandardCharge.on(codes[0], day)
            if charge is None:
                raise NoEstimate(_("There is no charge for %(cpt)s. Please ask support.") % {"cpt": codes[0]})
            items.extend([Item(words, usual.diagnoses, charge.amount)] * units)
    return items


def _content(
    client: Client,
    provider: Provider,
    often: Frequency,
    first_on: date,
    last_on: date,
    booked: Sequence[date],
    *,
    issued_on: date,
    due_on: date,
) -> dict[str, Any]:
    """All that 45 CFR 149.610(c)(1) asks for, as plain JSON values."""
    usual = _usual(client, provider)
    days = good_faith.planned_days(first_on, last_on, often)
    rows = good_faith.rows(_items(usual, days))
    office = f"{settings.ORG_ADDRESS_LINE}, {settings.ORG_CITY}, {settings.ORG_STATE} {settings.ORG_ZIP[:5]}"
    return {
        "schema": SCHEMA,
        "issued_on": issued_on.isoformat(),
        "due_on": due_on.isoformat(),
        "client": {"name": str(client), "born": client.birth_date.isoformat()},
        "service": words_for(rows[-1].cpt),
        "booked": [day.isoformat() for day in booked],
        "frequency": str(GoodFaithEstimate.Frequency(often.value).label),
        "first_on": first_on.isoformat(),
        "last_on": last_on.isoformat(),
        "sessions": len(days),
        "items": [
            {
                "service": words_for(row.cpt),
                "cpt": row.cpt,
                "diagnoses": list(row.diagnoses),
                "charge": plain(row.charge),
                "count": row.count,
                "total": plain(row.total),
            }
            for row in rows
        ],
        "total": plain(good_faith.total(rows)),
        "provider": {
            "name": provider.full_name,
            "npi": provider.npi,
            "state": provider.state,
            "where": _("By video, from %(state)s") % {"state": provider.state} if usual.telehealth else office,
        },
        "organisation": {
            "name": settings.ORG_NAME,
            "npi": settings.ORG_NPI,
            "tin": f"{settings.ORG_TAX_ID[:2]}-{settings.ORG_TAX_ID[2:]}",
            "state": settings.ORG_STATE,
            "address": office,
            "email": settings.SUPPORT_EMAIL,
            "phone": settings.SUPPORT_PHONE,
        },
        "statements": [{"title": title, "text": text} for title, text in statements()],
    }


def statements() -> list[tuple[str, str]]:
    """What must be said besides figures: 45 CFR 149.610(c)(1)(vi) to (x), 149.620."""
    return [
        (
            _("This is only an estimate"),
            _(
                "It shows the services that are reasonably expected at the time it is issued. The actual services or "
                "charges may differ, for example if something unexpected happens during your care."
            ),
        ),
        (
            _("Services that are not on it"),
            _(
                "Your provider may recommend other services as part of your care that have to be booked or asked for "
                "separately. They are not part of this estimate. We expect no service before or after these sessions "
                "that has to be booked separately; if one is needed, you get an estimate of its own when it is booked, "
                "or when you ask for it."
            ),
        ),
        (
            _("If you are billed more: your right to dispute"),
            _(
                "If you are billed $400 or more above the expected charges of one provider or organization on this "
                "estimate, you have the right to dispute the bill. You may ask us to change the bill to the estimate, "
                "to negotiate it, or whether there is financial help. You may also begin the patient-provider dispute "
                "resolution of the U.S. Department of Health and Human Services, within 120 calendar days of the date "
                "on the bill, for a small fee. How to begin: www.cms.gov/nosurprises/consumers or 1-800-985-3059. "
                "Beginning a dispute will not adversely affect the quality of your care."
            ),
        ),
        (
            _("This is not a contract"),
            _("It does not require you to receive these services, from this provider or from anybody on it."),
        ),
        (
            _("Your insurance"),
            _(
                "This estimate is for sessions that you choose to pay for yourself. No claim is sent to your insurance "
                "for them, and what you pay may not count towards its deductible or out-of-pocket maximum."
            ),
        ),
        (
            _("Keep it"),
            _("Keep a copy of this estimate. You may need it if you are billed a different amount."),
        ),
    ]
