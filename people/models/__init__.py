from people.models.access_event import AccessEvent
from people.models.client import Client
from people.models.idempotent_request import IdempotentRequest
from people.models.provider import Licence, Provider, Specialty
from people.models.support_request import SupportRequest
from people.models.user import Role, User

__all__ = [
    "AccessEvent",
    "Client",
    "IdempotentRequest",
    "Licence",
    "Provider",
    "Role",
    "Specialty",
    "SupportRequest",
    "User",
]
