"""What-if scenarios read from JSON, in the shapes that ``CONTRACTS`` fixes for ``manage.py whatif``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.domain.pricing import CopayRule, PlannedSession, PlanTerms
from common.errors import BadInput
from common.money import ZERO
from common.strict_json import Fault, Object, Place, parse
from insurance.domain.coordination import NOT_BOUND, Method
from insurance.domain.plan_order import (
    ClientFacts,
    Custody,
    Decree,
    FamilyFacts,
    Holder,
    HolderStatus,
    MedicareReason,
    Parents,
    PlanFacts,
    PlanType,
)


class Kind(StrEnum):
    PRICE = "price"
    COORDINATE = "coordinate"
    ORDER = "order"


class Network(StrEnum):
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class PriceScenario:
    """What each session costs the client under one plan."""

    id: str
    terms: PlanTerms
    sessions: tuple[PlannedSession, ...]


@dataclass(frozen=True, slots=True)
class PlanShare:
    """What one plan allows, and how its payment is known: as given, or priced from its terms."""

    allowed: Decimal
    payment: Decimal | None
    terms: PlanTerms | None


@dataclass(frozen=True, slots=True)
class CoordinateScenario:
    """Two plans on one session."""

    id: str
    charge: Decimal | None
    primary: PlanShare
    charge_limit: Decimal | None
    secondary: PlanShare
    method: Method
    fee_schedule: Decimal | None
    in_network: bool | None


@dataclass(frozen=True, slots=True)
class OrderScenario:
    """Which plan pays first."""

    id: str
    on: date | None
    client: ClientFacts
    family: FamilyFacts
    plans: tuple[PlanFacts, ...]


Scenario = PriceScenario | CoordinateScenario | OrderScenario


class BadScenarios(BadInput):
    """The input cannot be answered; ``faults`` names everything wrong in it, in the order it stands there."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults[0].message, self.faults[0].where)


@dataclass(frozen=True, slots=True)
class Scenarios:
    """All scenarios of an input; ``as_list`` tells a list of one from one alone."""

    scenarios: tuple[Scenario, ...]
    as_list: bool


def read_scenarios(data: bytes) -> Scenarios:
    """Scenarios from JSON text: one object or a list of them. Raises ``BadScenarios``."""
    try:
        value = parse(data)
    except BadInput as error:
        raise BadScenarios([Fault(error.where, str(error))]) from None
    faults: list[Fault] = []
    top = Place(value, "", faults)
    scenarios = tuple(_scenario(place) for place in (top.items() if top.is_list else [top]))
    if faults:
        raise BadScenarios(faults)
    return Scenarios(tuple(scenario for scenario in scenarios if scenario is not None), top.is_list)


_KEYS = {
    Kind.PRICE: {"id", "kind", "plan", "sessions"},
    Kind.COORDINATE: {"id", "kind", "charge", "primary", "secondary"},
    Kind.ORDER: {"id", "kind", "on", "client", "family", "plans"},
}


def _scenario(place: Place) -> Scenario | None:
    if place.absent:
        place.fault("expected a scenario, not null")
        return None
    kind = Place(place.peek("kind"), "", []).choice(Kind)
    if kind is None:
        place.object({key for keys in _KEYS.values() for key in keys}).get("kind").required().choice(Kind)
        return None
    members = place.object(_KEYS[kind])
    scenario_id = members.get("id").required().text() or ""
    if kind == Kind.PRICE:
        return _price(members, scenario_id)
    if kind == Kind.COORDINATE:
        return _coordinate(members, scenario_id)
    return _order(members, scenario_id)


def _price(members: Object, scenario_id: str) -> PriceScenario:
    terms = _terms(members.get("plan").required())
    sessions = tuple(_session(place) for place in members.get("sessions").required().items())
    return PriceScenario(scenario_id, terms, sessions)


def _terms(place: Place) -> PlanTerms:
    plan = place.object(
        {
            "network",
            "deductible_remaining",
            "family_deductible_remaining",
            "out_of_pocket_remaining",
            "family_out_of_pocket_remaining",
            "copay",
            "copay_rule",
            "coinsurance",
            "visits_remaining",
        }
    )
    network = plan.get("network").choice(Network)
    return PlanTerms(
        network=None if network is None else network.value,
        deductible_remaining=plan.get("deductible_remaining").money(),
        family_deductible_remaining=plan.get("family_deductible_remaining").money(),
        out_of_pocket_remaining=plan.get("out_of_pocket_remaining").money(),
        family_out_of_pocket_remaining=plan.get("family_out_of_pocket_remaining").money(),
        copay=plan.get("copay").money(),
        copay_rule=plan.get("copay_rule").choice(CopayRule),
        coinsurance=plan.get("coinsurance").share(),
        visits_remaining=plan.get("visits_remaining").whole(),
    )


def _session(place: Place) -> PlannedSession:
    session = place.required().object({"date", "allowed"})
    return PlannedSession(
        date=session.get("date").required().date() or date.min,
        allowed=session.get("allowed").required().money() or ZERO,
    )


def _coordinate(members: Object, scenario_id: str) -> CoordinateScenario:
    primary = members.get("primary").required().object({"allowed", "paid", "plan", "charge_limit"})
    secondary = (
        members.get("secondary")
        .required()
        .object({"allowed", "pays_alone", "plan", "method", "fee_schedule", "in_network"})
    )
    method = secondary.get("method").required().choice(Method)
    limit = primary.get("charge_limit")
    return CoordinateScenario(
        id=scenario_id,
        charge=members.get("charge").money(),
        primary=_plan_share(primary, "paid", required=True),
        # Left out: the provider has agreed to no limit. Null: there is one, and it is not known.
        charge_limit=NOT_BOUND if limit.missing else limit.money(),
        secondary=_plan_share(secondary, "pays_alone", required=method is not None and not method.is_medicaid),
        method=method or Method.STANDARD,
        fee_schedule=secondary.get("fee_schedule").money(),
        in_network=secondary.get("in_network").flag(),
    )


def _plan_share(plan: Object, payment: str, *, required: bool) -> PlanShare:
    allowed = plan.get("allowed").required().money() or ZERO
    given, terms = plan.get(payment), plan.get("plan")
    if required and given.absent and terms.absent and not plan.broken:
        given.fault(f"this is required, or a plan to price it from: give {payment} or plan")
    return PlanShare(allowed, given.money(), None if terms.absent else _terms(terms))


def _order(members: Object, scenario_id: str) -> OrderScenario:
    client = members.get("client").object({"born", "medicare_because", "esrd_months"})
    family = members.get("family").object({"parents", "decree", "custodial_parent"})
    plans = members.get("plans").required()
    return OrderScenario(
        id=scenario_id,
        on=members.get("on").date(),
        client=ClientFacts(
            born=client.get("born").date(),
            medicare_because=client.get("medicare_because").choice(MedicareReason),
            esrd_months=client.get("esrd_months").whole(),
        ),
        family=FamilyFacts(
            parents=family.get("parents").choice(Parents),
            decree=family.get("decree").choice(Decree),
            custodial_parent=family.get("custodial_parent").choice(Custody),
        ),
        plans=_plans(plans),
    )


def _plans(place: Place) -> tuple[PlanFacts, ...]:
    items = place.items()
    if place.is_list and not items:
        place.fault("give at least one plan")
    plans: list[PlanFacts] = []
    for item in items:
        members = item.required().object(
            {
                "id",
                "type",
                "holder",
                "holder_born",
                "holder_status",
                "employer_size",
                "multi_employer",
                "since",
                "coordinates",
            }
        )
        plan_id = members.get("id").required().text() or ""
        if plan_id and any(plan.id == plan_id for plan in plans):
            members.get("id").fault(f"another plan has the id {plan_id!r} too")
        plans.append(
            PlanFacts(
                id=plan_id,
                type=members.get("type").choice(PlanType),
                holder=members.get("holder").choice(Holder),
                holder_born=members.get("holder_born").date(),
                holder_status=members.get("holder_status").choice(HolderStatus),
                employer_size=members.get("employer_size").whole(),
                multi_employer=members.get("multi_employer").flag(),
                since=members.get("since").date(),
                coordinates=members.get("coordinates").flag(),
            )
        )
    return tuple(plans)
