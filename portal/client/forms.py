"""What clients type. Each form keeps it when something is wrong, and asks only what decides a price or an order."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import GoodFaithEstimate
from common import clock
from common.errors import BadInput
from insurance.models import Coverage, Payer
from people.models import Provider, SupportRequest


class DayInput(forms.DateInput):
    """The browser's own date field; it writes and reads ISO dates."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class BornInPast(forms.DateField):
    """A day that is not in the future."""

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is not None and day > clock.today():
            raise forms.ValidationError(_("This day is in the future."))
        return day


class PlanForm(forms.ModelForm[Coverage]):
    """A plan as it stands on the client's card, and the facts that decide which plan pays first."""

    payer = forms.ModelChoiceField(
        queryset=Payer.objects.all(),
        label=_("Insurance company"),
        empty_label=_("Choose the company on your card"),
        error_messages={"required": _("Please choose the company that is on your card.")},
    )
    member_id = forms.RegexField(
        regex=r"^\s*[A-Za-z0-9][A-Za-z0-9 \-]{1,78}\s*$",
        label=_("Member ID"),
        help_text=_("On the front of your card. We use it to ask the insurer what your plan covers."),
        error_messages={
            "required": _("Please type the member ID from your card."),
            "invalid": _("A member ID has letters and digits only. Please copy it from the card."),
        },
    )
    holder_born = BornInPast(
        required=False,
        widget=DayInput(),
        label=_("Their birthday"),
        help_text=_("Insurers find the plan by it. For a parent's plan it also decides which plan pays first."),
    )
    since = BornInPast(
        required=False,
        widget=DayInput(),
        label=_("Covered since"),
        help_text=_("If you know it. The plan that has covered you longer sometimes pays first."),
    )

    class Meta:
        model = Coverage
        fields = (
            "payer",
            "member_id",
            "group_number",
            "plan_type",
            "holder",
            "holder_first_name",
            "holder_last_name",
            "holder_born",
            "holder_status",
            "employer_size",
            "since",
        )
        labels: ClassVar = {
            "group_number": _("Group number"),
            "plan_type": _("How did you get this plan?"),
            "holder": _("Whose plan is it?"),
            "holder_first_name": _("Their first name"),
            "holder_last_name": _("Their last name"),
            "holder_status": _("Does the person whose plan it is still work for that employer?"),
            "employer_size": _("About how many people work for that employer?"),
        }
        help_texts: ClassVar = {
            "plan_type": _("Some kinds of plan always pay first or last."),
            "holder": _("The person whose job or name the plan is in. Your own plan pays before someone else's."),
            "holder_status": _("A plan from a job someone has now pays before one from a job they left."),
            "employer_size": _("A guess is fine. It matters only if you have Medicare too."),
        }
        widgets: ClassVar = {"holder": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unknown = ("", _("I do not know, or it is not from a job"))
        self.fields["holder_status"] = forms.ChoiceField(
            required=False,
            choices=[unknown, *Coverage.HolderStatus.choices],
            label=self.fields["holder_status"].label,
            help_text=self.fields["holder_status"].help_text,
        )
        self.fields["employer_size"].widget.attrs.update({"inputmode": "numeric", "min": "1"})
        self.fields["member_id"].widget.attrs.update({"autocomplete": "off", "autocapitalize": "characters"})

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("holder") and given["holder"] != Coverage.Holder.SELF:
            missing = {
                "holder_first_name": _("Please enter the first name of the person whose plan it is."),
                "holder_last_name": _("Please enter the last name of the person whose plan it is."),
                "holder_born": _("Please enter the birthday of the person whose plan it is."),
            }
            for name, words in missing.items():
                if not given.get(name) and name not in self.errors:
                    self.add_error(name, words)
        if given.get("employer_size") == 0:
            self.add_error("employer_size", _("Please enter a number above zero, or leave it empty."))
        return given

    def facts(self) -> dict[str, Any]:
        """The columns of ``Coverage`` as ``add_plan`` takes them; someone's name is kept only for someone's plan."""
        facts = {name: value for name, value in self.cleaned_data.items() if name not in ("payer", "member_id")}
        if facts["holder"] == Coverage.Holder.SELF:
            facts.update(holder_first_name="", holder_last_name="", holder_born=None)
        facts["holder_status"] = facts["holder_status"] or None
        return facts

    def _post_clean(self) -> None:
        """The service builds and checks the row; the form's own copy is never saved."""


class ReferenceForm(forms.Form):
    """The number an insurer gives for a call."""

    reference_number = forms.CharField(
        max_length=40,
        label=_("Reference number of your call"),
        help_text=_("The insurer gives it to you at the end of the call."),
        error_messages={"required": _("Please enter the reference number that your insurer gave you.")},
    )


class CallForm(ReferenceForm):
    """A call to an insurer: the number it gave, and the day."""

    called_on = BornInPast(
        widget=DayInput(),
        label=_("Day of the call"),
        error_messages={"required": _("Please enter the day on which you called.")},
    )


class EstimateForm(forms.Form):
    """What a Good Faith Estimate is to be about. ``providers`` are the client's own."""

    provider = forms.ModelChoiceField(
        queryset=Provider.objects.none(),
        label=_("With whom?"),
        empty_label=None,
        error_messages={"required": _("Please choose a provider.")},
    )
    frequency = forms.ChoiceField(
        label=_("How often?"), choices=GoodFaithEstimate.Frequency.choices, widget=forms.RadioSelect
    )
    first_on = forms.DateField(
        widget=DayInput(),
        label=_("From when?"),
        error_messages={"required": _("Please enter the day of the first session.")},
    )
    months = forms.TypedChoiceField(
        label=_("For how long?"),
        coerce=int,
        choices=[(1, _("One month")), (3, _("Three months")), (6, _("Six months")), (12, _("Twelve months"))],
        help_text=_("Twelve months is the longest that one estimate may cover."),
    )

    def __init__(self, *args: Any, providers: Sequence[Provider], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["provider"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Provider.objects.filter(pk__in=[each.pk for each in providers])


class SupportForm(forms.Form):
    """A question to support."""

    category = forms.ChoiceField(label=_("What is it about?"), choices=SupportRequest.Category.choices)
    body = forms.CharField(
        max_length=4000,
        label=_("Your question"),
        help_text=_("Please leave out what you talk about in your sessions: we do not need it to help you."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Please write what you need help with.")},
    )
    reference = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)


def take(form: forms.BaseForm, error: BadInput) -> None:
    """Show a service's refusal beside the field it is about, or above the form."""
    form.add_error(error.where if error.where in form.fields else None, str(error))
