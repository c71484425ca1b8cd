"""Addresses of the provider's pages."""

from django.urls import path

from portal.provider import money, payouts, plans, sessions, views

app_name = "provider"

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("clients/<int:client_id>/", views.client, name="client"),
    path("plans/<int:coverage_id>/check/", plans.check_again, name="check_again"),
    path("plans/<int:coverage_id>/report/", plans.report_benefits, name="report_benefits"),
    path("sessions/", sessions.index, name="sessions"),
    path("sessions/new/", sessions.schedule, name="schedule"),
    path("sessions/<int:session_id>/", sessions.detail, name="session"),
    path("sessions/<int:session_id>/confirm/", sessions.confirm_one, name="confirm"),
    path("sessions/<int:session_id>/cancel/", sessions.cancel_one, name="cancel"),
    path("claims/", money.claims, name="claims"),
    path("earnings/", money.earnings, name="earnings"),
    path("earnings/payouts/<int:payout_id>/", payouts.statement, name="payout"),
    path("earnings/payouts/<int:payout_id>/pdf/", payouts.pdf, name="payout_pdf"),
    path("earnings/payouts/<int:payout_id>/csv/", payouts.csv, name="payout_csv"),
    path("earnings/bank-account/", payouts.bank_account, name="bank_account"),
    path("earnings/bank-account/change/", payouts.change_account, name="change_account"),
]
