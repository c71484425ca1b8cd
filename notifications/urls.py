"""Addresses of the e-mail previews."""

from django.urls import path

from notifications import views

app_name = "notifications"

urlpatterns = [
    path("emails/", views.previews, name="previews"),
    path("emails/<slug:kind>/", views.preview_html, name="preview_html"),
]
