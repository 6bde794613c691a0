"""What the hostile tests share."""

import logging

import pytest


@pytest.fixture
def shown(caplog):
    """All log records of every logger, from DEBUG up, as they would be written."""
    caplog.set_level(logging.DEBUG)
    for name in ("authing_mfa", "authing_mfa.emulator.http", "aiohttp", "asyncio", "sqlalchemy", "distributed"):
        caplog.set_level(logging.DEBUG, name)
    logging.getLogger("distributed").addHandler(caplog.handler)  # its records go no further up
    yield lambda: "\n".join([caplog.text, *(repr(record.args) for record in caplog.records)])
    logging.getLogger("distributed").removeHandler(caplog.handler)
