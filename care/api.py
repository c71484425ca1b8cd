"""How a session reads in the API, and what a booking holds. Sessions have prices, so their addresses are billing's."""

from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from rest_framework import serializers

from care.models import Session
from care.services.sessions import EARLIEST, LATEST, Procedure
from common import clock
from common.api import Id, Strict

MAX_PROCEDURES = 6


class ProviderName(serializers.Serializer[Any]):
    """A provider as others see them."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")
    full_name = serializers.CharField()


class ClientName(serializers.Serializer[Any]):
    """A client as their provider and support see them in lists."""

    id = serializers.IntegerField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    called = serializers.CharField(help_text="The name to greet by.")
    paused_since = serializers.DateTimeField(allow_null=True, help_text="Null: the account is not paused.")


class ProcedureOut(serializers.Serializer[Any]):
    """One procedure of a session."""

    cpt = serializers.CharField()
    modifiers = serializers.ListField(child=serializers.CharField())
    units = serializers.IntegerField()


class SessionFacts(serializers.Serializer[Any]):
    """An appointment: when, where, with whom, for what. Loaded with ``provider`` and ``lines``."""

    id = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    date = serializers.DateField(help_text="Date of service: the business date, in New York.")
    minutes = serializers.IntegerField()
    place = serializers.ChoiceField(choices=Session.Place.choices, help_text="CMS place-of-service code.")
    status = serializers.ChoiceField(choices=Session.Status.choices)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    provider = ProviderName()
    procedures = ProcedureOut(many=True, source="lines.all")


class ProcedureIn(Strict):
    """One procedure to be booked."""

    cpt = serializers.CharField(
        max_length=5, validators=[RegexValidator(r"^[0-9A-Z][0-9]{3}[0-9A-Z]$")], help_text="CPT code."
    )
    modifiers = serializers.ListField(
        child=serializers.CharField(max_length=2, validators=[RegexValidator(r"^[0-9A-Z]{2}$")]),
        max_length=4,
        required=False,
        default=list,
    )
    units = serializers.IntegerField(min_value=1, max_value=24, required=False, default=1)


class Booking(Strict):
    """A session to be booked by its provider."""

    client = Id(help_text="A client on your caseload.")
    starts_at = serializers.DateTimeField(
        default_timezone=clock.BUSINESS_ZONE, help_text="Without an offset it is a time in New York."
    )
    minutes = serializers.IntegerField(min_value=15, max_value=240, required=False, default=53)
    place = serializers.ChoiceField(choices=Session.Place.choices, required=False, default=Session.Place.OFFICE.value)
    procedures = ProcedureIn(many=True, allow_empty=False)
    diagnoses = serializers.ListField(
        child=serializers.CharField(
            max_length=8, validators=[RegexValidator(r"^[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?$")]
        ),
        min_length=1,
        max_length=12,
        help_text="ICD-10-CM codes, the main one first.",
    )

    def validate_starts_at(self, value: Any) -> Any:
        now = clock.now()
        if not now - EARLIEST <= value <= now + LATEST:
            raise serializers.ValidationError(_("Please choose a time in the last 90 days or the coming year."))
        return value

    def validate_procedures(self, value: list[dict[str, Any]]) -> list[Procedure]:
        if len(value) > MAX_PROCEDURES:
            raise serializers.ValidationError(_("There are too many procedures for one session."))
        return [Procedure(each["cpt"], tuple(each["modifiers"]), each["units"]) for each in value]
