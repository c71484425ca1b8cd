"""``manage.py read_edi FILE [--json]``: read one X12 file of any kind we exchange, and tell what it says."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from common.errors import BadInput
from insurance.x12.in_words import render
from insurance.x12.kinds import KINDS, describe


class Command(BaseCommand):
    """Needs no database. Faults that were tolerated are told and the exit code is 0; a file that is refused exits 1."""

    help = "Reads an X12 file (" + ", ".join(KINDS) + ") and tells what it says."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file to read; - reads standard input")
        parser.add_argument("--json", action="store_true", help="print JSON, in the shape the contract fixes")

    def handle(self, *args: Any, **options: Any) -> None:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        name: str = options["file"]
        try:
            data = describe(self._bytes(name))
            text = json.dumps(data, indent=2) if options["json"] else render(data)
        except BadInput as error:
            self._refuse(name, str(error), error.where, options)
        except Exception as error:
            # The contract promises no traceback whatever the bytes are; --traceback shows it to whoever repairs this.
            if options["traceback"]:
                raise
            fault = _("the reader failed (%(kind)s): this is a fault of the program, please report it")
            self._refuse(name, fault % {"kind": type(error).__name__}, name, options)
        else:
            self._print(text)

    def _bytes(self, name: str) -> bytes:
        try:
            return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadInput(_("the file cannot be opened: %(reason)s") % {"reason": reason}, name) from None

    def _refuse(self, name: str, message: str, where: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self._print(json.dumps({"errors": [{"where": where or name, "message": message}]}, indent=2))
        shown = "".join(ch if ch.isprintable() else "?" for ch in f"{name}: {where}: {message}")
        raise CommandError(shown if where and where != name else f"{name}: {message}")

    def _print(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            # Whoever read us has seen enough (| head); nothing is left to be flushed at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
