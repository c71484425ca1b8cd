from insurance.models.claim import Claim, ClaimEvent
from insurance.models.cob import CobFacts, Recertification, SuggestedCoverage
from insurance.models.coverage import Coverage
from insurance.models.edi_file import EdiFile
from insurance.models.eligibility import BenefitSnapshot, EligibilityCheck
from insurance.models.network import Credential, FeeSchedule, NetworkContract
from insurance.models.pause import AccountPause
from insurance.models.payer import Payer, PayerLine
from insurance.models.plan_order import PlanOrder, PlanRank
from insurance.models.remittance import (
    Adjudication,
    Adjustment,
    LineAdjudication,
    ProviderAdjustment,
    Remittance,
)

__all__ = [
    "AccountPause",
    "Adjudication",
    "Adjustment",
    "BenefitSnapshot",
    "Claim",
    "ClaimEvent",
    "CobFacts",
    "Coverage",
    "Credential",
    "EdiFile",
    "EligibilityCheck",
    "FeeSchedule",
    "LineAdjudication",
    "NetworkContract",
    "Payer",
    "PayerLine",
    "PlanOrder",
    "PlanRank",
    "ProviderAdjustment",
    "Recertification",
    "Remittance",
    "SuggestedCoverage",
]
