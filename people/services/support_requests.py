"""Asking support for help, and support's answer."""

from django.utils.translation import gettext as _

from common import clock
from common.errors import BadInput
from common.states import move
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


def answer(request: SupportRequest, *, text: str, by: User) -> SupportRequest:
    """Answer a request, or anew. Raises ``BadInput`` for an empty answer, ``IllegalTransition`` when it is closed."""
    if not text.strip():
        raise BadInput(_("Please write an answer."), "answer")
    given: dict[str, object] = {"answer": text.strip()[:4000], "answered_at": clock.now(), "owner": by}
    if not move(request, SupportRequest.STATES, SupportRequest.State.ANSWERED, **given):
        SupportRequest.objects.filter(pk=request.pk).update(**given)
        request.refresh_from_db()
    return request


def close(request: SupportRequest, *, by: User) -> SupportRequest:
    """Nothing more is to be done about a request. Closing it again changes nothing."""
    move(request, SupportRequest.STATES, SupportRequest.State.CLOSED, owner=by)
    return request
