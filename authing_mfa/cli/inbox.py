"""Read the emulator's inbox over its HTTP API, with the standard library."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from authing_mfa.cli.certificates import trusting
from authing_mfa.discovery import check_base_url
from authing_mfa.errors import InvalidInputError, NetworkError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ask", "follow_messages"]

_POLL_SECONDS: Final = 20.0
_MARGIN_SECONDS: Final = 10.0


def ask(
    base_url: str, to: str | None, wait: float, ca_file: str | None = None, *, after: int = 0
) -> list[dict[str, Any]]:
    """Return the messages after number *after*, oldest first. If there is none, wait *wait* seconds for one.

    Raises:
        InvalidInputError: the address, *to* or *ca_file* cannot be used.
        NetworkError: no emulator answers there.
        ResponseError: the server that answers is not an emulator.
    """
    base_url = _checked(base_url)
    query: dict[str, str] = {"wait": f"{wait:g}", "after": str(after)}
    if to is not None:
        query["to"] = to
    try:
        url = f"{base_url}/_emulator/inbox?{urllib.parse.urlencode(query)}"
    except UnicodeEncodeError:
        raise InvalidInputError("The phone or address is not valid text in UTF-8.") from None
    context = None
    if url.startswith("https"):
        context = ssl.create_default_context() if ca_file is None else trusting(ca_file)
    return _in_thread(lambda: _fetch(url, base_url, wait, context))


def _checked(base_url: str) -> str:
    try:
        return check_base_url(base_url)
    except InvalidInputError:
        raise InvalidInputError(
            "The emulator's address must be like http://127.0.0.1:7070, without query or password."
        ) from None


def _in_thread(function: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the result of *function*, called in another thread: Ctrl-C in the middle of http.client prints warnings of its destructors."""
    done: SimpleQueue[list[dict[str, Any]] | Exception] = SimpleQueue()

    def run() -> None:
        try:
            done.put(function())
        except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
            done.put(error)

    threading.Thread(target=run, name="authing-inbox", daemon=True).start()
    result = done.get()
    if isinstance(result, Exception):
        raise result
    return result


def _fetch(url: str, base_url: str, wait: float, context: ssl.SSLContext | None) -> list[dict[str, Any]]:
    handlers: list[Any] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=wait + _MARGIN_SECONDS) as reply:
            found = [dict(message) for message in json.load(reply)["messages"]]
            # another server may have messages, too: those of an emulator have these fields
            _ = [(int(each["id"]), float(each["sent_at"]), each["channel"], each["to"], each["code"]) for each in found]
    except urllib.error.HTTPError as error:
        error.close()
        raise ResponseError(f"There is no emulator at {base_url}", http_status=error.code) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise NetworkError(f"No emulator answers at {base_url}: {reason}", delivery="not_sent") from error
    except (HTTPException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ResponseError(f"There is no emulator at {base_url}") from error
    return list(reversed(found))


def follow_messages(base_url: str, to: str | None, ca_file: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the stored messages and then each new message, without end."""
    after = 0
    while True:
        for message in ask(base_url, to, _POLL_SECONDS if after else 0.5, ca_file, after=after):
            after = max(after, int(message["id"]))
            yield message
