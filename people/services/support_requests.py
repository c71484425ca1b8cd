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


def add(request: SupportRequest, *, text: str) -> SupportRequest:
    """Add to a request what its author has to say besides; the same words again change nothing.

    Raises ``BadInput`` when it grows longer than a request may be.
    """
    longest = SupportRequest._meta.get_field("body").max_length or 0
    body = request.body if text.strip() in request.body else f"{request.body}\n\n{text.strip()}"
    if len(body) > longest:
        raise BadInput(_("Support has a long text from you about this already, and will answer soon."), "text")
    request.body = body
    request.save(update_fields=["body"])
    return request


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
