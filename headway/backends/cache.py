"""Django's Redis cache; the embedded Valkey is up before the first use."""

from typing import Any

from django.conf import settings
from django.core.cache.backends import redis
from django.utils.functional import cached_property


class RedisCache(redis.RedisCache):
    @cached_property
    def _cache(self) -> Any:
        if settings.EMBEDDED_VALKEY is not None:
            settings.EMBEDDED_VALKEY.ensure()
        return super()._cache
