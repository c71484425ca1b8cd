"""The few questions that settle which plan pays first, as one small form."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.flows.order_plans import open_case
from insurance.domain.plan_questions import Question
from insurance.services.plan_order import questions
from people.models import Client
from portal.client.forms import BornInPast, DayInput

AT_ONCE = 4
"""As many questions as are put at a time; what they leave open is asked next."""

UNKNOWN = "unknown"


class OrderForm(forms.Form):
    """One field for each question; every one can be left open, or said not to be known."""

    def __init__(self, asked: Sequence[Question], data: Any = None) -> None:
        super().__init__(data, prefix="order")
        self.asked = list(asked)[:AT_ONCE]
        for question in self.asked:
            if question.asks_for_a_day:
                self.fields[question.name] = BornInPast(
                    required=False, widget=DayInput(), label=question.text, help_text=question.hint
                )
                self.fields[_no(question)] = forms.BooleanField(required=False, label=_("I do not know this day"))
            else:
                answers = [(answer.value, answer.label) for answer in question.answers]
                self.fields[question.name] = forms.ChoiceField(
                    required=False,
                    widget=forms.RadioSelect,
                    choices=[*answers, (UNKNOWN, _("I do not know"))],
                    label=question.text,
                    help_text=question.hint,
                )

    def answers(self) -> Mapping[str, str | date | None]:
        """What was said, as ``answer_question`` takes it: ``None`` is "not known", left out what was left open."""
        said: dict[str, str | date | None] = {}
        for question in self.asked:
            value = self.cleaned_data.get(question.name)
            if value == UNKNOWN or (not value and self.cleaned_data.get(_no(question))):
                said[question.name] = None
            elif value:
                said[question.name] = value
        return said


def _no(question: Question) -> str:
    return f"{question.name}-{UNKNOWN}"


def asking(client: Client, typed: OrderForm | None = None) -> dict[str, Any] | None:
    """What the page shows of the open questions; ``None`` when there are none. ``typed``: a form with a mistake."""
    asked = questions(client)
    if not asked:
        return None
    return {"form": typed or OrderForm(asked), "case": open_case(client), "several": len(asked) > 1}
