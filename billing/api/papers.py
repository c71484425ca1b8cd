"""What a client keeps or hands in: itemised receipts, monthly statements, superbills; as data and as files."""

from typing import Any

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import get_payment, get_statement, superbill_sessions, visible_statements
from billing.api.good_faith_estimates import Pdf
from billing.domain.statements import Kind
from billing.domain.superbill import WhyNot
from billing.models import Payment
from billing.services import receipts, statement_pdf, superbills
from billing.services.superbills import Choice
from common.api import Id, Money, Pages, SignedMoney, query
from people.api.base import ClientApi

FILE = {(200, "application/pdf"): OpenApiTypes.BINARY}


def _file(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'},
    )


# --- Receipts ---------------------------------------------------------------------------------------------------------


class OrganisationOut(serializers.Serializer[Any]):
    """Who issues it."""

    name = serializers.CharField()
    npi = serializers.CharField()
    tin = serializers.CharField(help_text="Taxpayer ID.")
    address = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.EmailField()


class RenderedBy(serializers.Serializer[Any]):
    """Who provided a service."""

    name = serializers.CharField()
    licence = serializers.CharField()
    state = serializers.CharField(help_text="Licensed there.")
    npi = serializers.CharField()


class ReceiptItem(serializers.Serializer[Any]):
    """One session that a payment was for."""

    date = serializers.DateField(help_text="Date of service.")
    service = serializers.ListField(child=serializers.CharField())
    codes = serializers.ListField(child=serializers.CharField(), help_text="CPT, with modifiers.")
    place = serializers.CharField()
    provider = RenderedBy()
    charge = Money(help_text="The full price, before any contract.")
    insurance_paid = Money(help_text="So far.")
    share = Money(allow_null=True, help_text="The patient's share of the session.")
    final = serializers.BooleanField(help_text="False: the share is an estimate; not every plan has answered.")
    paid = Money(help_text="With this payment.")


class GivenBack(serializers.Serializer[Any]):
    """What was given back of the payment: by us, or by the bank in a dispute."""

    on = serializers.DateField()
    session = serializers.DateField(help_text="Date of service.")
    amount = Money()
    how = serializers.CharField(help_text="Number of the check or transfer; that a bank did it; empty: to the card.")


class PatientOut(serializers.Serializer[Any]):
    """Who received the service."""

    name = serializers.CharField()
    born = serializers.DateField()


class ReceiptOut(serializers.Serializer[Any]):
    """An itemised receipt as of today, fit for an HSA or FSA."""

    number = serializers.CharField()
    paid_on = serializers.DateField()
    as_of = serializers.DateField()
    card = serializers.CharField(help_text="Empty: a card typed for this payment.")
    patient = PatientOut()
    organisation = OrganisationOut()
    items = ReceiptItem(many=True)
    amount = Money()
    refunds = GivenBack(many=True)
    net = Money(help_text="The amount less what was given back.")


def _receipt(request: Request, payment_id: int, purpose: str) -> dict[str, Any]:
    found: Payment = get_payment(request.user, payment_id, purpose=purpose)
    try:
        return receipts.content(found)
    except receipts.NoReceipt as error:
        raise Http404 from error


class ClientReceipt(ClientApi):
    """The itemised receipt of a payment."""

    @extend_schema(
        operation_id="client_receipt",
        tags=["Client"],
        summary="The itemized receipt of a payment that went through",
        responses=ReceiptOut,
    )
    def get(self, request: Request, payment_id: int) -> Response:
        return Response(ReceiptOut(_receipt(request, payment_id, "api: receipt")).data)


class ClientReceiptFile(ClientApi):
    """The file of a receipt."""

    renderer_classes = (JSONRenderer, Pdf)

    @extend_schema(
        operation_id="client_receipt_pdf",
        tags=["Client"],
        summary="The file of an itemized receipt",
        responses=FILE,
    )
    def get(self, request: Request, payment_id: int) -> HttpResponse:
        content = _receipt(request, payment_id, "api: receipt, file")
        return _file(receipts.write(content), f"receipt-{content['number']}")


# --- Statements -------------------------------------------------------------------------------------------------------


class StatementOut(serializers.Serializer[Any]):
    """A month of the account: `opening + charged - paid + refunded = closing`. Balances: positive is owed by you."""

    id = serializers.IntegerField()
    month = serializers.DateField(help_text="Its first day.")
    opening = SignedMoney()
    charged = SignedMoney(help_text="Below zero when corrections and write-offs outweigh charges.")
    paid = SignedMoney()
    refunded = SignedMoney()
    closing = SignedMoney()


class StatementSession(serializers.Serializer[Any]):
    """A session that a row is about."""

    id = serializers.IntegerField()
    date = serializers.DateField()
    provider = serializers.CharField()


class StatementRow(serializers.Serializer[Any]):
    """One thing that changed the balance."""

    on = serializers.DateField(help_text="When it was entered in the books.")
    kind = serializers.ChoiceField(choices=[each.value for each in Kind])
    what = serializers.CharField()
    note = serializers.CharField()
    sessions = StatementSession(many=True)
    amount = SignedMoney(help_text="As it changes the balance: below zero makes you owe less.")


class StatementStory(StatementOut):
    """A statement as it was issued."""

    number = serializers.CharField(source="content.number")
    issued_on = serializers.DateField(source="content.issued_on")
    rows = StatementRow(many=True, source="content.rows")


class ClientStatements(ClientApi):
    """Monthly statements."""

    pagination_class = Pages

    @extend_schema(
        operation_id="client_statements",
        tags=["Client"],
        summary="My monthly statements, the newest first",
        responses=StatementOut(many=True),
    )
    def get(self, request: Request) -> Response:
        rows, pages = self.page(visible_statements(request.user).order_by("-month", "-pk"))
        return pages.get_paginated_response(StatementOut(rows, many=True).data)


class ClientStatement(ClientApi):
    """One monthly statement."""

    @extend_schema(
        operation_id="client_statement",
        tags=["Client"],
        summary="One monthly statement, as it was issued",
        responses=StatementStory,
    )
    def get(self, request: Request, statement_id: int) -> Response:
        return Response(StatementStory(get_statement(request.user, statement_id, purpose="api: statement")).data)


class ClientStatementFile(ClientApi):
    """The file of a statement."""

    renderer_classes = (JSONRenderer, Pdf)

    @extend_schema(
        operation_id="client_statement_pdf",
        tags=["Client"],
        summary="The file of a monthly statement",
        responses=FILE,
    )
    def get(self, request: Request, statement_id: int) -> HttpResponse:
        found = get_statement(request.user, statement_id, purpose="api: statement, file")
        return _file(statement_pdf.write(found), f"statement-{found.month:%Y-%m}")


# --- Superbills -------------------------------------------------------------------------------------------------------


class SuperbillDays(serializers.Serializer[Any]):
    """Which days, both included; a year at most."""

    begin = serializers.DateField()
    end = serializers.DateField()


class SuperbillPick(SuperbillDays):
    """The days, and of their sessions one alone."""

    session = Id(required=False, help_text="Left out: all that can be on it.")


class SuperbillSession(serializers.Serializer[Any]):
    """A session of these days, and if it cannot be on a superbill, why not."""

    session = serializers.IntegerField(source="session.pk")
    date = serializers.DateField(source="session.date")
    provider = serializers.CharField(source="session.provider.full_name")
    charge = Money(source="session.charge")
    possible = serializers.BooleanField()
    why_not = serializers.ChoiceField(choices=[each.value for each in WhyNot], allow_null=True)
    sentence = serializers.CharField(help_text="The reason in words; empty when it can be on it.")


class SuperbillOut(serializers.Serializer[Any]):
    """Sessions of the days asked for, the oldest first."""

    sessions = SuperbillSession(many=True)


def _choices(api: ClientApi, request: Request, days: dict[str, Any], purpose: str) -> list[Choice]:
    sessions = superbill_sessions(request.user, api.client, purpose=purpose)
    return superbills.choices(sessions, begin=days["begin"], end=days["end"])


class ClientSuperbill(ClientApi):
    """What could be on a superbill."""

    @extend_schema(
        operation_id="client_superbill",
        tags=["Client"],
        summary="Which of my sessions can be on a superbill",
        description="Only sessions that took place and that we bill to nobody: an insurer must not be asked twice.",
        parameters=[SuperbillDays],
        responses=SuperbillOut,
    )
    def get(self, request: Request) -> Response:
        days = query(SuperbillDays, request)
        return Response(SuperbillOut({"sessions": _choices(self, request, days, "api: superbill")}).data)


class ClientSuperbillFile(ClientApi):
    """A superbill."""

    renderer_classes = (JSONRenderer, Pdf)

    @extend_schema(
        operation_id="client_superbill_pdf",
        tags=["Client"],
        summary="A superbill of my sessions on these days",
        description="It names diagnosis codes. 409 when none of the sessions can be on one; `detail` says why.",
        parameters=[SuperbillPick],
        responses=FILE,
    )
    def get(self, request: Request) -> HttpResponse:
        asked = query(SuperbillPick, request)
        found = _choices(self, request, asked, "api: superbill, file")
        content = superbills.content(found, only=[asked["session"]] if "session" in asked else None)
        return _file(superbills.write(content), f"superbill-{content['number']}")
