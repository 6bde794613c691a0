"""Requests that no client would send: random methods, paths, headers and bodies, from a seeded source.

More than 300 lines: the tables of strange requests stand beside the code that mixes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from authing_mfa.emulator.http import routing
from authing_mfa.emulator.rules import graphql
from authing_mfa.structuring import camel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authing_mfa.emulator import Emulator

ADMIN = [
    "info",
    "inbox",
    "messages",
    "codes",
    "events/x",
    "users",
    "users/x",
    "users/x/qr.svg",
    "users/x/totp",
    "users/x/lock",
    "users/x/unlock",
    "users/x/factors/OTP",
    "users/x/mfa-token",
    "requests",
    "verifications",
    "faults",
    "faults/f1",
    "clock",
    "reset",
    "snapshot",
    "photos",
    "photos/x",
    "settings",
    "health",
    "openapi.json",
    "page/index.html",
    "page/../x",
    "nothing",
]
FIELDS = [
    "phone",
    "email",
    "account",
    "password",
    "code",
    "totp",
    "recoveryCode",
    "photo",
    "photoA",
    "photoB",
    "scene",
    "to",
    "target",
    "username",
    "mfa",
    "custom",
    "id",
    "phoneCountryCode",
    "phone_country_code",
    "phoneNumber",
    "channel",
    "factorType",
    "profile",
    "enrollmentToken",
    "enrollmentData",
    "source",
    "authenticator_type",
    "query",
    "variables",
    "operationName",
    "token",
    "targetId",
    "factorId",
    "autoRegister",
    "options",
    "seconds",
    "advance",
    "set",
    "path",
    "user",
    "nth",
    "probability",
    "latency",
    "status",
    "body",
    "retry_after",
    "drop",
    "face",
    "code_ttl",
    "journal_size",
    "app_id",
    "format",
    "users",
    "totp_secret",
    "recovery_code",
    "nickname",
    "limit",
    "after",
    "wait",
    "userId",
    "isExternal",
]
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 6, 200, 2**31, 2**70, 1.5, -0.0, 1e308),
    *(
        "",
        " ",
        "x",
        "13800138000",
        "+44 7911 123456",
        "ann@example.com",
        "@",
        "123456",
        "abc",
        "SMS",
        "OTP",
        "FACE",
        "any",
    ),
    *("\u0000", "\x1b[31m", "\u202e", "\U0001f600", "a" * 400, "x" * 20_000, "<b>&amp;", "' OR 1=1 --", "../../x", "²"),
    *([], [[]], {}, {"a": 1}, {"phoneNumber": 5}, {"passCode": []}, ["SMS"], [1, None], {"input": {"email": []}}),
)
GOOD: dict[str, Any] = {
    **dict.fromkeys(("phone", "to", "target", "phoneNumber", "account"), "13800138000"),
    **dict.fromkeys(("code", "totp", "passCode"), "246810"),
    "email": "ann@example.com",
    "username": "ann",
    "password": "pw",
    "factorType": "SMS",
    "source": "SELF",
    "profile": {"phoneNumber": "13800138000"},
    "enrollmentData": {"passCode": "246810"},
    "scene": "MFA_VERIFY",
}
RAW = (
    b"",
    b"{",
    b"\xff\xfe",
    b'{"scene":"\\ud800","to":"13800138000"}',
    b'{"email":"a@b.test","scene":"\\udfff"}',
    b'{"account":NaN}',
    b'{"phone":1e999}',
    b"[" * 600 + b"]" * 600,
    b'{"a":' * 99_000 + b"1" + b"}" * 99_000,
    b'{"phone":"1","phone":"2"}',
    b"null",
    b"7" * 6000,
    b"\x00" * 10,
    b'"text"',
    b"\xef\xbb\xbf{}",
)
QUERIES = (
    "",
    "?limit=-1",
    "?limit=nan",
    "?wait=x&after=1e99",
    "?q=%ff%00",
    "?folder=%ED%A0%80&private=true",
    "?a=1;b=2",
)
GRAPHQL = (*graphql._FIELDS, "nothing")


class Fuzzer:
    """Makes requests. *tokens* gives good tokens, now and then asked anew, so that some requests get past the first check."""

    def __init__(self, seed: int, tokens: Callable[[], Sequence[str]]) -> None:
        self.random = random.Random(seed)
        self._new_tokens = tokens
        self._made = 0
        self._routes = [*routing.ROUTES, ("GET", "/api/v2/applications/x/public-config")]

    def request(self) -> bytes:
        """One request, as bytes."""
        if self._made % 100 == 0:
            self._tokens = self._new_tokens()
        self._made += 1
        choose = self.random.choice
        method, path = self._target()
        body, kind = self._body(method, path)
        headers = [
            f"{method} {path}{choose(QUERIES)} HTTP/1.1",
            "Host: " + choose(("127.0.0.1:1", "127.0.0.1", "[::1]")),
        ]
        if self.random.random() < 0.7:
            headers.append(
                "Authorization: " + choose((*self._tokens, *self._tokens, "Bearer", "x", self._tokens[0] + "\xff="))
            )
        if self.random.random() < 0.2:
            headers.append(
                "Origin: " + choose(("http://localhost:3000", "https://evil.test", "null", "http://[", "\xe9"))
            )
        if self.random.random() < 0.2:
            headers.append("x-authing-lang: " + choose(("zh-CN", "en-US", "\xe9", "")))
        headers += [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(headers).encode("latin-1") + body

    def _target(self) -> tuple[str, str]:
        roll = self.random.random()
        if roll < 0.6:
            return self.random.choice(self._routes)
        if roll < 0.95:
            prefix = self.random.choice(("", "", "", "/ns/w1", "/ns/%ff", "/ns/" + "z" * self.random.randrange(70)))
            method = self.random.choice(("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"))
            return method, f"{prefix}/_emulator/{self.random.choice(ADMIN)}"
        return self.random.choice(("GET", "OPTIONS", "TRACE", "POST")), self.random.choice(
            ("/", "//", "/%00", "/%ED%A0%80", "/" + "a" * 3000, "/ns/", "/api/v2/mfa/")
        )

    def _value(self, name: str) -> Any:
        """Now and then what the call would like to see, so that the other fields are looked at too."""
        good = GOOD.get(name)
        return good if good is not None and self.random.random() < 0.6 else self.random.choice(VALUES)

    def _body(self, method: str, path: str) -> tuple[bytes, str]:
        roll = self.random.random()
        cls = routing.ROUTES.get((method, path))
        if roll < 0.15:
            return self.random.choice(RAW), "application/json"
        if roll < 0.25:
            part = self.random.choice((b"", b"x" * 100, b"\xff\xd8\xff\xe0" + b"\0" * 50))
            head = b'\r\n--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: \xff\r\n\r\n'
            return head + part + b"\r\n--b--", "multipart/form-data; boundary=b"
        names = self.random.sample(FIELDS, self.random.randrange(1, 12))
        if cls is not None and roll < 0.9:  # those that this call reads
            names += [camel(field.name) for field in attrs.fields(cls)]
        if path.startswith("/graphql"):
            names += ["phone", "code", "phoneCountryCode", "email", "password", "username", "scene", "token"]
        fields = {name: self._value(name) for name in names}
        if path.startswith("/graphql"):
            fields |= {"query": f"mutation m {{ {self.random.choice(GRAPHQL)} (input: $input) {{ id }} }}"}
            fields["variables"] = self.random.choice((fields.copy(), {"input": fields.copy()}, []))
        return json.dumps(fields).encode(), "application/json"


async def fire(port: int, fuzzer: Fuzzer, count: int, *, failed: list[bytes], connections: int = 8) -> Counter[int]:
    """Send *count* requests over *connections*; returns how often each HTTP status came (0: no answer).

    Requests that end in HTTP 500 are put into *failed*.
    """
    seen: Counter[int] = Counter()
    left = iter(range(count))

    async def work() -> None:
        reader = writer = None
        for _ in left:
            if writer is None or writer.is_closing():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert reader is not None
            request = fuzzer.request()
            status, keep = 0, False
            try:
                writer.write(request)
                status, keep = await asyncio.wait_for(_answer(reader, head_only=request.startswith(b"HEAD ")), 60)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            seen[status] += 1
            if status == 500:
                failed.append(request)
            if not keep:
                writer.close()
                writer = None
        if writer is not None:
            writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return seen


async def _answer(reader: asyncio.StreamReader, *, head_only: bool) -> tuple[int, bool]:
    """The HTTP status of the next answer, and whether the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(None, 2)[1])
    length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), None)
    if head_only or status == 204:
        return status, "connection: close" not in head
    if length is None:
        return status, False  # events, chunked: enough seen
    await reader.readexactly(length)
    return status, "connection: close" not in head


def good_tokens(emulator: Emulator) -> list[str]:
    """Two tokens of a user who is there and not locked, by a clock that was set back: what was sent before may have changed that."""
    emulator.clock.reset()
    emulator.fix_code("13800138000", "246810")
    emulator.fix_code("ann@example.com", "246810")
    with contextlib.suppress(LookupError):
        emulator.delete_user(emulator.user("ann"))
    for user in emulator.users[20:]:
        emulator.delete_user(user)
    try:
        ann = emulator.add_user(username="ann", password="pw", phone="+86 13800138000", mfa=["SMS", "OTP"], totp=True)
    except ValueError:  # another user has the phone by now
        ann = emulator.add_user(username="ann", password="pw", mfa=["SMS", "OTP"], totp=True)
    return [emulator.issue_mfa_token(ann), emulator.issue_user_token(ann)]
