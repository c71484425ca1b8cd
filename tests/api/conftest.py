"""Everyone of the cast, each signed in to the API in a browser of their own."""

import pytest
from rest_framework.test import APIClient

from people.models import User
from tests.cast import Cast, assemble

Browser = APIClient


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def signed_in(user: User | None) -> Browser:
    """A browser with the account's session; one without an account for ``None``."""
    browser = Browser()
    if user is not None:
        browser.force_login(user)
    return browser


@pytest.fixture
def ana(cast: Cast) -> Browser:
    return signed_in(cast.ana.user)


@pytest.fixture
def eve(cast: Cast) -> Browser:
    return signed_in(cast.eve.user)


@pytest.fixture
def cole(cast: Cast) -> Browser:
    return signed_in(cast.cole.user)


@pytest.fixture
def diaz(cast: Cast) -> Browser:
    return signed_in(cast.diaz.user)


@pytest.fixture
def fay(cast: Cast) -> Browser:
    return signed_in(cast.fay)
