"""What the page "find a provider" asks and shows: the form, the providers, and what to let go when there are none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import clock
from common.errors import BadInput
from common.us_states import STATES, name_of
from insurance.models import Payer
from insurance.services import provider_search
from insurance.services.plan_order import plans_in_order
from insurance.services.provider_search import Bills, Found, Match, Place, Relaxed, Wanted
from people.models import Client, Specialty
from portal.client.forms import DayInput, take

ANY_PLACE = gettext_lazy("By video or at an office")
PLACES = (
    (Place.ANY.value, ANY_PLACE),
    (Place.VIDEO.value, gettext_lazy("By video")),
    (Place.OFFICE.value, gettext_lazy("At an office in this state")),
)
BY_NAME = [(code, name) for name, code in sorted((name, code) for code, name in STATES.items())]
FURTHEST = timedelta(days=365)
FEW = 3
"""So many who bill only the first plan are shown beside those who bill all; the rest have a page of their own."""

_ORDER = (gettext_lazy("First insurer"), gettext_lazy("Second insurer"), gettext_lazy("Third insurer"))


class FindForm(forms.Form):
    """A GET form, filled in with the client's own plans in order, their state, and a day next week."""

    state = forms.ChoiceField(label=gettext_lazy("State you are in"), choices=BY_NAME)
    place = forms.ChoiceField(label=gettext_lazy("Where"), choices=PLACES)
    specialty = forms.ChoiceField(
        required=False, label=gettext_lazy("Help with"), choices=[("", gettext_lazy("Anything")), *Specialty.choices]
    )
    on = forms.DateField(label=gettext_lazy("First session on or about"), widget=DayInput())
    accepting = forms.BooleanField(required=False, label=gettext_lazy("Only those who take new clients"))

    def __init__(self, client: Client, asked: QueryDict) -> None:
        day = clock.today() + timedelta(days=7)
        own = list(dict.fromkeys(plan.payer for plan in plans_in_order(client, on=day)))
        self.own_plans = own[: provider_search.MOST_PAYERS]
        self.insurers = [f"insurer{place}" for place in range(1, max(len(_ORDER), len(self.own_plans)) + 1)]
        initial: dict[str, Any] = {
            "state": client.state,
            "place": Place.ANY.value,
            "specialty": "",
            "on": day.isoformat(),
            "accepting": "on",
            **{name: payer.pk for name, payer in zip(self.insurers, self.own_plans, strict=False)},
        }
        known = {name: asked[name] for name in asked if name in {*self.base_fields, *self.insurers}}
        # An address that names nothing asks for the client's own; a sent form says with `state` that it was sent.
        super().__init__(known if "state" in asked else {**initial, **known})
        payers = Payer.objects.only("name").order_by("name")
        for number, name in enumerate(self.insurers):
            self.fields[name] = forms.ModelChoiceField(
                payers,
                required=False,
                label=_ORDER[number] if number < len(_ORDER) else gettext_lazy("One more insurer"),
                empty_label=gettext_lazy("None") if number else gettext_lazy("Choose an insurer"),
            )
        self.fields["on"].widget.attrs.update(
            {"min": clock.today().isoformat(), "max": (clock.today() + FURTHEST).isoformat()}
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen = [given[name] for name in self.insurers if given.get(name)]
        given["payers"] = tuple(dict.fromkeys(chosen))
        if not chosen and not any(name in self.errors for name in self.insurers):
            self.add_error(self.insurers[0], _("Please choose at least one insurer."))
        day = given.get("on")
        if day is not None and day < clock.today():
            self.add_error("on", _("Please choose a day that is not past."))
        elif day is not None and day > clock.today() + FURTHEST:
            self.add_error("on", _("Please choose a day within a year: nobody knows contracts further ahead."))
        return given

    def insurer_fields(self) -> Iterator[forms.BoundField]:
        """The choices of insurers, first to last."""
        return (self[name] for name in self.insurers)

    def wanted(self) -> Wanted:
        """What is looked for; only of a valid form."""
        given = self.cleaned_data
        return Wanted(
            payers=given["payers"], state=given["state"], on=given["on"], place=Place(given["place"]),
            specialty=given["specialty"], accepting=given["accepting"],
        )  # fmt: skip

    def query(self, wanted: Wanted, **more: object) -> str:
        """The address, as a query, that asks for ``wanted``."""
        asked = QueryDict(mutable=True)
        for name, payer in zip(self.insurers, wanted.payers, strict=False):
            asked[name] = str(payer.pk)
        asked["state"], asked["place"], asked["on"] = wanted.state, wanted.place.value, wanted.on.isoformat()
        if wanted.specialty:
            asked["specialty"] = wanted.specialty
        if wanted.accepting:
            asked["accepting"] = "on"
        asked.update({name: str(value) for name, value in more.items()})
        return asked.urlencode()


@dataclass(frozen=True, slots=True)
class Card:
    """A provider as the page shows one. ``yours``: the client has or had sessions with them."""

    match: Match
    specialties: tuple[str, ...]
    yours: bool
    bills: str
    not_billed: str


@dataclass(frozen=True, slots=True)
class Step:
    """What to let go: in words, how many that finds (``100+``), and the address."""

    words: str
    count: str
    query: str


@dataclass(frozen=True, slots=True)
class Results:
    """What was found. ``first_only``: those who bill only the first plan; ``alone``: the page shows only these."""

    cards: tuple[Card, ...]
    first_only: tuple[Card, ...]
    alone: bool
    next: str
    more_first_only: str
    back: str
    steps: tuple[Step, ...]
    out_of_network: tuple[Payer, ...]
    wanted: Wanted
    all_names: str
    first_name: str
    other_names: str
    state: str


def results(form: FindForm, *, show: str, after: int, yours: set[int]) -> Results:
    """Search as the valid ``form`` asks. ``show`` and ``after`` are those of the address: which list, from where on."""
    wanted = form.wanted()
    alone = show == Bills.FIRST_ONLY.value and len(wanted.payers) > 1
    contracted = provider_search.in_network(wanted.payers, wanted.on)
    none = Found((), None)
    every = none if alone else provider_search.search(wanted, after=after, contracted=contracted)
    first = none
    if alone or (len(wanted.payers) > 1 and not after):
        limit = provider_search.PAGE if alone else FEW
        first = provider_search.search(
            wanted, bills=Bills.FIRST_ONLY, after=after if alone else 0, limit=limit, contracted=contracted
        )
    shown = first if alone else every
    marks: dict[str, object] = {"show": Bills.FIRST_ONLY.value} if alone else {}
    return Results(
        cards=_cards(shown, yours),
        first_only=() if alone else _cards(first, yours),
        alone=alone,
        next=form.query(wanted, after=shown.after, **marks) if shown.after else "",
        more_first_only=form.query(wanted, show=Bills.FIRST_ONLY.value) if not alone and first.after else "",
        back=form.query(wanted, **marks) if after else "",
        steps=_steps(form, wanted) if not shown.matches and not after else (),
        out_of_network=tuple(each for each in wanted.payers if each.pk not in contracted),
        wanted=wanted,
        all_names=_listed(wanted.payers),
        first_name=str(wanted.payers[0]),
        other_names=_listed(wanted.payers[1:]),
        state=name_of(wanted.state),
    )


def refuse(form: FindForm, error: BadInput) -> None:
    """Show what the search itself refuses beside its field."""
    take(form, BadInput(str(error), form.insurers[0] if error.where == "insurers" else error.where))


def _cards(found: Found, yours: set[int]) -> tuple[Card, ...]:
    labels = dict(Specialty.choices)
    return tuple(
        Card(
            match=each,
            specialties=tuple(str(labels[name]) for name in each.provider.specialties if name in labels),
            yours=each.provider.pk in yours,
            bills=_listed(each.bills),
            not_billed=_listed(each.not_billed),
        )
        for each in found.matches
    )


def _steps(form: FindForm, wanted: Wanted) -> tuple[Step, ...]:
    return tuple(
        Step(_let_go(each, wanted), f"{each.count}+" if each.count >= provider_search.AT_MOST else str(each.count),
             form.query(each.wanted))
        for each in provider_search.relaxed(wanted)
    )  # fmt: skip


def _let_go(step: Relaxed, wanted: Wanted) -> str:
    if step.condition == "specialty":
        return _("Help with anything, not only “%(specialty)s”") % {
            "specialty": dict(Specialty.choices)[wanted.specialty]
        }
    if step.condition == "place":
        return str(ANY_PLACE)
    if step.condition == "accepting":
        return _("Also those who take no new clients at the moment")
    return _("Without %(payer)s, which would then not be billed") % {"payer": step.without}


def _listed(payers: Sequence[Payer]) -> str:
    names = [str(each) for each in payers]
    if len(names) < 2:
        return "".join(names)
    return _("%(some)s and %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]}
