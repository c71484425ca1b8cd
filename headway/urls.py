"""Addresses, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from headway.health import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("previews/", include("notifications.urls")),
    path("", include("portal.urls")),
]
