"""Settings for tests: the project's own, cut off from any demo that runs beside and from this machine's environment."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ["HEADWAY_ENV_FILE"] = os.devnull
os.environ["HEADWAY_MODE"] = "demo"

from headway import embedded
from headway.settings import *  # noqa: F403
from headway.settings import DATABASES

# A message sent by a test must never reach the worker of a demo: each test process has a Valkey of its own, started
# when the first message is sent.
_folder = Path(tempfile.mkdtemp(prefix="headway-tests-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
EMBEDDED_VALKEY = embedded.Valkey(_folder)
CELERY_BROKER_URL = f"redis+socket://{EMBEDDED_VALKEY.path}"
REDIS_URL = f"unix://{EMBEDDED_VALKEY.path}?db=0"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A loaded machine must not fail a test: only what never ends is cut off.
DATABASES["default"]["OPTIONS"]["options"] += (
    " -c synchronous_commit=off -c statement_timeout=120000 -c lock_timeout=30000"
)

# Nothing listens there: a test that talks to the world must say to which stand-in.
_nowhere = "http://127.0.0.1:9"
CLEARINGHOUSE_URL = SANDBOX_URL = MAILBOX_URL = STRIPE_API_BASE = _nowhere
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", 9
