"""Two people that most tests are about."""

import pytest

from support import client


@pytest.fixture(scope="session")
def alice():
    return client("alice")


@pytest.fixture(scope="session")
def bob():
    return client("bob")
