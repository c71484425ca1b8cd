"""What every page of the support desk shares: facts are looked at, never edited; repairs go through services.

Support may look and repair, auditors may look. Each app registers its own rows on these bases; an app above adds
:class:`Repair` and :class:`Page` to the rows of apps below with :func:`extend`. Who looked at which client's data is
noted through :attr:`Desk.note_looks`, which ``people`` fills.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pghistory.models import Event
from unfold.admin import ModelAdmin, TabularInline

from common.errors import DomainError

Words = "str | Promise"

LOOK = frozenset({"support", "auditor"})
REPAIR = frozenset({"support"})


def _has_role(request: HttpRequest, roles: Collection[str]) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_staff", False) and getattr(user, "role", None) in roles)


def may_look(request: HttpRequest) -> bool:
    """Whether the person may open the desk at all."""
    return _has_role(request, LOOK)


def may_repair(request: HttpRequest) -> bool:
    """Whether the person may change anything."""
    return _has_role(request, REPAIR)


class Repairing(Protocol):
    """Does a repair through a service; returns what to tell. Raises ``DomainError`` when it is refused."""

    def __call__(self, request: HttpRequest, row: Any, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Repair:
    """Something support can do to one row, always with a reason in words.

    ``name`` is its address, ``explain`` says what will happen, ``possible`` whether it makes sense for a row as it is.
    """

    name: str
    label: "str | Promise"
    explain: "str | Promise"
    run: Repairing
    possible: Callable[[Any], bool] = lambda _row: True
    text_label: "str | Promise" = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A further page about one row. ``render`` gets the context every desk page needs.

    One that ``repairs`` is only for those who may change something.
    """

    name: str
    label: "str | Promise"
    render: Callable[[HttpRequest, Any, dict[str, Any]], HttpResponseBase]
    repairs: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A page about all rows of a model together, linked above their list. ``render`` as for :class:`Page`.

    One that ``repairs`` is only for those who may change something.
    """

    name: str
    label: "str | Promise"
    render: Callable[[HttpRequest, dict[str, Any]], HttpResponseBase]
    repairs: bool = False


class NoteLooks(Protocol):
    """Notes that the person saw these clients' data."""

    def __call__(self, request: HttpRequest, clients: Iterable[int], purpose: str) -> None: ...


def _plural(model: type[Model]) -> str:
    if issubclass(model, Event):
        # Its base has no such field; every model made from it has.
        tracked: Any = model._meta.get_field("pgh_obj").related_model  # type: ignore[misc]
        return _("Earlier versions: %(rows)s") % {"rows": tracked._meta.verbose_name_plural}
    return capfirst(str(model._meta.verbose_name_plural))


class _Looking:
    """Everything may be seen by whoever may open the desk; nothing may be added, changed or deleted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_look(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_look(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Rows(_Looking, TabularInline):  # type: ignore[misc]  # unfold has no types
    """Related rows shown on a page."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True
    per_page = 25
    ordering = ("pk",)


class Desk(_Looking, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """One model on the support desk, read-only."""

    client_path: ClassVar[str] = ""
    """Lookup from a row to the client whose data it holds, e.g. ``"session__client"``; empty when it holds none's."""
    filters_from: Sequence[str] = ()
    """Lookups that links from other pages may use, besides its own foreign keys."""
    repairs: Sequence[Repair] = ()
    pages: Sequence[Page] = ()
    tools: Sequence[Tool] = ()
    further: Sequence[tuple[type[Model], str]] = ()
    """Rows that belong here though not by a foreign key of their own: model, and the lookup that leads to this row."""
    note_looks: ClassVar[NoteLooks | None] = None

    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True
    compressed_fields = True
    list_filter_submit = True
    actions = None
    change_form_outer_before_template = "admin/desk/head.html"
    list_before_template = "admin/desk/tools.html"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in self.filters_from or bool(super().lookup_allowed(lookup, value, request))

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path("tool/<slug:tool>/", self.admin_site.admin_view(self.tool_view), name=f"{name}_tool"),
            path(
                "<path:object_id>/repair/<slug:repair>/",
                self.admin_site.admin_view(self.repair_view),
                name=f"{name}_repair",
            ),
            path("<path:object_id>/page/<slug:page>/", self.admin_site.admin_view(self.page_view), name=f"{name}_page"),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def clients_of(self, rows: Sequence[Any]) -> set[int]:
        """Ids of the clients whose data these rows hold."""
        if not self.client_path:
            return set()
        if self.client_path == "pk":
            return {row.pk for row in rows}
        found = self.model._default_manager.filter(pk__in=[row.pk for row in rows]).order_by()
        return set(found.values_list(self.client_path, flat=True)) - {None}

    def _note(self, request: HttpRequest, rows: Sequence[Any], purpose: str) -> None:
        note = Desk.note_looks
        if note is not None and rows and (clients := self.clients_of(rows)):
            note(request, clients, f"support: {purpose}"[:60])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        base = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_tool"
        usable = [tool for tool in self.tools if may_repair(request) or not tool.repairs]
        tools = {"desk_tools": [(tool, reverse(base, args=[tool.name])) for tool in usable]}
        response: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **tools})
        listed = getattr(response, "context_data", None) or {}
        if "cl" in listed:
            self._note(request, list(listed["cl"].result_list), str(self.opts.verbose_name_plural))
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {})}
        if row is not None and may_look(request):
            self._note(request, [row], str(self.opts.verbose_name))
            context |= {
                "desk_links": self.links(request, row),
                "desk_pages": [
                    (page, self._address(row, "page", page.name))
                    for page in self.pages
                    if may_repair(request) or not page.repairs
                ],
                "desk_repairs": self._possible(request, row),
            }
        return super().changeform_view(request, object_id, form_url, context)

    def _address(self, row: Any, kind: str, name: str) -> str:
        base = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{kind}"
        return reverse(base, args=[row.pk, name])

    def _possible(self, request: HttpRequest, row: Any) -> list[tuple[Repair, str]]:
        if not may_repair(request):
            return []
        return [(each, self._address(row, "repair", each.name)) for each in self.repairs if each.possible(row)]

    def links(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """Where rows that point to this one are listed, with how many there are; kinds without any are left out."""
        pairs: list[tuple[type[Model], str]] = []
        for relation in self.opts.get_fields(include_hidden=True):
            model = relation.related_model
            if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
                continue
            if not (isinstance(model, type) and issubclass(model, Model)) or not self.admin_site.is_registered(model):
                continue
            pairs.append((model, relation.field.name))
        found = []
        for model, lookup in [*pairs, *self.further]:
            count = model._default_manager.filter(**{lookup: row.pk}).count()
            if count:
                opts = model._meta
                address = reverse(f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_changelist")
                found.append(
                    {"label": _plural(model), "count": count, "url": f"{address}?{lookup}__pk__exact={row.pk}"}
                )
        found.sort(key=lambda link: str(link["label"]))
        return found

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _context(self, request: HttpRequest, row: Any, title: str) -> dict[str, Any]:
        opts = self.opts
        return {
            **self.admin_site.each_context(request),
            "opts": opts,
            "row": row,
            "title": title,
            "row_url": reverse(f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_change", args=[row.pk]),
        }

    def tool_view(self, request: HttpRequest, tool: str) -> HttpResponseBase:
        """A page about all rows together."""
        found = next((each for each in self.tools if each.name == tool), None)
        if found is None or not may_look(request) or (found.repairs and not may_repair(request)):
            raise Http404
        opts = self.opts
        context = {
            **self.admin_site.each_context(request),
            "opts": opts,
            "title": str(found.label),
            "list_url": reverse(f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_changelist"),
        }
        return found.render(request, context)

    def page_view(self, request: HttpRequest, object_id: str, page: str) -> HttpResponseBase:
        """A further page about a row."""
        found = next((each for each in self.pages if each.name == page), None)
        if found is None or not may_look(request) or (found.repairs and not may_repair(request)):
            raise Http404
        row = self._row(request, object_id)
        self._note(request, [row], found.name)
        return found.render(request, row, self._context(request, row, f"{row}"))

    def repair_view(self, request: HttpRequest, object_id: str, repair: str) -> HttpResponseBase:
        """Ask for the reason, then repair; a refusal is shown beside what was typed."""
        found = next((each for each in self.repairs if each.name == repair), None)
        if found is None or not may_repair(request):
            raise Http404
        row = self._row(request, object_id)
        self._note(request, [row], str(self.opts.verbose_name))
        context = self._context(request, row, str(found.label)) | {"repair": found, "text": "", "error": ""}
        if request.method == "POST":
            text = request.POST.get("text", "").strip()
            context["text"] = text
            if not text:
                context["error"] = _("Please write why. It is kept with the change.")
            elif not found.possible(row):
                context["error"] = _("This is not possible any more: it has changed meanwhile.")
            else:
                try:
                    told = found.run(request, row, text)
                except DomainError as refusal:
                    context["error"] = str(refusal)
                else:
                    self.log_change(request, row, f"{found.label}: {text}"[:2000])
                    messages.success(request, told)
                    return redirect(context["row_url"])
        status = 422 if context["error"] else 200
        return TemplateResponse(request, "admin/desk/repair.html", context, status=status)


class Reference(Desk):
    """What support keeps up to date by hand: insurers, contracts, rates. Every change is in the row's history."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_repair(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_repair(request)


class History(Desk):
    """Earlier versions of rows, kept by the database itself."""

    list_display = ("pgh_created_at", "pgh_label", "pgh_obj", "pgh_context")
    list_filter = ("pgh_label",)
    date_hierarchy = "pgh_created_at"
    ordering = ("-pgh_id",)
    list_select_related = ("pgh_obj", "pgh_context")


def register_history(app_label: str, client_paths: dict[str, str] | None = None) -> None:
    """Put the history of an app's rows on the desk. ``client_paths``: event model name → lookup to the client."""
    for model in list(apps.get_app_config(app_label).get_models()):
        if issubclass(model, Event) and not admin.site.is_registered(model):
            client_path = (client_paths or {}).get(model.__name__, "")
            admin.site.register(model, type(f"{model.__name__}Desk", (History,), {"client_path": client_path}))


def extend(
    model: type[Model],
    *,
    repairs: Sequence[Repair] = (),
    pages: Sequence[Page] = (),
    tools: Sequence[Tool] = (),
    further: Sequence[tuple[type[Model], str]] = (),
) -> None:
    """Add repairs, pages, tools and links to a model that an app below has put on the desk."""
    desk = admin.site.get_model_admin(model)
    assert isinstance(desk, Desk)
    desk.repairs = [*desk.repairs, *repairs]
    desk.pages = [*desk.pages, *pages]
    desk.tools = [*desk.tools, *tools]
    desk.further = [*desk.further, *further]
    for other, lookup in further:
        there = admin.site.get_model_admin(other)
        assert isinstance(there, Desk)
        there.filters_from = [*there.filters_from, f"{lookup}__pk__exact"]


def render(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the desk."""
    return TemplateResponse(request, template, context, status=status)
