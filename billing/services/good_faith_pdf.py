"""A Good Faith Estimate as a PDF."""

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from billing.services import paper
from billing.services.paper import HEADING, SMALL, TITLE, day, money, say


def write(content: dict[str, Any]) -> bytes:
    """The PDF of an estimate's ``content``, in US Letter. The same content gives the same bytes."""
    with translation.override(settings.LANGUAGE_CODE):
        return _write(content)


def _write(content: dict[str, Any]) -> bytes:
    title = _("Good Faith Estimate")
    flow: list[Flowable] = [
        say(title, TITLE),
        say(_("For care that you pay for yourself, without your insurance")),
        Spacer(1, 10),
        _facts(content),
        say(_("What we expect you will be charged"), HEADING),
        _items(content),
        Spacer(1, 6),
        say(_scope(content)),
        say(_("Who provides and bills it"), HEADING),
        _parties(content),
    ]
    flow += [KeepTogether([say(each["title"], HEADING), say(each["text"])]) for each in content["statements"]]
    flow += [Spacer(1, 12), say(_questions(content), SMALL)]
    return paper.build(
        flow,
        title=f"{title}, {day(content['issued_on'])}",
        subject=_("Expected charges for care that is not billed to insurance"),
        organisation=content["organisation"]["name"],
    )


def _facts(content: dict[str, Any]) -> Table:
    booked = ", ".join(day(each) for each in content["booked"][:6]) or _("none yet")
    if len(content["booked"]) > 6:
        booked += " " + _("and %(count)s more") % {"count": len(content["booked"]) - 6}
    return paper.pairs(
        [
            (_("Client"), content["client"]["name"]),
            (_("Date of birth"), day(content["client"]["born"])),
            (_("Main service"), content["service"]),
            (_("Dates booked"), booked),
            (_("Asked for, issued"), day(content["issued_on"])),
            (_("To be issued by"), day(content["due_on"])),
        ]
    )


def _items(content: dict[str, Any]) -> Table:
    head = (
        _("Service"),
        _("Service code (CPT)"),
        _("Diagnosis code (ICD-10)"),
        _("Number"),
        _("Charge for each"),
        _("Expected charges"),
    )
    rows = [
        (
            item["service"],
            item["cpt"],
            ", ".join(item["diagnoses"]) or _("none yet"),
            str(item["count"]),
            money(item["charge"]),
            money(item["total"]),
        )
        for item in content["items"]
    ]
    total = (_("Total expected charges"), [money(content["total"])])
    return paper.figures(head, rows, (1.75, 0.9, 1.1, 0.8, 0.95, 1.2), numbers={3, 4, 5}, total=total)


def _scope(content: dict[str, Any]) -> str:
    if content["sessions"] == 1:
        return _("One session, planned for %(day)s.") % {"day": day(content["first_on"])}
    return _("%(often)s, %(count)s sessions in all, from %(first)s to %(last)s.") % {
        "often": content["frequency"],
        "count": content["sessions"],
        "first": day(content["first_on"]),
        "last": day(content["last_on"]),
    }


def _parties(content: dict[str, Any]) -> Table:
    provider, organisation = content["provider"], content["organisation"]
    return paper.pairs(
        [
            (
                _("Provider"),
                _("%(name)s, NPI %(npi)s, licensed in %(state)s")
                % {key: provider[key] for key in ("name", "npi", "state")},
            ),
            (_("Where"), provider["where"]),
            (
                _("Billed by"),
                _("%(name)s, NPI %(npi)s, taxpayer ID (TIN) %(tin)s")
                % {key: organisation[key] for key in ("name", "npi", "tin")},
            ),
            (_("Address"), organisation["address"]),
        ]
    )


def _questions(content: dict[str, Any]) -> str:
    organisation = content["organisation"]
    return _("Questions about this estimate: %(email)s or %(phone)s.") % {
        key: organisation[key] for key in ("email", "phone")
    }
