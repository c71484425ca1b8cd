"""The form "what if": how often, how long, where, and what else may count to the plan. A GET form; nothing is kept."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from billing.domain.forecast import OtherCare
from billing.services.forecast import Asked, Kind, Outlook, Rhythm
from common import clock
from common.errors import BadInput
from common.money import ZERO, parse_money

PLACES = (("office", _("At the office")), ("video", _("By video")))
MONTHS = 12
"""So many months ahead other care can be named."""


class DollarsInput(forms.TextInput):
    """An amount with the dollar sign in front of it."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})


class DollarsField(forms.CharField):
    """Dollars as people type them: ``1,500``, ``$1500.00``. Cleans to ``Decimal``, to ``None`` when left empty."""

    widget = DollarsInput

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace("$", "").replace(",", "").strip()
        if not text:
            return None
        try:
            return parse_money(text)
        except BadInput as error:
            raise forms.ValidationError(
                _("Please write an amount in dollars, such as 500 or 1,250.50."), code="invalid"
            ) from error


class WhatIfForm(forms.Form):
    """What is asked about. ``outlook`` is how things stand: it fills the form and gives the kinds of session."""

    rhythm = forms.ChoiceField(label=_("How often?"), choices=Rhythm.choices, widget=forms.RadioSelect)
    kind = forms.ChoiceField(label=_("Which session?"))
    place = forms.ChoiceField(label=_("Where?"), choices=PLACES, widget=forms.RadioSelect)
    other_amount = DollarsField(
        required=False,
        max_length=20,
        label=_("Other care you expect to pay for"),
        help_text=_("About how much you will pay yourself, for example for an operation. It counts to the same plan."),
    )
    other_month = forms.ChoiceField(required=False, label=_("In which month?"))

    def __init__(self, outlook: Outlook, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "rhythm": outlook.rhythm.value,
                "kind": outlook.kind.key if outlook.kind else "",
                "place": "video" if outlook.telehealth else "office",
            },
        )
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.key, kind_words(kind, outlook.kinds)) for kind in outlook.kinds]  # type: ignore[attr-defined]
        if len(outlook.kinds) < 2:
            self.fields["kind"].widget = forms.HiddenInput()
        self.fields["other_month"].choices = [("", _("Choose a month")), *_months()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("other_amount") and not given.get("other_month") and "other_month" not in self.errors:
            self.add_error("other_month", _("Please choose the month of the other care."))
        return given

    def asked(self) -> Asked:
        """The question; call it when the form is valid."""
        given = self.cleaned_data
        other = None
        amount: Decimal | None = given["other_amount"]
        if amount is not None and amount > ZERO and given["other_month"]:
            first = date.fromisoformat(f"{given['other_month']}-01")
            other = OtherCare(max(first, clock.today()), amount)
        return Asked(
            rhythm=Rhythm(given["rhythm"]), kind=given["kind"], telehealth=given["place"] == "video", other=other
        )


def kind_words(kind: Kind, all_kinds: tuple[Kind, ...]) -> str:
    """``"53 minutes with Dr. Cole"``; the procedure is named only where two kinds would read alike."""
    session = kind.example
    words = _("%(minutes)s minutes with %(provider)s") % {"minutes": session.minutes, "provider": session.provider}
    alike = [
        each
        for each in all_kinds
        if (each.example.minutes, each.example.provider_id) == (session.minutes, session.provider_id)
    ]
    if len(alike) > 1:
        words += f" ({', '.join(line.cpt for line in session.lines.all())})"
    return words


def _months() -> list[tuple[str, str]]:
    today = clock.today()
    found = []
    for ahead in range(MONTHS):
        month = date(today.year + (today.month - 1 + ahead) // 12, (today.month - 1 + ahead) % 12 + 1, 1)
        found.append((f"{month:%Y-%m}", formats.date_format(month, "F Y")))
    return found
