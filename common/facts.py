"""The abstract base of rows that never change."""

from typing import ClassVar

import pgtrigger
from django.db import models

from common import clock

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
"""For models that add triggers of their own to those of :class:`Fact`."""


class Fact(models.Model):
    """A row that never changes: a correction is a new fact. The database refuses UPDATE and DELETE."""

    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)

    class Meta:
        abstract = True
        triggers: ClassVar[list[pgtrigger.Trigger]] = [APPEND_ONLY]
