"""Pages that belong to no role: the front door, the theme, the design system's living page."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from portal import navigation, styleguide
from portal.templatetags.headway_ui import THEMES

YEAR = 60 * 60 * 24 * 365


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:
    """The first page of a signed-in person's role; for a visitor, what this is and how to come in."""
    user = request.user
    if isinstance(user, AnonymousUser):
        return render(request, "portal/welcome.html")
    first = next(navigation.places(user.role, request.path), None)
    return redirect(first.url) if first else render(request, "portal/welcome.html")


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's choice in a cookie, and go back to the page it was chosen on."""
    back = request.META.get("HTTP_REFERER", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    answer = redirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return answer


@require_safe
def living_styleguide(request: HttpRequest) -> HttpResponse:
    """Every component with sample values; shown in development and the demo only."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "portal/styleguide.html", styleguide.samples())
