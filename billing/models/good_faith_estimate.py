"""What we told a client in writing that care without insurance is expected to cost."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.facts import Fact
from common.money import money_field


class GoodFaithEstimate(Fact):
    """One Good Faith Estimate as it was issued (45 CFR 149.610); kept with the record, never changed.

    ``content`` is all that it says, ``pdf`` the very file the client was given.
    """

    class Frequency(models.TextChoices):
        WEEKLY = "weekly", _("Every week")
        BIWEEKLY = "biweekly", _("Every two weeks")
        MONTHLY = "monthly", _("Every four weeks")
        ONCE = "once", _("One session")

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="good_faith_estimates")
    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, related_name="+")
    requested_on = models.DateField()
    due_on = models.DateField(help_text=_("By when the rule wants it in the client's hands."))
    issued_on = models.DateField()
    first_on = models.DateField()
    last_on = models.DateField()
    frequency = models.CharField(max_length=8, choices=Frequency.choices)
    sessions = models.PositiveSmallIntegerField()
    total = money_field()
    content = models.JSONField()
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta(Fact.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_on__gte=F("first_on")) & Q(last_on__lt=F("first_on") + timedelta(days=367)),
                name="estimate_covers_a_year_at_most",
            ),
            models.CheckConstraint(condition=Q(issued_on__lte=F("due_on")), name="estimate_issued_in_time"),
            models.CheckConstraint(condition=Q(sessions__gt=0, total__gt=0), name="estimate_is_of_something"),
        ]

    def __str__(self) -> str:
        return f"Good Faith Estimate {self.pk} of {self.client}"
