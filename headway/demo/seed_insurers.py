"""The demo's eight insurers, each with a plan of another design, and what a member's record at one looks like."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from headway.demo.cast import EVERGREEN, HARBOR, Insurer
from insurance.models import Coverage, Payer
from people.models import Licence

_TIERS: dict[str, str] = {Licence.PHYSICIAN: "1.30", Licence.NURSE: "1.05", Licence.MASTERS: "0.85"}
"""What other licences are paid for the same procedure, measured by the psychologist's rate."""


def _rates(session: int) -> dict[str, str]:
    """Rates by procedure around that of the 53-minute session, in whole dollars."""
    shares = {"90837": "1", "90834": "0.80", "90832": "0.60", "90791": "1.20"}
    return {cpt: f"{round(session * Decimal(share))}.00" for cpt, share in shares.items()}


BLUESTEM = Insurer("BLST1", "Bluestem Health Plan", "800-555-0133", _rates(152), tiers=_TIERS)
SUMMIT = Insurer("SMLN1", "Summit Lane Health", "800-555-0144", _rates(146), tiers=_TIERS)
GRANITE = Insurer(
    "GRPK1", "Granite Peak Benefits", "800-555-0155", _rates(158), method=Payer.SecondaryMethod.LOWER_ALLOWED,
    tiers=_TIERS, recertifies=True,
)  # fmt: skip
CEDAR = Insurer(
    "CDRG1", "Cedar Ridge Insurance", "800-555-0166", _rates(140), method=Payer.SecondaryMethod.NON_DUPLICATION,
    tiers=_TIERS,
)  # fmt: skip
LARKSPUR = Insurer(
    "LKSP1", "Larkspur Community Plan", "800-555-0177", _rates(104), method=Payer.SecondaryMethod.MEDICAID_LESSER,
    filing_code="MC", tiers=_TIERS,
)  # fmt: skip
TIDEWATER = Insurer("TDWT1", "Tidewater Indemnity", "800-555-0188", _rates(130), in_network=False)

INSURERS = (EVERGREEN, HARBOR, BLUESTEM, SUMMIT, GRANITE, CEDAR, LARKSPUR, TIDEWATER)

REMIT_DAYS = {"EVGR1": 5, "HARB1": 6, "BLST1": 11, "SMLN1": 6, "GRPK1": 9, "CDRG1": 6, "LKSP1": 12, "TDWT1": 14}
"""Days each takes to answer a claim while the demo's year is played; afterwards the demo's insurers are quick."""

DESIGNS: dict[str, dict[str, Any]] = {
    # Coinsurance once the deductible is met.
    "EVGR1": {"name": "PPO 500", "deductible": "500.00", "coinsurance": "0.20", "out_of_pocket": "4000.00"},
    # A copay from the first visit on; the deductible is for hospitals and the like.
    "HARB1": {
        "name": "COPAY 25", "deductible": "600.00", "copay": "25.00", "copay_rule": "waives_deductible",
        "out_of_pocket": "3500.00",
    },
    # High deductible, shared by the family.
    "BLST1": {
        "name": "HDHP FAMILY", "deductible": "1700.00", "family_deductible": "3400.00", "coinsurance": "0.10",
        "out_of_pocket": "3400.00", "family_out_of_pocket": "6800.00",
    },
    # A video visit costs less than one in the office.
    "SMLN1": {
        "name": "EPO TELEHEALTH", "deductible": "0.00", "copay": "35.00", "copay_rule": "waives_deductible",
        "telehealth": {"copay": "10.00", "copay_rule": "waives_deductible"}, "out_of_pocket": "3000.00",
    },
    # A copay only once the deductible is met.
    "GRPK1": {
        "name": "PPO 300", "deductible": "300.00", "copay": "30.00", "copay_rule": "after_deductible",
        "out_of_pocket": "2500.00",
    },
    "CDRG1": {"name": "TRADITIONAL", "deductible": "250.00", "coinsurance": "0.20", "out_of_pocket": "3000.00"},
    "LKSP1": {"name": "COMMUNITY", "deductible": "0.00", "copay": "3.00", "copay_rule": "waives_deductible"},
    "TDWT1": {"name": "INDEMNITY", "deductible": "1000.00", "coinsurance": "0.30", "out_of_pocket": "6000.00"},
}  # fmt: skip


@dataclass
class Plan:
    """One plan of one client, in the place where it truly pays.

    ``holder`` is whose plan it is; ``used`` what of it was used before we knew the client; ``facts`` further columns of
    :class:`Coverage`; ``record`` further keys of the insurer's own record of the member.
    """

    insurer: Insurer
    member_id: str
    holder: str = Coverage.Holder.SELF
    holder_name: tuple[str, str] = ("", "")
    holder_born: date | None = None
    used: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def payer_id(self) -> str:
        return self.insurer.payer_id

    def coverage_facts(self) -> dict[str, Any]:
        """What the client tells us of the plan beyond insurer and member id."""
        facts: dict[str, Any] = {"holder_status": Coverage.HolderStatus.ACTIVE, "employer_size": 120, **self.facts}
        if self.holder != Coverage.Holder.SELF:
            first, last = self.holder_name
            facts |= {
                "holder": self.holder,
                "holder_first_name": first,
                "holder_last_name": last,
                "holder_born": self.holder_born,
            }
        return facts

    def member(self, person: dict[str, Any], begins: date, others: list["Plan"]) -> dict[str, Any]:
        """The insurer's record of the client: design, what is used, and the other plans it knows of.

        ``others`` are the client's plans in the order in which they truly pay, this one included.
        """
        document: dict[str, Any] = {
            **person,
            "plan": {**DESIGNS.get(self.payer_id, {}), "begins": begins.isoformat()},
            "used": self.used,
        }
        if self.holder != Coverage.Holder.SELF:
            first, last = self.holder_name
            document["relationship"] = "spouse" if self.holder == Coverage.Holder.SPOUSE else "child"
            document["subscriber"] = {
                "first_name": first,
                "last_name": last,
                "birth_date": (self.holder_born or date(1985, 1, 1)).isoformat(),
            }
        if len(others) > 1:
            document["cob"] = cob(self, others)
        return {**document, **self.record}


RANKS = ("primary", "secondary", "tertiary")


def cob(plan: Plan, in_order: list[Plan]) -> dict[str, Any]:
    """What ``plan``'s insurer has on file of who pays when."""
    return {
        "rank": RANKS[in_order.index(plan)],
        "others": [
            {
                "payer_name": other.insurer.name.upper(),
                "payer_id": other.payer_id,
                "member_id": other.member_id,
                "rank": RANKS[rank],
            }
            for rank, other in enumerate(in_order)
            if other is not plan
        ],
    }
