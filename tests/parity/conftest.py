"""The oracle that several tests share."""

import pytest

import originals


@pytest.fixture(scope="session")
def oracle():
    """The module `realesrgan`; skips the test where it is not installed."""
    return originals.realesrgan()
