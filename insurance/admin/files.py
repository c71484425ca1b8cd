"""X12 files: what each says in words, its segments with their names, and the bytes to download."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from common.desk import Desk, Page, render
from common.errors import BadInput
from insurance.models import Adjudication, Claim, ClaimEvent, EdiFile, EligibilityCheck
from insurance.x12.in_words import render as in_words
from insurance.x12.kinds import describe
from insurance.x12.segments import Segment, X12Error, segments_of
from people.models import Client

MOST_SEGMENTS = 2_000
"""Shown on a page; the download has all."""

NAMES = {
    "ISA": _("Interchange begins: who sends to whom"),
    "GS": _("Group begins: kind of content"),
    "ST": _("Transaction begins"),
    "BHT": _("Purpose and date of the transaction"),
    "HL": _("Level: insurer, provider, subscriber or dependent"),
    "TRN": _("Trace number"),
    "NM1": _("Name of a person or organisation"),
    "N1": _("Name of a party"),
    "N3": _("Street"),
    "N4": _("City, state and zip code"),
    "PER": _("Contact"),
    "PRV": _("Provider's specialty"),
    "REF": _("Reference number"),
    "DMG": _("Date of birth and sex"),
    "INS": _("Relationship to the plan's holder"),
    "DTP": _("Date"),
    "DTM": _("Date"),
    "EQ": _("What is asked"),
    "EB": _("A benefit"),
    "III": _("Place or diagnosis a benefit is for"),
    "LS": _("Loop begins"),
    "LE": _("Loop ends"),
    "MSG": _("The insurer's own words"),
    "AAA": _("Why a question could not be answered"),
    "SBR": _("Which plan, in which place, for whom"),
    "PAT": _("The patient"),
    "CLM": _("The claim: our number, charge, place"),
    "HI": _("Diagnoses"),
    "LX": _("Line number"),
    "SV1": _("Service: procedure, charge, units"),
    "CAS": _("Adjustment: why an amount was not paid"),
    "AMT": _("Amount"),
    "OI": _("Other insurance: consent and assignment"),
    "SVD": _("What another plan decided for this line"),
    "MOA": _("Outpatient remarks"),
    "BPR": _("The payment: amount, method, date"),
    "CLP": _("A claim's result: status, charge, paid, patient's part"),
    "SVC": _("A service's result: charge and paid"),
    "LQ": _("Remark"),
    "PLB": _("Adjustment between insurer and organisation"),
    "AK1": _("Answer to which group"),
    "AK2": _("Answer to which transaction"),
    "IK3": _("Segment at fault"),
    "IK4": _("Element at fault"),
    "IK5": _("Transaction accepted or rejected"),
    "AK9": _("Group accepted or rejected"),
    "STC": _("Status of a claim"),
    "QTY": _("Quantity"),
    "SE": _("Transaction ends"),
    "GE": _("Group ends"),
    "IEA": _("Interchange ends"),
}
_ENVELOPE = ("ISA", "GS", "ST", "SE", "GE", "IEA")
_PEOPLE = ("NM1", "N1", "N3", "N4", "PER", "DMG", "INS", "PAT", "PRV", "SBR")
_MONEY = ("CLM", "CLP", "CAS", "SVC", "SV1", "SVD", "BPR", "AMT", "PLB", "EB")
_FAULTS = ("AAA", "IK3", "IK4", "STC")


@dataclass(frozen=True, slots=True)
class Shown:
    """One segment on the page."""

    position: int
    id: str
    name: Any
    kind: str
    elements: tuple[str, ...]
    separator: str


def _kind(segment: Segment) -> str:
    for kind, ids in (("envelope", _ENVELOPE), ("people", _PEOPLE), ("money", _MONEY), ("fault", _FAULTS)):
        if segment.id in ids:
            return kind
    return "plain"


def segments(raw: bytes) -> Iterator[Shown]:
    """The segments of a file with their names. Raises ``X12Error`` where it cannot be read further."""
    for each in segments_of(raw):
        yield Shown(
            each.position, each.id, NAMES.get(each.id, ""), _kind(each), each.elements[1:], each.delimiters.element
        )


def contents(request: HttpRequest, row: EdiFile, context: dict[str, Any]) -> HttpResponseBase:
    """What the file says, then every segment."""
    raw = bytes(row.raw)
    shown: list[Shown] = []
    fault = words = ""
    try:
        for segment in islice(segments(raw), MOST_SEGMENTS):
            shown.append(segment)  # noqa: PERF402 - what was read before a fault is kept
    except X12Error as error:
        fault = f"{error.where}: {error}"
    try:
        words = in_words(describe(raw))
    except BadInput as error:
        fault = fault or f"{error.where}: {error}"
    more = {
        "segments": shown,
        "cut": len(shown) == MOST_SEGMENTS,
        "fault": fault,
        "words": words,
        "findings": row.findings,
    }
    return render(request, "admin/desk/edi.html", context | more)


def download(request: HttpRequest, row: EdiFile, context: dict[str, Any]) -> HttpResponseBase:
    """The bytes as they came or went."""
    answer = HttpResponse(bytes(row.raw), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{row.kind}-{row.pk}.x12"'
    answer["Cache-Control"] = "no-store"
    return answer


@admin.register(EdiFile)
class EdiFileDesk(Desk):
    list_display = ("__str__", "direction", "kind", "state", "payer", "control_number", "created_at", "faults")
    list_filter = ("state", "kind", "direction", "payer")
    search_fields = ("=control_number", "sha256", "=payload_id", "claims__control_number")
    list_select_related = ("payer",)
    date_hierarchy = "created_at"
    exclude = ("raw",)
    pages = (Page("contents", _("What it says"), contents), Page("download", _("Download"), download))

    def get_queryset(self, request: HttpRequest) -> Any:
        # Lists need no bytes; a page about one file loads them when it shows them.
        return super().get_queryset(request).defer("raw")

    @admin.display(description=_("faults"))
    def faults(self, row: EdiFile) -> int | str:
        return len(row.findings) or ""

    def clients_of(self, rows: Any) -> set[int]:
        """Every client a file speaks of, as far as it was matched."""
        files = [row.pk for row in rows]
        found = Client.objects.filter(
            Q(pk__in=Claim.objects.filter(file__in=files).values("session__client"))
            | Q(pk__in=ClaimEvent.objects.filter(file__in=files).values("claim__session__client"))
            | Q(pk__in=Adjudication.objects.filter(remittance__file__in=files).values("claim__session__client"))
            | Q(
                pk__in=EligibilityCheck.objects.filter(Q(request__in=files) | Q(response__in=files)).values(
                    "coverage__client"
                )
            )
        )
        return set(found.values_list("pk", flat=True))
