"""Asking support for help."""

from django.utils.translation import gettext as _

from common.errors import BadInput
from people.models import Client, SupportRequest, User


def ask_support(
    *, author: User, category: str, body: str, client: Client | None = None, reference: str = ""
) -> SupportRequest:
    """Open a request. ``reference`` names what it is about (``refund 12``). Raises ``BadInput`` for an empty one."""
    if not body.strip():
        raise BadInput(_("Please write what you need help with."), "body")
    if category not in SupportRequest.Category.values:
        raise BadInput(_("Please choose what it is about."), "category")
    return SupportRequest.objects.create(
        author=author, client=client, category=category, reference=reference[:40], body=body.strip()
    )
