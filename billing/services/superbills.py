"""Superbills: what a client hands to an insurer that we do not bill, for sessions that no claim of ours asks for.

Drawn when asked for; who asks is noted by the door (``billing.access.superbill_sessions``). ``docs/statements.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, KeepTogether, Spacer

from billing.domain.superbill import Billed, WhyNot, why_not
from billing.ledger.posting import Book, balances_by_session
from billing.models import Payment, PaymentPart, Refund
from billing.services import paper
from billing.services.good_faith_estimate import words_for
from billing.services.paper import HEADING, TITLE, day, money, say, short_day
from billing.services.receipts import GIVEN
from care.models import Session
from common import clock
from common.errors import BadInput, DomainError
from common.money import ZERO, plain
from insurance.models import Claim

LONGEST = timedelta(days=366)
"""A superbill covers a year at most."""

_CLOSED = (Claim.Submission.NOT_NEEDED, Claim.Submission.REPLACED)


class NoSuperbill(DomainError):
    """Nothing of what was asked for can be on a superbill."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A session and, if it cannot be on a superbill, why not."""

    session: Session
    why_not: WhyNot | None
    sentence: str

    @property
    def possible(self) -> bool:
        return self.why_not is None


def check_range(begin: date, end: date) -> None:
    """Raises ``BadInput`` for days that are no range, or more than a year."""
    if end < begin:
        raise BadInput(_("The last day is before the first one."), "end")
    if end - begin > LONGEST:
        raise BadInput(_("Please choose a year at most."), "end")


def choices(sessions: "QuerySet[Session]", *, begin: date, end: date) -> list[Choice]:
    """Of the sessions that somebody may see, those on these days that could be asked for, the oldest first.

    Cancelled sessions are left out. Four queries. Raises ``BadInput`` for days that are no range.
    """
    check_range(begin, end)
    found = (
        sessions.filter(date__range=(begin, end))
        .exclude(status=Session.Status.CANCELLED)
        .select_related("provider", "client")
        .prefetch_related("lines", "claims__coverage__payer")
        .order_by("date", "starts_at", "pk")
    )
    return [_choice(session) for session in found]


def _choice(session: Session) -> Choice:
    claims = list(session.claims.all())
    reason = why_not(
        status=session.status,
        past=session.starts_at <= clock.now(),
        claims=[
            Billed(open=claim.submission not in _CLOSED, decided=claim.decision != Claim.Decision.NONE)
            for claim in claims
        ],
    )
    return Choice(session, reason, _sentence(reason, claims))


def _sentence(reason: WhyNot | None, claims: Sequence[Claim]) -> str:
    match reason:
        case None:
            return ""
        case WhyNot.TO_COME:
            return _("This session is still to come.")
        case WhyNot.NOT_CONFIRMED:
            return _("Your provider has not confirmed yet that this session took place.")
        case WhyNot.DID_NOT_TAKE_PLACE:
            return _("This session did not take place.")
        case WhyNot.BILLED:
            payers = ", ".join(dict.fromkeys(claim.coverage.payer.name for claim in claims))
            return _("We bill this session to %(payer)s for you. An insurer must not be asked twice.") % {
                "payer": payers
            }


def content(chosen: Sequence[Choice], *, only: Sequence[int] | None = None) -> dict[str, Any]:
    """All that a superbill says, as plain JSON values; ``only``: the ids of sessions that were picked. Three queries.

    Raises :class:`NoSuperbill` when none is left, with the reason of the first that was asked for.
    """
    asked = [each for each in chosen if only is None or each.session.pk in only]
    sessions = [each.session for each in asked if each.possible]
    if not sessions:
        reason = next((each.sentence for each in asked), _("There is no session on these days."))
        raise NoSuperbill(_("There is nothing to put on a superbill. %(reason)s") % {"reason": reason})
    client = sessions[0].client
    paid = _paid(sessions)
    return {
        "number": f"B-{client.pk}-{sessions[0].pk}-{sessions[-1].pk}",
        "issued_on": clock.today().isoformat(),
        "patient": {
            "name": str(client),
            "born": client.birth_date.isoformat(),
            "sex": str(client.get_sex_display()),
            "address": f"{client.address_line}, {client.city}, {client.state} {client.zip_code[:5]}",
        },
        "organisation": paper.organisation() | {"taxonomy": settings.ORG_TAXONOMY},
        "sessions": [_told(session, paid.get(session.pk, ZERO)) for session in sessions],
        "charges": plain(sum((session.charge for session in sessions), ZERO)),
        "paid": plain(sum((paid.get(session.pk, ZERO) for session in sessions), ZERO)),
    }


BY_BANK = r"^(reversal:)?dispute_lost:"
"""Keys of the entries by which a client's bank gave a payment back, and took that back."""


def _paid(sessions: Sequence[Session]) -> dict[int, Decimal]:
    """Session → what its client has paid for it and not got back, in dollars."""
    paid = PaymentPart.objects.filter(session__in=sessions, payment__state=Payment.State.SUCCEEDED)
    given = Refund.objects.filter(session__in=sessions, state__in=GIVEN)
    found: dict[int, Decimal] = dict(paid.order_by().values_list("session").annotate(total=Sum("amount")))
    for session, amount in given.order_by().values_list("session").annotate(total=Sum("amount")):
        found[session] = found.get(session, ZERO) - amount
    ids = [session.pk for session in sessions]
    by_bank = balances_by_session(Book.CLIENT_RECEIVABLE, session__in=ids, entry__key__regex=BY_BANK)
    return {session: amount - by_bank.get(session, ZERO) for session, amount in found.items()}


def _told(session: Session, paid: Decimal) -> dict[str, Any]:
    provider = session.provider
    return {
        "id": session.pk,
        "date": session.date.isoformat(),
        "place": session.place,
        "place_words": str(session.get_place_display()),
        "diagnoses": list(session.diagnoses),
        "lines": [
            {
                "cpt": line.cpt,
                "modifiers": list(line.modifiers),
                "service": words_for(line.cpt),
                "units": line.units,
                "charge": plain(line.charge),
            }
            for line in session.lines.all()
        ],
        "provider": {
            "name": provider.full_name,
            "licence": str(provider.get_licence_display()),
            "state": provider.state,
            "npi": provider.npi,
            "taxonomy": provider.taxonomy,
        },
        "charge": plain(session.charge),
        "paid": plain(paid),
    }


# --- The paper --------------------------------------------------------------------------------------------------------


def write(content: dict[str, Any]) -> bytes:
    """The PDF of a superbill's ``content``."""
    with translation.override(settings.LANGUAGE_CODE):
        return _write(content)


def _write(content: dict[str, Any]) -> bytes:
    title, organisation, patient = _("Superbill"), content["organisation"], content["patient"]
    providers = {each["provider"]["npi"]: each["provider"] for each in content["sessions"]}
    flow: list[Flowable] = [
        say(title, TITLE),
        say(_("Statement of services for your own claim to an insurer")),
        Spacer(1, 10),
        paper.pairs(
            [
                (_("Patient"), _("%(name)s, born %(born)s, %(sex)s") % {**patient, "born": day(patient["born"])}),
                (_("Address"), patient["address"]),
                (_("Superbill number"), content["number"]),
                (_("Issued on"), day(content["issued_on"])),
            ],
            width=7.3,
        ),
        say(_("Who provided and bills the services"), HEADING),
        paper.pairs(
            [
                *(
                    (
                        _("Rendering provider"),
                        _("%(name)s, %(licence)s, licensed in %(state)s. NPI %(npi)s, taxonomy %(taxonomy)s") % each,
                    )
                    for each in providers.values()
                ),
                (
                    _("Billing provider"),
                    _("%(name)s. NPI %(npi)s, taxpayer ID (EIN) %(tin)s, taxonomy %(taxonomy)s") % organisation,
                ),
                (_("Address"), organisation["address"]),
                (_("Phone"), organisation["phone"]),
            ],
            width=7.3,
        ),
        say(_("Services"), HEADING),
        _services(content),
        Spacer(1, 6),
        say(_paid_words(content)),
        KeepTogether(
            [
                say(_("What the codes mean"), HEADING),
                say(_codes(content)),
                say(_("To the insurer"), HEADING),
                say(
                    _(
                        "These services took place on the days shown. No claim of ours asks you to pay for them. "
                        "Please pay benefits to the insured."
                    )
                ),
            ]
        ),
    ]
    return paper.build(
        flow,
        title=f"{title} {content['number']}",
        subject=_("Services for a claim by the patient"),
        organisation=organisation["name"],
        footer=content["number"],
        wide=True,
    )


def _services(content: dict[str, Any]) -> Flowable:
    head = (_("Date"), _("Place"), _("CPT"), _("Diagnosis"), _("Service"), _("Units"), _("Charge"), _("Paid"))
    rows = []
    for each in content["sessions"]:
        for number, line in enumerate(each["lines"]):
            first = number == 0
            rows.append(
                (
                    short_day(each["date"]),
                    each["place"],
                    " ".join([line["cpt"], *line["modifiers"]]),
                    ", ".join(each["diagnoses"]),
                    line["service"],
                    str(line["units"]),
                    money(line["charge"]),
                    money(each["paid"]) if first else "",
                )
            )
    total = (_("Total"), [money(content["charges"]), money(content["paid"])])
    return paper.figures(head, rows, (1.0, 0.6, 0.85, 0.95, 1.6, 0.55, 0.9, 0.85), numbers={5, 6, 7}, total=total)


def _paid_words(content: dict[str, Any]) -> str:
    return _("Paid by the patient so far: %(paid)s of %(charges)s.") % {
        "paid": money(content["paid"]),
        "charges": money(content["charges"]),
    }


def _codes(content: dict[str, Any]) -> str:
    places = {each["place"]: each["place_words"] for each in content["sessions"]}
    told = "; ".join(f"{code}: {words}" for code, words in sorted(places.items()))
    return _("Place of service %(places)s. Diagnosis codes are ICD-10-CM, the main one first.") % {"places": told}
