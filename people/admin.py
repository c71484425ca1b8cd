"""Support's view of accounts, clients, providers, requests for help, and of who saw whose data."""

from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.desk import Desk, Repair, may_look, register_history
from people.access import record_access_to
from people.models import AccessEvent, Client, Provider, SupportRequest, User
from people.services import support_requests

# Rights come from the role; Django's groups would be a second, unseen way to give them. Secrets of sign-in are nobody's
# to look at.
for elsewhere in ("django.contrib.auth.admin", "allauth.account.admin", "allauth.mfa.admin"):
    import_module(elsewhere)  # what it registers is taken off here, before anything else could register it anew
for foreign in (Group, EmailAddress, EmailConfirmation, Authenticator):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


def _may_enter(request: HttpRequest) -> bool:
    """A signed-in person without the right finds nothing here; a visitor is asked to sign in."""
    if request.user.is_authenticated and not may_look(request):
        raise Http404
    return may_look(request)


admin.site.has_permission = _may_enter  # type: ignore[method-assign]
admin.site.index_title = gettext_lazy("Support desk")


def _note_looks(request: HttpRequest, clients: Any, purpose: str) -> None:
    if request.user.is_authenticated:
        record_access_to(request.user, clients, purpose)


Desk.note_looks = staticmethod(_note_looks)


@admin.register(User)
class UserDesk(Desk):
    list_display = ("email", "role", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("role", "is_active", "is_staff")
    search_fields = ("email", "client__last_name", "provider__last_name")
    exclude = ("password", "groups", "user_permissions")
    date_hierarchy = "date_joined"
    ordering = ("email",)
    client_path = "client"


@admin.register(EmailAddress)
class EmailAddressDesk(Desk):
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    search_fields = ("email", "user__email")
    list_select_related = ("user",)
    client_path = "user__client"


@admin.register(Client)
class ClientDesk(Desk):
    list_display = ("__str__", "email", "phone", "state", "paused_since", "created_at")
    list_filter = (("paused_since", admin.EmptyFieldListFilter), "state")
    search_fields = ("first_name", "last_name", "preferred_name", "email", "phone")
    date_hierarchy = "created_at"
    client_path = "pk"


@admin.register(Provider)
class ProviderDesk(Desk):
    list_display = ("full_name", "licence", "npi", "state", "email", "created_at")
    list_filter = ("licence", "state")
    search_fields = ("first_name", "last_name", "npi", "email")


def _answer(request: HttpRequest, row: SupportRequest, text: str) -> str:
    assert isinstance(request.user, User)
    support_requests.answer(row, text=text, by=request.user)
    return _("The answer is kept; the person sees it on their messages page.")


def _close(request: HttpRequest, row: SupportRequest, text: str) -> str:
    assert isinstance(request.user, User)
    support_requests.close(row, by=request.user)
    return _("The request is closed.")


@admin.register(SupportRequest)
class SupportRequestDesk(Desk):
    list_display = ("__str__", "state", "author", "client", "reference", "owner", "created_at")
    list_filter = ("state", "category", "owner")
    search_fields = ("body", "reference", "author__email", "client__last_name")
    list_select_related = ("author", "client", "owner")
    date_hierarchy = "created_at"
    client_path = "client"
    repairs = [
        Repair(
            "answer",
            gettext_lazy("Answer"),
            gettext_lazy("The person reads your words as they stand."),
            _answer,
            lambda row: row.state != "closed",
            gettext_lazy("Your answer"),
        ),
        Repair(
            "close",
            gettext_lazy("Close"),
            gettext_lazy("Nothing more is to be done. It can be opened again."),
            _close,
            lambda row: row.state != "closed",
        ),
    ]


@admin.register(AccessEvent)
class AccessEventDesk(Desk):
    list_display = ("created_at", "user", "purpose", "client")
    list_filter = ("purpose", "user__role")
    search_fields = ("user__email", "client__last_name", "client__first_name", "purpose")
    list_select_related = ("user", "client")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    # Looking at the record of looks is not a look at the clients' data.


@admin.register(LogEntry)
class LogEntryDesk(Desk):
    list_display = ("action_time", "user", "content_type", "object_repr", "change_message")
    list_filter = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__email")
    list_select_related = ("user", "content_type")
    date_hierarchy = "action_time"


register_history("people", {"ClientEvent": "pgh_obj"})
