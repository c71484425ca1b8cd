"""The form on which a client or provider says that what we show of a plan is wrong; both pages are the same."""

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.flows import refresh_benefits
from common.errors import BadInput
from insurance.models import Coverage
from people.models import SupportRequest, User


class ReportForm(forms.Form):
    """What looks wrong, and what would be right."""

    what = forms.ChoiceField(
        label=_("What looks wrong?"),
        choices=refresh_benefits.Wrong.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose what looks wrong.")},
    )
    text = forms.CharField(
        max_length=2000,
        label=_("What should it be, and how do you know?"),
        help_text=_("For example: “My card says $20, you show $40.” Please leave out what sessions are about."),
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Please write what looks wrong.")},
    )


def send(form: ReportForm, *, author: User, coverage: Coverage) -> bool:
    """Report what a form says, if it says it; what is wrong stands beside its field, with what was typed."""
    if not form.is_valid():
        return False
    try:
        refresh_benefits.report_incorrect(author=author, coverage=coverage, **form.cleaned_data)
    except BadInput as error:
        form.add_error(error.where if error.where in form.fields else None, str(error))
        return False
    return True


def open_report(*, author: User, coverage: Coverage) -> SupportRequest | None:
    """The case that is open already: what is sent now is added to it."""
    return refresh_benefits.open_case(author=author, coverage=coverage)
