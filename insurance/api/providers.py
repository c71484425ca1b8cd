"""Finding a provider: who can bill all of the client's plans, or only the first of them."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import LARGEST_ID
from common.errors import BadInput
from common.us_states import STATES
from insurance.api.serializers import PayerOut
from insurance.models import Payer
from insurance.services import provider_search
from insurance.services.plan_order import plans_in_order
from insurance.services.provider_search import Bills, Place, Wanted
from people.api.base import ClientApi
from people.models import Licence, Specialty


class ProviderSearch(serializers.Serializer[Any]):
    """What is looked for. What is not given is the client's own: plans in order, state, a day next week."""

    insurers = serializers.RegexField(
        r"^[0-9]{1,19}(,[0-9]{1,19})*$",
        required=False,
        help_text="Ids from `payers`, the one that pays first in front, e.g. `3,7`.",
    )
    state = serializers.ChoiceField(choices=sorted(STATES), required=False)
    on = serializers.DateField(required=False, help_text="The day of the first session.")
    place = serializers.ChoiceField(choices=[each.value for each in Place], default=Place.ANY.value)
    specialty = serializers.ChoiceField(choices=Specialty.choices, required=False)
    accepting = serializers.BooleanField(default=True, help_text="Only those who take new clients.")
    bills = serializers.ChoiceField(
        choices=[each.value for each in Bills],
        default=Bills.ALL.value,
        help_text="`all`: can bill all insurers; `first`: the first, but not all of them.",
    )
    after = serializers.IntegerField(
        default=0, min_value=0, max_value=LARGEST_ID, help_text="`after` of the page before."
    )


class FoundProvider(serializers.Serializer[Any]):
    """A provider, and whom we would bill for their sessions on that day."""

    id = serializers.IntegerField(source="provider.pk")
    name = serializers.CharField(source="provider.full_name")
    licence = serializers.ChoiceField(choices=Licence.choices, source="provider.licence")
    specialties = serializers.ListField(child=serializers.CharField(), source="provider.specialties")
    accepting = serializers.BooleanField(source="provider.accepting")
    by_video = serializers.BooleanField()
    at_office = serializers.BooleanField()
    city = serializers.CharField(source="provider.city")
    bills = PayerOut(many=True)
    not_billed = PayerOut(many=True)


class FoundProviders(serializers.Serializer[Any]):
    """A page of providers."""

    results = FoundProvider(many=True, source="matches")
    after = serializers.IntegerField(allow_null=True, help_text="Begins the next page; null: this is the last.")


class FindProviders(ClientApi):
    """Providers who can bill the client's plans."""

    @extend_schema(
        operation_id="client_find_providers",
        tags=["Client"],
        summary="Providers who can bill all of my plans on a day to come, or only the first",
        parameters=[ProviderSearch],
        responses=FoundProviders,
    )
    def get(self, request: Request) -> Response:
        given = ProviderSearch(data=request.query_params)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        day = asked.get("on", clock.today() + timedelta(days=7))
        wanted = Wanted(
            payers=self._payers(asked.get("insurers"), day),
            state=asked.get("state", self.client.state),
            on=day,
            place=Place(asked["place"]),
            specialty=asked.get("specialty", ""),
            accepting=asked["accepting"],
        )
        found = provider_search.search(wanted, bills=Bills(asked["bills"]), after=asked["after"])
        return Response(FoundProviders(found).data)

    def _payers(self, ids: str | None, day: date) -> tuple[Payer, ...]:
        if ids is None:
            return tuple(dict.fromkeys(plan.payer for plan in plans_in_order(self.client, on=day)))
        wanted = list(dict.fromkeys(int(each) for each in ids.split(",")))
        known = Payer.objects.in_bulk([each for each in wanted if each <= LARGEST_ID])
        if len(known) < len(wanted):
            raise BadInput(_("There is no such insurer."), "insurers")
        return tuple(known[each] for each in wanted)
