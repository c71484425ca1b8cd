"""Addresses of the client's pages. E-mails link to some of them: they stay as they are."""

from django.urls import path

from portal.client import (
    views_appointments,
    views_benefits,
    views_cards,
    views_confirm,
    views_estimates,
    views_find,
    views_home,
    views_messages,
    views_order,
    views_pay,
    views_payments,
    views_plans,
    views_report,
    views_suggested,
)

app_name = "client"

urlpatterns = [
    path("home/", views_home.home, name="home"),
    path("benefits/", views_benefits.benefits, name="benefits"),
    path("benefits/what-if/", views_benefits.what_if, name="what_if"),
    path("benefits/<int:coverage_id>/check/", views_benefits.check_again, name="check_again"),
    path("benefits/<int:coverage_id>/report/", views_report.report_benefits, name="report_benefits"),
    path("appointments/", views_appointments.upcoming, name="appointments"),
    path("appointments/past/", views_appointments.past, name="past"),
    path("appointments/pay/", views_pay.pay, name="pay"),
    path("appointments/pay/intent/", views_pay.intent, name="pay_intent"),
    path("appointments/<int:session_id>/", views_appointments.session, name="session"),
    path("payments/", views_payments.payments, name="payments"),
    path("payments/return/", views_pay.come_back, name="pay_return"),
    path("payments/<int:payment_id>/", views_payments.payment, name="payment"),
    path("payments/<int:payment_id>/refresh/", views_pay.refresh, name="pay_refresh"),
    path("payments/cards/add/", views_cards.add, name="card_add"),
    path("payments/cards/intent/", views_cards.intent, name="card_intent"),
    path("payments/cards/<int:card_id>/default/", views_cards.choose, name="card_default"),
    path("payments/cards/<int:card_id>/remove/", views_cards.remove, name="card_remove"),
    path("plans/", views_plans.plans, name="plans"),
    path("plans/add/", views_plans.add, name="plan_add"),
    path("plans/order/", views_order.answer, name="order_question"),
    path("plans/<int:coverage_id>/remove/", views_plans.remove, name="plan_remove"),
    path("plans/suggested/<int:suggestion_id>/", views_suggested.confirm, name="suggested"),
    path("plans/suggested/<int:suggestion_id>/dismiss/", views_suggested.dismiss, name="suggested_dismiss"),
    path("plans/pauses/<int:pause_id>/reference/", views_plans.give_reference, name="reference"),
    path("plans/confirm/<int:recertification_id>/", views_confirm.confirm, name="confirm_plans"),
    path("good-faith-estimates/", views_estimates.estimates, name="estimates"),
    path("good-faith-estimates/<int:estimate_id>/", views_estimates.estimate, name="estimate"),
    path("good-faith-estimates/<int:estimate_id>/pdf/", views_estimates.pdf, name="estimate_pdf"),
    path("find/", views_find.providers, name="find"),
    path("messages/", views_messages.support_requests, name="messages"),
]
