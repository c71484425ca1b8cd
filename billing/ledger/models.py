"""Accounts, entries and lines. Written only through ``billing.ledger.posting``; the database holds the invariants.

An entry is balanced (its lines add up to zero), has at least two lines, is posted once by its natural key, and is
sealed: nothing joins it after the transaction that wrote it.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.facts import APPEND_ONLY, Fact
from common.money import money_field


class Account(models.Model):
    """An account of the chart in ``docs/ledger.md``."""

    class Kind(models.TextChoices):
        ASSET = "asset", _("Asset")
        LIABILITY = "liability", _("Liability")
        INCOME = "income", _("Income")
        EXPENSE = "expense", _("Expense")

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=9, choices=Kind.choices)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Entry(Fact):
    """One business event in the books."""

    key = models.CharField(max_length=80, unique=True, help_text=_("Natural key of the event, e.g. payment:12."))
    memo = models.CharField(max_length=200)
    occurred_on = models.DateField()
    fingerprint = models.CharField(max_length=64, editable=False, help_text=_("SHA-256 of its content."))
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    transaction_id = models.BigIntegerField(
        editable=False, db_default=models.Func(function="txid_current", output_field=models.BigIntegerField())
    )

    class Meta(Fact.Meta):
        ordering = ["-id"]
        verbose_name_plural = _("entries")
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            APPEND_ONLY,
            pgtrigger.Trigger(
                name="balanced",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="""
                    DECLARE
                        total numeric;
                        lines integer;
                    BEGIN
                        SELECT coalesce(sum(amount), 0), count(*) INTO total, lines
                            FROM ledger_line WHERE entry_id = NEW.id;
                        IF lines < 2 OR total <> 0 THEN
                            RAISE EXCEPTION 'ledger entry % has % lines and is off by %', NEW.key, lines, total
                                USING ERRCODE = 'check_violation';
                        END IF;
                        RETURN NULL;
                    END;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Line(Fact):
    """One line of an entry, in signed dollars: positive is a debit, negative a credit."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines")
    amount = money_field(signed=True)
    client = models.ForeignKey("people.Client", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    session = models.ForeignKey("care.Session", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey("people.Provider", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    payer = models.ForeignKey("insurance.Payer", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Fact.Meta):
        ordering = ["id"]
        indexes = [
            models.Index(fields=["account", "client"]),
            models.Index(fields=["account", "session"]),
            models.Index(fields=["account", "provider"]),
            models.Index(fields=["account", "payer"]),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_line_not_zero"),
            models.CheckConstraint(
                condition=~Q(account="client_receivable") | Q(client__isnull=False, session__isnull=False),
                name="receivable_names_client_and_session",
            ),
            models.CheckConstraint(
                condition=~Q(account="provider_payable") | Q(provider__isnull=False),
                name="payable_names_provider",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            APPEND_ONLY,
            pgtrigger.Trigger(
                name="sealed",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF (SELECT transaction_id FROM ledger_entry WHERE id = NEW.entry_id)
                       IS DISTINCT FROM txid_current() THEN
                        RAISE EXCEPTION 'ledger entry % is sealed', NEW.entry_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.amount}"
