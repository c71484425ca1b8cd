"""Django's PostgreSQL backend; the embedded server is up before the first connection.

The server is started by need, not by the settings, so that commands without a database start nothing.
"""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from django.utils.asyncio import async_unsafe

from headway import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if settings.EMBEDDED_POSTGRES is not None:
            try:
                settings.EMBEDDED_POSTGRES.ensure()
            except embedded.ServerFailed as error:
                embedded.explain(error)
        return super().get_new_connection(conn_params)
