"""Sample values for the living page: one believable client, nothing read from the database."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator

from billing.domain.forecast import Ahead, Design, PlanYear, forecast, next_year
from billing.domain.pricing import PlanTerms
from billing.services.forecast import Outlook
from common import clock
from portal.outlook import Next, told


class SampleForm(forms.Form):
    """A plan as a client enters it, with every kind of field."""

    insurer = forms.ChoiceField(
        label="Insurer", choices=[("", "Choose your insurer"), ("a", "Blue Harbor"), ("b", "Meridian Health")]
    )
    member_id = forms.CharField(label="Member ID", help_text="On the front of your card, often near your name.")
    holder = forms.ChoiceField(
        label="Whose plan is it?",
        choices=[("self", "Mine"), ("spouse", "My spouse's"), ("parent", "My parent's")],
        widget=forms.RadioSelect,
    )
    group = forms.CharField(label="Group number", required=False)
    notes = forms.CharField(label="Anything we should know?", required=False, widget=forms.Textarea)
    agree = forms.BooleanField(
        label="You may ask my insurer about my benefits",
        help_text="We ask again each month, so that prices stay right.",
    )


def icons() -> list[str]:
    """The names of all drawings in ``icons.svg``."""
    return re.findall(r'<symbol id="([a-z]+)"', Path(str(finders.find("img/icons.svg"))).read_text())


def ahead() -> Next | None:
    """A forecast: weekly sessions of $160.00, $400.00 of the deductible left, and 20% after it."""
    today = clock.today()
    terms = [PlanTerms(deductible_remaining=Decimal(left), coinsurance=Decimal("0.20")) for left in (400, 500)]
    this_year, later = (Design.start(each, each) for each in terms)
    year = PlanYear(today, today + timedelta(days=83), (this_year,))
    weeks = [Ahead(today + timedelta(days=7 * week), Decimal("160.00"), booked=week < 4) for week in range(1, 19)]
    return told(Outlook(forecast=forecast([year, next_year(year, (later,))], weeks)), id="sample")


def samples() -> dict[str, Any]:
    """The context of the living page."""
    today = clock.today()
    wrong = SampleForm({"insurer": "", "member_id": "", "holder": "spouse", "notes": "I have two cards."})
    return {
        "form": SampleForm(initial={"holder": "self"}),
        "wrong": wrong,
        "page": Paginator(range(140), 20).page(3),
        "today": today,
        "days": [today, today + timedelta(days=1), today + timedelta(days=5), today - timedelta(days=12)],
        "next": today + timedelta(days=5),
        "earlier": [today - timedelta(days=days) for days in (9, 16, 23)],
        "cost": Decimal("20.00"),
        "amounts": [Decimal("1000.00"), Decimal("0.00"), Decimal("-35.50"), None],
        "used": Decimal("640.00"),
        "left": Decimal("360.00"),
        "deductible": Decimal("1000.00"),
        "maximum": Decimal("4500.00"),
        "allowed": Decimal("150.00"),
        "total": Decimal("56.00"),
        "parts": [
            {"kind": "plan", "label": "Your first plan pays", "amount": Decimal("64.00")},
            {"kind": "secondary", "label": "Your second plan pays", "amount": Decimal("30.00")},
            {
                "kind": "deductible",
                "label": "Your deductible",
                "amount": Decimal("40.00"),
                "note": "The last $40.00 of this year's $1,000.00",
            },
            {"kind": "coinsurance", "label": "Your share of the rest", "amount": Decimal("16.00"), "note": "20% of it"},
        ],
        "unknown_parts": [
            {"kind": "plan", "label": "Your plan pays", "amount": None},
            {"kind": "copay", "label": "Your copay", "amount": Decimal("25.00")},
        ],
        "events": [
            {
                "when": today,
                "title": "$34.00 goes back to your card",
                "text": "Your second plan paid its part. Look for it on your statement in 3 to 5 business days.",
                "tone": "success",
                "icon": "refund",
                "amount": Decimal("34.00"),
            },
            {
                "when": today - timedelta(days=8),
                "title": "Your first plan has decided",
                "text": "It paid $64.00. We sent the claim on to your second plan.",
                "tone": "info",
                "icon": "document",
            },
            {
                "when": today - timedelta(days=30),
                "title": "Your insurer needs to hear from you",
                "text": "Two insurers both think the other one pays first.",
                "tone": "paused",
            },
            {
                "when": today - timedelta(days=41),
                "title": "Session with Dr. Cole",
                "text": "You paid the estimate from your first plan.",
                "tone": "brand",
                "icon": "calendar",
                "amount": Decimal("90.00"),
            },
        ],
        "steps": [
            {"label": "Account", "state": "done"},
            {"label": "Plans", "state": "done"},
            {"label": "Consent", "state": "current"},
            {"label": "Card", "state": "todo"},
        ],
        "tones": ["neutral", "brand", "accent", "info", "success", "attention", "danger", "paused"],
        "icons": icons(),
        "ahead": ahead(),
    }
