"""Addresses of the pages. ``client/`` and ``provider/`` keep their own lists."""

from django.urls import include, path

from portal import views

app_name = "portal"

urlpatterns = [
    path("", views.front_door, name="front_door"),
    path("theme/", views.choose_theme, name="theme"),
    path("provider/", include("portal.provider.urls")),
    path("styleguide/", views.living_styleguide, name="styleguide"),
    path("", include("portal.client.urls")),
]
