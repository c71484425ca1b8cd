"""Addresses of the pages. ``client/`` and ``provider/`` keep their own lists."""

from django.urls import path

from portal import views

app_name = "portal"

urlpatterns = [
    path("", views.front_door, name="front_door"),
    path("theme/", views.choose_theme, name="theme"),
    path("styleguide/", views.living_styleguide, name="styleguide"),
]
