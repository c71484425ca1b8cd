"""Addresses of the API, by who may use them. Everyone else finds nothing there."""

from django.urls import include, path

from billing.api import (
    automatic,
    coordination,
    good_faith_estimates,
    papers,
    payments,
    plans,
    provider,
    sessions,
    support,
)
from headway import api_docs
from insurance.api import views as insurance
from insurance.api.providers import FindProviders
from people.api import views as people

app_name = "api"

client = [
    path("plans/", plans.ClientPlans.as_view(), name="client_plans"),
    path("plans/<int:coverage_id>/", plans.ClientPlan.as_view(), name="client_plan"),
    path("plans/<int:coverage_id>/refresh/", plans.RefreshPlan.as_view(), name="client_refresh_plan"),
    path("plans/<int:coverage_id>/report/", plans.ReportPlan.as_view(), name="client_report_plan"),
    path("plans/order/", coordination.ClientPlanOrder.as_view(), name="client_plan_order"),
    path("suggested-plans/", coordination.SuggestedPlans.as_view(), name="client_suggested_plans"),
    path(
        "suggested-plans/<int:suggestion_id>/confirmation/",
        coordination.ConfirmSuggestedPlan.as_view(),
        name="client_confirm_suggested_plan",
    ),
    path(
        "suggested-plans/<int:suggestion_id>/dismissal/",
        coordination.DismissSuggestedPlan.as_view(),
        name="client_dismiss_suggested_plan",
    ),
    path("recertifications/", coordination.ClientRecertifications.as_view(), name="client_recertifications"),
    path(
        "recertifications/<int:recertification_id>/reference/",
        coordination.ReportYearlyCall.as_view(),
        name="client_report_yearly_call",
    ),
    path("benefits/", insurance.ClientBenefits.as_view(), name="client_benefits"),
    path("providers/", FindProviders.as_view(), name="client_find_providers"),
    path("pauses/", insurance.ClientPauses.as_view(), name="client_pauses"),
    path("pauses/<int:pause_id>/", insurance.ClientPauseStory.as_view(), name="client_pause"),
    path("pauses/<int:pause_id>/reference/", plans.GiveReference.as_view(), name="client_reference"),
    path("good-faith-estimates/", good_faith_estimates.ClientEstimates.as_view(), name="client_estimates"),
    path(
        "good-faith-estimates/<int:estimate_id>/", good_faith_estimates.ClientEstimate.as_view(), name="client_estimate"
    ),
    path(
        "good-faith-estimates/<int:estimate_id>/pdf/",
        good_faith_estimates.ClientEstimateFile.as_view(),
        name="client_estimate_pdf",
    ),
    path("sessions/", sessions.ClientSessions.as_view(), name="client_sessions"),
    path("sessions/<int:session_id>/", sessions.ClientSession.as_view(), name="client_session"),
    path("balance/", payments.ClientBalance.as_view(), name="client_balance"),
    path("cards/", payments.ClientCards.as_view(), name="client_cards"),
    path("payments/", payments.ClientPayments.as_view(), name="client_payments"),
    path("payments/<int:payment_id>/", payments.ClientPayment.as_view(), name="client_payment"),
    path("payments/<int:payment_id>/refresh/", payments.RefreshPayment.as_view(), name="client_refresh_payment"),
    path("payments/<int:payment_id>/receipt/", papers.ClientReceipt.as_view(), name="client_receipt"),
    path("payments/<int:payment_id>/receipt/pdf/", papers.ClientReceiptFile.as_view(), name="client_receipt_pdf"),
    path("statements/", papers.ClientStatements.as_view(), name="client_statements"),
    path("statements/<int:statement_id>/", papers.ClientStatement.as_view(), name="client_statement"),
    path("statements/<int:statement_id>/pdf/", papers.ClientStatementFile.as_view(), name="client_statement_pdf"),
    path("superbill/", papers.ClientSuperbill.as_view(), name="client_superbill"),
    path("superbill/pdf/", papers.ClientSuperbillFile.as_view(), name="client_superbill_pdf"),
    path("payment-plans/", automatic.ClientPaymentPlans.as_view(), name="client_payment_plans"),
    path("payment-plans/offer/", automatic.ClientPlanOffer.as_view(), name="client_payment_plan_offer"),
    path("payment-plans/<int:plan_id>/end/", automatic.EndPaymentPlan.as_view(), name="client_end_payment_plan"),
    path("autopay/", automatic.ClientAutopay.as_view(), name="client_autopay"),
    path("autopay/charges/<int:notice_id>/", automatic.StopCharge.as_view(), name="client_stop_autopay_charge"),
    path("refunds/", payments.ClientRefunds.as_view(), name="client_refunds"),
    path("support-requests/", people.ClientSupportRequests.as_view(), name="client_support_requests"),
]
provider_ = [
    path("clients/", provider.ProviderClients.as_view(), name="provider_clients"),
    path("clients/<int:client_id>/", provider.ProviderClient.as_view(), name="provider_client"),
    path("plans/<int:coverage_id>/refresh/", plans.RefreshClientsPlan.as_view(), name="provider_refresh_plan"),
    path("plans/<int:coverage_id>/report/", plans.ReportClientsPlan.as_view(), name="provider_report_plan"),
    path("sessions/", provider.ProviderSessions.as_view(), name="provider_sessions"),
    path("sessions/<int:session_id>/", provider.ProviderSession.as_view(), name="provider_session"),
    path("sessions/<int:session_id>/confirmation/", provider.Confirmation.as_view(), name="provider_confirmation"),
    path("sessions/<int:session_id>/cancellation/", provider.Cancellation.as_view(), name="provider_cancellation"),
    path("earnings/", provider.ProviderEarnings.as_view(), name="provider_earnings"),
    path("payouts/", provider.ProviderPayouts.as_view(), name="provider_payouts"),
    path("payouts/<int:payout_id>/", provider.ProviderPayout.as_view(), name="provider_payout"),
]
support_ = [
    path("clients/", support.SupportClients.as_view(), name="support_clients"),
    path("clients/<int:client_id>/", support.SupportClient.as_view(), name="support_client"),
    path("claims/", insurance.SupportClaims.as_view(), name="support_claims"),
    path("claims/<int:claim_id>/", insurance.SupportClaimStory.as_view(), name="support_claim"),
    path("files/", insurance.SupportFiles.as_view(), name="support_files"),
    path("pauses/", insurance.SupportPauses.as_view(), name="support_pauses"),
]

urlpatterns = [
    path("schema/", api_docs.schema, name="schema"),
    path("docs/", api_docs.docs, name="docs"),
    path("me/", people.Me.as_view(), name="me"),
    path("payers/", insurance.Payers.as_view(), name="payers"),
    path("client/", include(client)),
    path("provider/", include(provider_)),
    path("support/", include(support_)),
]
