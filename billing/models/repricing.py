"""Which clients' prices wait to be worked out again, and how far a whole insurer's have come."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common import clock
from common.states import axis


class Repricing(models.Model):
    """One client's standing: ``stale_since`` is set by news and cleared by the pricing that saw it. One row a client.

    It is the moment of the newest news, so that a pricing can tell whether more came while it worked.

    The row is the queue; the client's own lock is the guard that lets one worker at a time price them.
    """

    client = models.OneToOneField("people.Client", on_delete=models.PROTECT, related_name="repricing", primary_key=True)
    stale_since = models.DateTimeField(null=True, blank=True, db_index=True)
    cause = models.CharField(max_length=200, blank=True, help_text=_("What made it stale, in words."))
    priced_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        default=clock.now, help_text=_("Not before this; the longest waiting first.")
    )
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(stale_since__isnull=False), name="repricing_queue")
        ]

    def __str__(self) -> str:
        return f"Prices of client {self.client_id}"


class Recalculation(models.Model):
    """Everybody with a plan of one insurer is priced again; a run that can be stopped anywhere and goes on."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    STATES = axis(
        "state",
        {"waiting": {"running", "stopped"}, "running": {"done", "stopped"}, "done": set(), "stopped": {"waiting"}},
    )

    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, related_name="recalculations")
    requested_by = models.ForeignKey("people.User", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING, db_index=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0, help_text=_("Sessions whose cost changed."))
    failed = models.PositiveIntegerField(default=0)
    cursor = models.BigIntegerField(default=0, help_text=_("The last client that was priced, by id."))
    created_at = models.DateTimeField(default=clock.now, editable=False)
    touched_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="recalculation_within_its_total"),
            models.UniqueConstraint(
                fields=["payer"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_open_recalculation_per_payer",
            ),
        ]

    def __str__(self) -> str:
        return f"Recalculation {self.pk} of {self.payer}: {self.done} of {self.total}"
