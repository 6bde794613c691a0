"""The application and the service of a run: a journal that was written for others would pass their outcomes off as those of this one."""

from __future__ import annotations

import hmac
from hashlib import blake2b
from typing import TYPE_CHECKING

from authing_mfa.batch.errors import JournalError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from authing_mfa.discovery import Service

__all__ = ["check_service"]


def check_service(
    connection: sa.Connection, run: int, salt: bytes, service: Service, *, begun: bool, moved: bool
) -> None:
    """Check that *run* was started with this *service*. A run that has not begun, or whose service has moved, gets it.

    A run of a version that did not record the service has none, and is not checked.

    Args:
        connection: in a transaction.
        run: the run's id.
        salt: the key of its digests.
        service: the application and the address of the calls.
        begun: True if the journal has rows of the run.
        moved: True if the caller says that it is the same service.

    Raises:
        JournalError: the run has another service.
    """
    digests = _digest(service.app_id, salt), _digest(service.address, salt)
    known = _recorded(connection, run)
    if begun and known is None:
        return
    if begun and known is not None and not moved:
        _compare(known, digests)
    if known != digests:
        _record(connection, run, *digests)


def _compare(known: tuple[str, str], digests: tuple[str, str]) -> None:
    same = [hmac.compare_digest(old, new) for old, new in zip(known, digests, strict=True)]
    if all(same):
        return
    other = "service (base_url or host)" if same[0] else "application (app_id)"
    raise JournalError(
        f"The rows of this journal were sent to another {other}: rows that it knows would not be sent to this one. Nothing "
        "is sent. Use the settings of that run, or another journal and another output. If it is the same service at another "
        "address, give service_moved (--service-moved)."
    )


def _recorded(connection: sa.Connection, run: int) -> tuple[str, str] | None:
    """Return the digests of the application and the address of *run*, None if there are none."""
    import sqlalchemy as sa

    from authing_mfa.batch.journal.schema import SERVICE

    if not sa.inspect(connection).has_table(SERVICE.name):
        return None
    found = connection.execute(sa.select(SERVICE).where(SERVICE.c.run == run)).first()
    return None if found is None else (found.application, found.address)


def _record(connection: sa.Connection, run: int, application: str, address: str) -> None:
    import sqlalchemy as sa

    from authing_mfa.batch.journal.schema import SERVICE

    if sa.inspect(connection).has_table(SERVICE.name):
        connection.execute(sa.delete(SERVICE).where(SERVICE.c.run == run))
        connection.execute(sa.insert(SERVICE).values(run=run, application=application, address=address))


def _digest(text: str, salt: bytes) -> str:
    return blake2b(text.encode(), key=salt[:64], digest_size=16).hexdigest()
