"""What a provider fills in."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from care.models import Session
from care.services.sessions import EARLIEST, LATEST, Procedure
from common import clock
from people.models import Client

MINUTES = {"90791": 60, "90834": 45, "90837": 53}
"""Usual length of a session by CPT code."""


class DiagnosisField(forms.RegexField):
    """A diagnosis code; small letters are taken as capitals."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.upper() if isinstance(value, str) else value)


class ScheduleForm(forms.Form):
    """A new session. ``clients`` are those on the provider's caseload whose account is not paused."""

    client = forms.ModelChoiceField(queryset=Client.objects.none(), label=_("Client"), empty_label=_("Choose a client"))
    date = forms.DateField(label=_("Date"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(
        label=_("Time (Eastern)"),
        widget=forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M"),
    )
    place = forms.ChoiceField(label=_("Where"), choices=Session.Place.choices, widget=forms.RadioSelect)
    cpt = forms.ChoiceField(
        label=_("Kind of session"),
        choices=[
            ("90837", _("Therapy, 60 minutes (90837)")),
            ("90834", _("Therapy, 45 minutes (90834)")),
            ("90791", _("First assessment (90791)")),
        ],
    )
    diagnosis = DiagnosisField(
        r"^[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?$",
        label=_("Diagnosis"),
        help_text=_("An ICD-10-CM code, such as F41.1."),
        max_length=8,
        error_messages={"invalid": _("Please enter an ICD-10-CM code, such as F41.1.")},
        widget=forms.TextInput({"autocapitalize": "characters", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, clients: QuerySet[Client], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["client"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = clients

    def clean_date(self) -> Any:
        day = self.cleaned_data["date"]
        today = clock.today()
        if not today - EARLIEST <= day <= today + LATEST:
            raise ValidationError(gettext("Please choose a day from the last 90 days or the coming year."))
        return day

    def booking(self) -> dict[str, Any]:
        """The arguments of ``book_session.book`` that a valid form holds."""
        given = self.cleaned_data
        return {
            "client": given["client"],
            "starts_at": datetime.combine(given["date"], given["time"], tzinfo=clock.BUSINESS_ZONE),
            "procedures": [Procedure(given["cpt"])],
            "diagnoses": [given["diagnosis"]],
            "place": given["place"],
            "minutes": MINUTES[given["cpt"]],
        }
