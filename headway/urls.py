"""Addresses, by app."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from billing.webhooks import stripe_webhook
from headway.health import healthz

# Staff sign in where everyone does: with the second factor and the rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("headway.api_urls")),
    path("healthz", healthz, name="healthz"),
    path("previews/", include("notifications.urls")),
    path("webhooks/stripe/", stripe_webhook, name="stripe_webhook"),
    path("", include("portal.urls")),
]

# Whatever goes wrong under /api/ is told as a problem too.
handler404 = "headway.problems.not_found"
handler500 = "headway.problems.server_error"
