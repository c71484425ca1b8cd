from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _open_accounts(**_: Any) -> None:
    from billing.ledger.posting import open_accounts  # noqa: PLC0415 - models exist only once apps are ready

    open_accounts()


class LedgerConfig(AppConfig):
    name = "billing.ledger"
    label = "ledger"
    verbose_name = "Ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The chart of accounts is code; the database's copy follows it, as content types do.
        post_migrate.connect(_open_accounts, sender=self)
