"""What a client was told of a month."""

from django.db import models
from django.db.models import F, Q

from common.facts import Fact
from common.money import money_field


class ClientStatement(Fact):
    """One month of a client's account as it was issued. ``content`` is all that it says; its PDF is drawn from it.

    ``month`` is the first day. Balances are signed dollars, positive is owed by the client:
    ``opening + charged - paid + refunded = closing``.
    """

    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, related_name="statements")
    month = models.DateField()
    opening = money_field(signed=True)
    charged = money_field(signed=True)
    paid = money_field(signed=True)
    refunded = money_field(signed=True)
    closing = money_field(signed=True)
    content = models.JSONField()

    class Meta(Fact.Meta):
        ordering = ["-month", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "month"], name="one_statement_per_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="statement_month_is_its_first_day"),
            models.CheckConstraint(
                condition=Q(closing=F("opening") + F("charged") - F("paid") + F("refunded")),
                name="statement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"Statement of {self.month:%Y-%m}"
