"""What a provider fills in."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.domain.nacha import routing_number_is_valid
from billing.models import ProviderBankAccount
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


def _digits(text: str) -> str:
    """As people copy it from a check: spaces and hyphens left out."""
    return text.replace(" ", "").replace("-", "")


class NumberField(forms.RegexField):
    """Digits, typed with or without spaces and hyphens; never offered or remembered by the browser."""

    def __init__(self, length: str, wrong: Any, **more: Any) -> None:
        super().__init__(
            rf"^[0-9]{length}$",
            max_length=40,
            error_messages={"invalid": wrong},
            widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}),
            **more,
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python(_digits(value) if isinstance(value, str) else value)


class BankAccountForm(forms.Form):
    """A bank account, its numbers typed twice. What is wrong with it is said without repeating the account number."""

    holder = forms.CharField(
        label=_("Account holder"),
        min_length=2,
        max_length=22,
        help_text=_("The name as the bank knows it, without accents, up to 22 letters."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label=_("Kind of account"),
        choices=ProviderBankAccount.Kind.choices,
        initial=ProviderBankAccount.Kind.CHECKING,
        widget=forms.RadioSelect,
    )
    routing_number = NumberField(
        "{9}",
        _("A routing number has nine digits."),
        label=_("Routing number"),
        help_text=_("Nine digits, at the bottom left of a check or in your bank's app."),
    )
    account_number = NumberField("{4,17}", _("An account number has 4 to 17 digits."), label=_("Account number"))
    again = NumberField("{4,17}", _("An account number has 4 to 17 digits."), label=_("Account number once more"))

    def clean_routing_number(self) -> str:
        number: str = self.cleaned_data["routing_number"]
        if not routing_number_is_valid(number):
            raise ValidationError(
                gettext("No bank has this routing number: a digit seems to be mistyped. Please check it.")
            )
        return number

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "account_number" in given and "again" in given and given["account_number"] != given["again"]:
            self.add_error("again", gettext("The two account numbers differ. Please check both."))
        return given

    def account(self) -> dict[str, str]:
        """The arguments of ``bank_accounts.enter`` that a valid form holds."""
        return {name: self.cleaned_data[name] for name in ("holder", "kind", "routing_number", "account_number")}
