"""Django's settings, all from environment variables (`.env.example` lists them) or their defaults.

HEADWAY_MODE=demo, the default, runs everything on one machine with made-up secrets and stand-ins for the world, and
answers to localhost only. HEADWAY_MODE=production requires every secret and address to be given.
"""

import os
from pathlib import Path
from typing import Any

import django_stubs_ext
import structlog
from celery.schedules import schedule
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from headway import datafolder, desk_theme, embedded, logs
from headway import environment as read

# Lets Django's generic classes be written with their row type: `ModelAdmin[Claim]`.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = datafolder.find()

# --- What the environment says ------------------------------------------------------------------------------

env = read.Environment(BASE_DIR / os.environ.get("HEADWAY_ENV_FILE", ".env"))
DEMO = env.demo
HTTP = read.url("http", "https")

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.needed("SECRET_KEY", demo=datafolder.secret(DATA_DIR, "django"), check=read.long_enough)
SALT_KEY = env.needed("SALT_KEY", demo=datafolder.secret(DATA_DIR, "columns"), check=read.long_enough)

WEB_PORT = env.port("HEADWAY_WEB_PORT", default=8000)
CLEARINGHOUSE_PORT = env.port("HEADWAY_CLEARINGHOUSE_PORT", default=8010)
STRIPE_PORT = env.port("HEADWAY_STRIPE_PORT", default=8020)
SMTP_PORT = env.port("HEADWAY_SMTP_PORT", default=8025)
MAILBOX_PORT = env.port("HEADWAY_MAILBOX_PORT", default=8026)

PUBLIC_URL = env.needed("PUBLIC_URL", demo=f"http://localhost:{WEB_PORT}", check=HTTP).rstrip("/")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", demo=["localhost", "127.0.0.1", "[::1]"])
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", default=0)

DATABASE_URL = env.needed("DATABASE_URL", demo="", check=read.url("postgres", "postgresql"))
REDIS_URL = env.needed("REDIS_URL", demo="", check=read.url("redis", "rediss", "unix"))
TEST_DB_NAME = env.text("TEST_DB_NAME", default="test_headway")
DB_CONN_MAX_AGE = env.whole("DB_CONN_MAX_AGE", default=60)
DB_LOCK_TIMEOUT_MS = env.whole("DB_LOCK_TIMEOUT_MS", default=5_000)
DB_STATEMENT_TIMEOUT_MS = env.whole("DB_STATEMENT_TIMEOUT_MS", default=30_000)

SUPPORT_EMAIL = env.needed("SUPPORT_EMAIL", demo="support@headway.example")
SUPPORT_PHONE = env.text("SUPPORT_PHONE", default="(646) 555-0100")
DEFAULT_FROM_EMAIL = env.needed("DEFAULT_FROM_EMAIL", demo="Headway <billing@headway.example>")
EMAIL_HOST = env.needed("EMAIL_HOST", demo="127.0.0.1")
EMAIL_PORT = env.port("EMAIL_PORT", default=SMTP_PORT if DEMO else 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not DEMO)
EMAIL_TIMEOUT = env.whole("EMAIL_TIMEOUT", default=20, least=1)
EMAIL_BACKEND = env.text("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")

CLEARINGHOUSE_URL = env.needed("CLEARINGHOUSE_URL", demo=f"http://127.0.0.1:{CLEARINGHOUSE_PORT}", check=HTTP)
CLEARINGHOUSE_USER = env.needed("CLEARINGHOUSE_USER", demo="headway")
CLEARINGHOUSE_PASSWORD = env.needed("CLEARINGHOUSE_PASSWORD", demo="headway-demo")
CLEARINGHOUSE_SENDER_ID = env.needed("CLEARINGHOUSE_SENDER_ID", demo="HEADWAY")
CLEARINGHOUSE_RECEIVER_ID = env.needed("CLEARINGHOUSE_RECEIVER_ID", demo="SANDBOX")

# In the demo, without a key for the real Stripe, everything about Stripe points to the stand-in.
STRIPE_STAND_IN = DEMO and not env.given("STRIPE_SECRET_KEY")
_stripe_here = f"http://127.0.0.1:{STRIPE_PORT}"
STRIPE_SECRET_KEY = env.needed("STRIPE_SECRET_KEY", demo="sk_test_headway")
STRIPE_PUBLISHABLE_KEY = env.needed("STRIPE_PUBLISHABLE_KEY", demo="pk_test_headway")
STRIPE_WEBHOOK_SECRET = env.needed("STRIPE_WEBHOOK_SECRET", demo="whsec_headway")
STRIPE_API_BASE = env.text(
    "STRIPE_API_BASE", default=_stripe_here if STRIPE_STAND_IN else "https://api.stripe.com", check=HTTP
)
STRIPE_JS_URL = env.text(
    "STRIPE_JS_URL",
    default=f"{_stripe_here}/js.stripe.com/v3/" if STRIPE_STAND_IN else "https://js.stripe.com/v3/",
    check=HTTP,
)

ORG_NAME = env.needed("ORG_NAME", demo="Headway Therapy Group")
ORG_NPI = env.needed("ORG_NPI", demo="1234567893", check=read.npi)
ORG_TAX_ID = env.needed("ORG_TAX_ID", demo="131234567", check=read.digits(9))
ORG_TAXONOMY = env.needed("ORG_TAXONOMY", demo="261QM0801X")
ORG_ADDRESS_LINE = env.needed("ORG_ADDRESS_LINE", demo="205 Hudson Street")
ORG_CITY = env.needed("ORG_CITY", demo="New York")
ORG_STATE = env.needed("ORG_STATE", demo="NY", check=read.state_code)
ORG_ZIP = env.needed("ORG_ZIP", demo="100131800", check=read.digits(9))
ORG_PHONE = env.needed("ORG_PHONE", demo="6465550100", check=read.digits(10))

# The bank from which providers are paid, and what it calls us: as a rule "1" and the taxpayer ID (docs/payouts.md).
ACH_BANK_NAME = env.needed("ACH_BANK_NAME", demo="Hudson Valley Bank")
ACH_ROUTING_NUMBER = env.needed("ACH_ROUTING_NUMBER", demo="123456780", check=read.routing_number)
ACH_COMPANY_ID = env.text("ACH_COMPANY_ID", default=f"1{ORG_TAX_ID}", check=read.ten_characters)

SECOND_FACTOR_REQUIRED = env.flag("SECOND_FACTOR_REQUIRED", default=not DEMO)
UNVERIFIED_PRICE = env.text("UNVERIFIED_PRICE", default="full_rate", check=read.one_of("full_rate", "last_known"))
SWEEP_SECONDS = env.whole("SWEEP_SECONDS", default=10 if DEMO else 60, least=1)
# When we ask insurers by ourselves: days before a session, and days after the last answer (docs/asking.md).
CHECK_DAYS_BEFORE_SESSION = env.wholes("CHECK_DAYS_BEFORE_SESSION", default=[3], most=60)
CHECK_EVERY_DAYS = env.whole("CHECK_EVERY_DAYS", default=0 if DEMO else 30, most=366)
# From how many dollars on a balance may be paid in monthly parts (docs/payment-plans.md).
PAYMENT_PLAN_MINIMUM = env.whole("PAYMENT_PLAN_MINIMUM", default=60, least=3)
SANDBOX_URL = env.text("SANDBOX_URL", default=f"http://127.0.0.1:{CLEARINGHOUSE_PORT}" if DEMO else "", check=HTTP)
MAILBOX_URL = env.text("MAILBOX_URL", default=f"http://127.0.0.1:{MAILBOX_PORT}" if DEMO else "", check=HTTP)
LOG_FORMAT = env.text("LOG_FORMAT", default="readable" if DEMO else "json", check=read.one_of("readable", "json"))
LOG_LEVEL = env.text("LOG_LEVEL", default="INFO", check=read.one_of("DEBUG", "INFO", "WARNING", "ERROR"))

env.finish()

# --- The product --------------------------------------------------------------------------------------------

PRODUCT_NAME = "Headway"
STRIPE_JS_ORIGIN = read.origin(STRIPE_JS_URL)
_https = PUBLIC_URL.startswith("https://")

# --- Apps ---------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "headway",
    "portal",
    "billing",
    "billing.ledger",
    "insurance",
    "care",
    "people",
    "notifications",
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "pghistory",
    "django_htmx",
    "csp",
    "anymail",
    "django_structlog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "headway.middleware.NoStore",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "headway.middleware.AdminPolicy",
    "headway.middleware.SmallRequests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "headway.middleware.SecondFactor",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "headway.middleware.RequestLines",
]

ROOT_URLCONF = "headway.urls"
WSGI_APPLICATION = "headway.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "headway.context.product",
            ],
        },
    }
]

# --- Database, cache, worker --------------------------------------------------------------------------------

EMBEDDED_POSTGRES = None if DATABASE_URL else embedded.Postgres(DATA_DIR)
EMBEDDED_VALKEY = None if REDIS_URL else embedded.Valkey(DATA_DIR)

_connection: dict[str, Any] = (
    {"NAME": "postgres", "USER": "postgres", "HOST": EMBEDDED_POSTGRES.host, "OPTIONS": {}}
    if EMBEDDED_POSTGRES
    else read.database(DATABASE_URL)
)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_connection,
        "ENGINE": "headway.backends.postgres",
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": DB_CONN_MAX_AGE,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_connection["OPTIONS"],
            "application_name": "headway",
            "connect_timeout": 10,
            "options": f"-c lock_timeout={DB_LOCK_TIMEOUT_MS} -c statement_timeout={DB_STATEMENT_TIMEOUT_MS}"
            " -c idle_in_transaction_session_timeout=60000",
        },
        "TEST": {"NAME": TEST_DB_NAME},
    }
}

CACHES = {
    "default": {
        "BACKEND": "headway.backends.cache.RedisCache",
        "LOCATION": f"unix://{EMBEDDED_VALKEY.path}?db=1" if EMBEDDED_VALKEY else REDIS_URL,
        "KEY_PREFIX": "headway",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

CELERY_BROKER_URL = read.broker(f"unix://{EMBEDDED_VALKEY.path}" if EMBEDDED_VALKEY else REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A message whose worker died comes back after this; every task is shorter and may run twice.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 30, "socket_keepalive": True}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 270
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "America/New_York"
# A sweep that waited longer than this is stale: the next one is already due.
_sweep = {"schedule": schedule(SWEEP_SECONDS), "options": {"expires": SWEEP_SECONDS * 3}}
# Which questions are due changes with the day, not with the minute.
_plan = {"schedule": schedule(max(SWEEP_SECONDS, 300)), "options": {"expires": 900}}
CELERY_BEAT_SCHEDULE = {
    "billing": {"task": "billing.tasks.sweep", **_sweep},
    "insurers": {"task": "billing.tasks.ask_insurers", **_sweep},
    "checks": {"task": "billing.tasks.plan_checks", **_plan},
    # Due once a night; looked at often, so that a night on which Stripe did not answer is made up for.
    "reconciliation": {"task": "billing.tasks.reconcile_stripe", **_plan},
    "notifications": {"task": "notifications.tasks.sweep", **_sweep},
}

# --- Language, time, files ----------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
LANGUAGES = [("en-us", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "America/New_York"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The demo serves files where they lie; a deployment collects them under names that change with their content.
WHITENOISE_USE_FINDERS = DEMO
WHITENOISE_AUTOREFRESH = DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Who may come in ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Limits go by the sender's address: who connects to us, or as many steps before as there are proxies of our own.
# What X-Forwarded-For says beyond them is the sender's invention.
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = PRODUCT_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _https

SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Everything that only makes sense over TLS follows from the scheme of the address people use.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE, STRIPE_JS_ORIGIN],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, STRIPE_JS_ORIGIN, read.origin(STRIPE_API_BASE)],
        "frame-src": [STRIPE_JS_ORIGIN, "https://hooks.stripe.com"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["people.api.authentication.BrowserSession"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "headway.openapi.Described",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "600/min", "write": "60/min"},
    "EXCEPTION_HANDLER": "headway.problems.answer",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{PRODUCT_NAME} API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "Role": "people.models.user.Role",
        "RequestState": "people.models.support_request.SupportRequest.State",
        "RequestCategory": "people.models.support_request.SupportRequest.Category",
        "Place": "care.models.session.Session.Place",
        "SessionStatus": "care.models.session.Session.Status",
        "Standing": "insurance.services.client_standing.Standing",
        "PlanType": "insurance.models.coverage.Coverage.PlanType",
        "Holder": "insurance.models.coverage.Coverage.Holder",
        "CheckState": "insurance.models.eligibility.EligibilityCheck.State",
        "CheckReason": "insurance.models.eligibility.EligibilityCheck.Reason",
        "WrongBenefit": "billing.flows.refresh_benefits.Wrong",
        "BenefitSource": "insurance.models.eligibility.BenefitSnapshot.Source",
        "OrderSource": "insurance.models.plan_order.PlanOrder.Source",
        "PauseEvidence": "insurance.models.pause.AccountPause.Evidence",
        "ClaimSubmission": "insurance.models.claim.Claim.Submission",
        "ClaimDecision": "insurance.models.claim.Claim.Decision",
        "FileState": "insurance.models.edi_file.EdiFile.State",
        "FileKind": "insurance.models.edi_file.EdiFile.Kind",
        "FileDirection": "insurance.models.edi_file.EdiFile.Direction",
        "CostBasis": "billing.models.session_cost.SessionCost.Basis",
        "CostReason": "billing.models.session_cost.SessionCost.Reason",
        "PaymentState": "billing.models.payment.Payment.State",
        "PaymentPurpose": "billing.models.payment.Payment.Purpose",
        "RefundState": "billing.models.refund.Refund.State",
        "PayoutState": "billing.models.payout.ProviderPayout.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Support's pages and logs -------------------------------------------------------------------------------

UNFOLD = desk_theme.theme(PRODUCT_NAME)

DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
LOGGING = logs.handlers(LOG_FORMAT, LOG_LEVEL)
structlog.configure(**logs.structured())
