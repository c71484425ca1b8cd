"""How the support desk looks and is ordered: settings of its theme."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAY_LOOK = "common.desk.may_look"


def _group(title: "str | Promise", *items: tuple["str | Promise", str, str]) -> dict[str, Any]:
    return {
        "title": title,
        "separator": True,
        "items": [
            {
                "title": label,
                "icon": icon,
                "link": reverse_lazy(f"admin:{model}_changelist"),
                "permission": MAY_LOOK,
            }
            for label, model, icon in items
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
                    _("Plans and benefits"),
                    (_("Plans"), "insurance_coverage", "health_and_safety"),
                    (_("Order of plans"), "insurance_planorder", "format_list_numbered"),
                    (_("Benefit checks"), "insurance_eligibilitycheck", "fact_check"),
                    (_("Asking insurers"), "insurance_payerline", "network_check"),
                    (_("Benefits"), "insurance_benefitsnapshot", "receipt_long"),
                    (_("Pauses"), "insurance_accountpause", "pause_circle"),
                ),
                _group(
                    _("Claims"),
                    (_("Claims"), "insurance_claim", "description"),
                    (_("Remittances"), "insurance_remittance", "account_balance"),
                    (_("Results"), "insurance_adjudication", "gavel"),
                    (_("X12 files"), "insurance_edifile", "data_object"),
                ),
                _group(
                    _("Money"),
                    (_("Payments"), "billing_payment", "credit_card"),
                    (_("Refunds"), "billing_refund", "undo"),
                    (_("Earnings"), "billing_providerearning", "payments"),
                    (_("Cards"), "billing_paymentcard", "wallet"),
                    (_("Consents"), "billing_cardconsent", "verified_user"),
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
