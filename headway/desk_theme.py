"""How the support desk looks and is ordered: settings of its theme."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAY_LOOK = "common.desk.may_look"


def _tool(model: str, name: str) -> Any:
    """The address of a page about all rows of a model, worked out when it is needed."""
    return reverse_lazy(f"admin:{model}_tool", args=[name])


def _here(link: Any, request: HttpRequest) -> bool:
    """Whether an item is where the person is: a list also with its rows, but not with the tools that have items."""
    address, path = str(link), request.path
    return path == address or (path.startswith(address) and not path[len(address) :].startswith("tool/"))


def _item(label: "str | Promise", link: Any, icon: str) -> dict[str, Any]:
    return {"title": label, "icon": icon, "link": link, "permission": MAY_LOOK, "active": partial(_here, link)}


def _group(title: "str | Promise", *items: tuple["str | Promise", "str | Promise", str]) -> dict[str, Any]:
    """Items: label, the model whose list it leads to or an address of its own, icon."""
    return {
        "title": title,
        "separator": True,
        "items": [
            _item(label, reverse_lazy(f"admin:{to}_changelist") if isinstance(to, str) else to, icon)
            for label, to, icon in items
        ],
    }


def theme(product: str) -> dict[str, Any]:
    """unfold's settings for a product of this name."""
    return {
        "SITE_TITLE": product,
        "SITE_HEADER": f"{product} support",
        "SITE_SYMBOL": "support_agent",
        "SHOW_LANGUAGES": False,
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "DASHBOARD_CALLBACK": "billing.admin.dashboard.fill",
        "STYLES": [lambda request: static("desk/desk.css")],
        "COLORS": {
            "primary": {
                "50": "236 246 241",
                "100": "212 234 224",
                "200": "170 213 195",
                "300": "124 188 163",
                "400": "80 156 129",
                "500": "54 126 102",
                "600": "42 99 80",
                "700": "34 80 65",
                "800": "28 64 52",
                "900": "23 52 43",
                "950": "12 30 24",
            }
        },
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": [
                {
                    "items": [
                        {
                            "title": _("What needs a person"),
                            "icon": "inbox",
                            "link": reverse_lazy("admin:index"),
                            "permission": MAY_LOOK,
                        }
                    ]
                },
                _group(
                    _("People"),
                    (_("Clients"), "people_client", "person"),
                    (_("Providers"), "people_provider", "stethoscope"),
                    (_("Requests"), "people_supportrequest", "contact_support"),
                    (_("Accounts"), "people_user", "badge"),
                ),
                _group(
                    _("Sessions"),
                    (_("Sessions"), "care_session", "event"),
                    (_("Costs"), "billing_sessioncost", "sell"),
                    (_("Caseloads"), "care_carerelationship", "groups"),
                ),
                _group(
                    _("Right prices"),
                    (_("Estimates and answers"), "billing_comparison", "compare_arrows"),
                    (_("Accuracy"), _tool("billing_comparison", "accuracy"), "query_stats"),
                    (_("What would it cost?"), _tool("billing_sessioncost", "whatif"), "calculate"),
                    (_("Stale prices"), "billing_repricing", "update"),
                    (_("Whole insurers"), "billing_recalculation", "autorenew"),
                ),
                _group(
                    _("Plans and benefits"),
                    (_("Plans"), "insurance_coverage", "health_and_safety"),
                    (_("Order of plans"), "insurance_planorder", "format_list_numbered"),
                    (_("Benefit checks"), "insurance_eligibilitycheck", "fact_check"),
                    (_("Asking insurers"), "insurance_payerline", "network_check"),
                    (_("Benefits"), "insurance_benefitsnapshot", "receipt_long"),
                    (_("Pauses"), "insurance_accountpause", "pause_circle"),
                    (_("Yearly confirmations"), "insurance_recertification", "event_repeat"),
                ),
                _group(
                    _("Claims"),
                    (_("Claims"), "insurance_claim", "description"),
                    (_("Remittances"), "insurance_remittance", "account_balance"),
                    (_("Results"), "insurance_adjudication", "gavel"),
                    (_("X12 files"), "insurance_edifile", "data_object"),
                    (_("Money to be placed"), _tool("insurance_provideradjustment", "suspense"), "move_to_inbox"),
                ),
                _group(
                    _("Money"),
                    (_("Payments"), "billing_payment", "credit_card"),
                    (_("Refunds"), "billing_refund", "undo"),
                    (_("Earnings"), "billing_providerearning", "payments"),
                    (_("Payout runs"), "billing_payoutrun", "send_money"),
                    (_("Payouts"), "billing_providerpayout", "outbound"),
                    (_("Changes of earnings"), "billing_earningadjustment", "edit_note"),
                    (_("Bank accounts"), "billing_providerbankaccount", "account_balance"),
                    (_("Payment plans"), "billing_paymentplan", "calendar_month"),
                    (_("Autopay"), "billing_autopay", "autorenew"),
                    (_("Cards"), "billing_paymentcard", "wallet"),
                    (_("Consents"), "billing_cardconsent", "verified_user"),
                    (_("Write-offs"), "billing_writeoff", "money_off"),
                    (_("What clients owe"), _tool("people_client", "aging"), "hourglass_bottom"),
                    (_("What insurers owe"), _tool("insurance_claim", "aging"), "hourglass_top"),
                ),
                _group(
                    _("Stripe"),
                    (_("Disputes"), "billing_dispute", "gavel"),
                    (_("Fraud warnings"), "billing_fraudwarning", "warning"),
                    (_("Differences with Stripe"), "billing_reconciliationcase", "difference"),
                    (_("Nightly comparisons"), "billing_reconciliation", "balance"),
                    (_("Stripe's movements"), "billing_balancetransaction", "swap_vert"),
                    (_("Payouts from Stripe"), "billing_stripepayout", "account_balance_wallet"),
                    (_("Stripe's news"), "billing_stripeevent", "webhook"),
                ),
                _group(
                    _("Books"),
                    (_("Accounts"), "ledger_account", "menu_book"),
                    (_("Entries"), "ledger_entry", "article"),
                    (_("Lines"), "ledger_line", "notes"),
                ),
                _group(
                    _("Records"),
                    (_("E-mails"), "notifications_email", "mail"),
                    (_("Who looked"), "people_accessevent", "visibility"),
                    (_("What support did"), "admin_logentry", "history"),
                ),
                _group(
                    _("Insurers"),
                    (_("Insurers"), "insurance_payer", "domain"),
                    (_("Contracts"), "insurance_networkcontract", "handshake"),
                    (_("Rates"), "insurance_feeschedule", "price_change"),
                    (_("Credentials"), "insurance_credential", "workspace_premium"),
                    (_("Standard charges"), "care_standardcharge", "request_quote"),
                ),
            ],
        },
    }
