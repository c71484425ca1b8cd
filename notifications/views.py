"""Every kind of e-mail with sample values, for whoever writes or checks them. No real e-mail is shown here."""

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
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
    """The catalogue: subject, inbox line, HTML in a frame and text of every kind, in each way in which it reads."""
    _makers_only(request)
    letters = []
    for name, sample in ((name, sample) for message in CATALOGUE for name, sample in message.samples().items()):
        context = sample.context()
        alone = reverse("notifications:preview_html", args=[sample.kind])
        letters.append(
            {
                "id": f"{sample.kind}-{name}" if name else sample.kind,
                "sample": name,
                "alone": f"{alone}?sample={name}" if name else alone,
                "subject": context["subject"],
                "inbox": context["preview"],
                "text": render_to_string(f"{sample.template}.txt", context),
            }
        )
    return render(request, "email/previews.html", {"letters": letters})


@require_safe
@xframe_options_sameorigin
# An e-mail's styles are written on its elements, and it runs and loads nothing.
@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "frame-ancestors": ["'self'"]})  # type: ignore[arg-type]
def preview_html(request: HttpRequest, kind: str) -> HttpResponse:
    """The HTML of one kind, alone; ``?sample=`` names another way in which it reads."""
    _makers_only(request)
    samples = next((message.samples() for message in CATALOGUE if message.kind == kind), {})
    sample = samples.get(request.GET.get("sample", ""))
    if sample is None:
        raise Http404
    return HttpResponse(render_to_string(f"{sample.template}.html", sample.context()))
