"""Long lists, one page at a time."""

from typing import TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)


def page_of(request: HttpRequest, rows: "QuerySet[Row]", size: int) -> "Page[Row]":
    """The page that the address asks for (``?page=2``); the nearest one when there is no such page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
