from care.models.care_relationship import CareRelationship
from care.models.session import ProcedureLine, Session, StandardCharge

__all__ = ["CareRelationship", "ProcedureLine", "Session", "StandardCharge"]
