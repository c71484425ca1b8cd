"""Taking a file in on the desk: choose it, look at what it would do, then do exactly that."""

import io
import secrets
import zlib
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.desk import render
from common.errors import DomainError
from insurance.domain.timeline import Kind
from insurance.services.network_file import OPTIONAL, REQUIRED, Subject
from insurance.services.network_import import Outcome, take_in

MOST_ROWS = 10_000
"""So many rows are written while a browser waits; longer files go through ``manage.py import_network``."""

MOST_BYTES = 5_000_000
KEPT_SECONDS = 1800
TEMPLATE = "admin/network/import.html"


class FileForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        error_messages={"required": gettext_lazy("Please choose a file."), "empty": gettext_lazy("The file is empty.")},
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(
                _("Here a file has at most %(most)s MB. Longer ones are taken in by the command import_network.")
                % {"most": MOST_BYTES // 1_000_000}
            )
        return file


def page(subject: Subject, request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """The tool of a list; only for those who may change something."""
    context |= {
        "required": REQUIRED[subject],
        "optional": OPTIONAL[subject],
        "form": FileForm(),
        "title": str(context["title"]),
    }
    if request.method != "POST":
        return render(request, TEMPLATE, context)
    if "token" in request.POST:
        return _do(subject, request, context)
    return _look(subject, request, context)


def _look(subject: Subject, request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    form = FileForm(request.POST, request.FILES)
    context["form"] = form
    if form.is_valid():
        file = form.cleaned_data["file"]
        raw, name = file.read(), str(file.name)[:100]
        try:
            outcome = take_in(subject, io.BytesIO(raw), apply=False)
        except DomainError as error:
            form.add_error("file", str(error))
        else:
            if outcome.rows > MOST_ROWS:
                form.add_error(
                    "file",
                    _("Here a file has at most %(most)s rows. Longer ones are taken in by the command import_network.")
                    % {"most": f"{MOST_ROWS:,}"},
                )
            else:
                return _shown(request, context, outcome, raw, name)
    return render(request, TEMPLATE, context, status=422)


def _shown(request: HttpRequest, context: dict[str, Any], outcome: Outcome, raw: bytes, name: str) -> HttpResponseBase:
    token = secrets.token_urlsafe(16)
    cache.set(_key(request, token), (name, zlib.compress(raw)), KEPT_SECONDS)
    total = sum(outcome.counts.values())
    context |= {
        "outcome": outcome,
        "name": name,
        "token": token,
        "total": total,
        "more": total - len(outcome.changes),
        "more_faults": outcome.fault_count - len(outcome.faults),
        "counts": [(kind, outcome.counts.get(kind, 0)) for kind in Kind],
    }
    return render(request, TEMPLATE, context, status=422 if outcome.fault_count else 200)


def _do(subject: Subject, request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    key = _key(request, request.POST["token"][:40])
    kept = cache.get(key)
    if kept is None:
        context["error"] = _(
            "It is too long ago that you looked at this file, or it was taken in. Please choose it again."
        )
        return render(request, TEMPLATE, context, status=422)
    name, raw = kept[0], zlib.decompress(kept[1])
    try:
        outcome = take_in(
            subject, io.BytesIO(raw), apply=True, source=name, expected=request.POST.get("digest", "-")[:64]
        )
    except DomainError as error:
        context["error"] = str(error)
        return _shown(request, context, take_in(subject, io.BytesIO(raw), apply=False), raw, name)
    cache.delete(key)
    messages.success(
        request,
        _("%(name)s is taken in: %(added)s added, %(ended)s ended, %(changed)s changed.")
        % {
            "name": name,
            **{kind.value: outcome.counts.get(kind, 0) for kind in Kind},
        },
    )
    return redirect(context["list_url"])


def _key(request: HttpRequest, token: str) -> str:
    """Everybody reaches their own files only."""
    return f"network-import:{request.user.pk}:{token}"
