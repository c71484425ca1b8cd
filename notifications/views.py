"""Every kind of e-mail with sample values, for whoever writes or checks them. No real e-mail is shown here."""

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from notifications.messages import CATALOGUE


def _makers_only(request: HttpRequest) -> None:
    """In development and the demo anybody may look, elsewhere staff; for others the page does not exist."""
    if not (settings.DEBUG or settings.DEMO or getattr(request.user, "is_staff", False)):
        raise Http404


@require_safe
@csp_update({"frame-src": ["'self'"]})
def previews(request: HttpRequest) -> HttpResponse:
    """The catalogue: subject, inbox line, HTML in a frame and text of every kind."""
    _makers_only(request)
    letters = []
    for message in CATALOGUE:
        sample = message.sample()
        context = sample.context()
        text = render_to_string(f"{sample.template}.txt", context)
        letters.append({"kind": sample.kind, "subject": context["subject"], "inbox": context["preview"], "text": text})
    return render(request, "email/previews.html", {"letters": letters})


@require_safe
@xframe_options_sameorigin
# An e-mail's styles are written on its elements, and it runs and loads nothing.
@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "frame-ancestors": ["'self'"]})  # type: ignore[arg-type]
def preview_html(request: HttpRequest, kind: str) -> HttpResponse:
    """The HTML of one kind, alone."""
    _makers_only(request)
    sample = next((message.sample() for message in CATALOGUE if message.kind == kind), None)
    if sample is None:
        raise Http404
    return HttpResponse(render_to_string(f"{sample.template}.html", sample.context()))
