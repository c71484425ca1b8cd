"""Which of a client's plans pays first, and how we know."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.facts import Fact


class PlanOrder(Fact):
    """One decision about the order of a client's plans, from a day on.

    Three answers are kept apart: what the client ``stated``, what the rules ``computed`` (with rule and reasons) and
    what an insurer ``confirmed``. ``ranks`` is the order in force that follows: an insurer's word first, then a certain
    computation, then the statement. A later decision supersedes; none is edited.
    """

    class Source(models.TextChoices):
        CONFIRMED = "confirmed", _("An insurer's own word")
        COMPUTED = "computed", _("The rules")
        STATED = "stated", _("As the client said")

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="plan_orders")
    effective_from = models.DateField()
    stated = ArrayField(models.BigIntegerField(), help_text=_("Coverage ids."))
    computed = ArrayField(models.BigIntegerField(), help_text=_("Coverage ids."))
    confirmed = ArrayField(models.BigIntegerField(), null=True, blank=True, help_text=_("Coverage ids."))
    confirmed_by = models.CharField(max_length=200, blank=True)
    rule = models.CharField(max_length=40)
    certain = models.BooleanField()
    why = models.JSONField(default=list, help_text=_("Sentences for people."))
    source = models.CharField(max_length=10, choices=Source.choices)
    changed = models.BooleanField(help_text=_("The order in force differs from what the client stated."))

    class Meta(Fact.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"])]

    def __str__(self) -> str:
        return f"Plan order {self.pk} of {self.client} from {self.effective_from}"


class PlanRank(Fact):
    """One plan's place in a decided order; 1 is primary."""

    plan_order = models.ForeignKey(PlanOrder, on_delete=models.PROTECT, related_name="ranks")
    coverage = models.ForeignKey("insurance.Coverage", on_delete=models.PROTECT, related_name="ranks")
    rank = models.PositiveSmallIntegerField()

    class Meta(Fact.Meta):
        ordering = ["plan_order", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["plan_order", "rank"], name="one_plan_per_rank"),
            models.UniqueConstraint(fields=["plan_order", "coverage"], name="one_rank_per_plan"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="rank_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.coverage}"
