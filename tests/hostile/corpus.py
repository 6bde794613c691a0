"""Inputs that once made the package fail, and inputs like them; `test_corpus.py` gives each one to its entrance.

When you repair a fault that one input causes, add the input here. If a fault needs more than one input (a moment, an
order, two processes), write a separate test for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.servers import USER, ok, reply


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        given: the input, in the form that its entrance takes.
        end: what must happen: the name of an error, an exit code, or a part of an error's text; "a value" if it succeeds.
    """

    given: Any
    end: Any


NESTED = b'{"code":200,"data":' + b"[" * 45_000 + b"]" * 45_000 + b"}"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}"
NO_TEXT = "\udcff"  # what Python makes of the byte 0xFF in an argument or a variable
SECRET = "JBSWY3DPEHPK3PXP"
DEEP_TOKEN = "h." + "W1tb" * 20_000 + ".s"  # the middle is base64 of "[[["

ANSWERS = {
    "45,000 nested lists": Case(("get_current_user", reply(NESTED)), "ResponseError"),
    "390,000 factors": Case(
        ("mfa_verify_by_totp", reply({"code": 1636, "data": {"mfaToken": "t", "applicationMfa": [{}] * 390_000}})),
        "ResponseError",
    ),
    "a chunk whose length is no number": Case(("get_current_user", CHUNK), "NetworkError"),
    "a switch of protocols": Case(("get_current_user", SWITCH), "ResponseError"),
    "a cookie of 9 kB": Case(
        ("get_current_user", reply({"code": 200, "data": USER}, 200, "Set-Cookie: a=" + "x" * 9000)),
        "a value",
    ),
    "a token that nests too deeply": Case(("get_current_user", ok({**USER, "token": DEEP_TOKEN})), "a value"),
    "half of a surrogate pair": Case(
        ("get_current_user", reply(b'{"code":200,"data":{"id":"\\ud800"}}')), "ResponseError"
    ),
    "a number of 5,000 digits": Case(("get_current_user", reply(b'{"code":' + b"9" * 5000 + b"}")), "ResponseError"),
    "a date that no calendar has": Case(
        ("get_current_user", reply({"code": 499}, 429, "Retry-After: Wed, 99 Foo 20261 07:28:00 GMT")),
        "RateLimitedError",
    ),
    "a wait of 400 digits": Case(
        ("get_current_user", reply({"code": 499}, 429, "Retry-After: " + "9" * 400)), "RateLimitedError"
    ),
    "False as a user": Case(("get_current_user", ok(False)), "ResponseError"),
    "0 as a list": Case(("mfa_list_authenticators", ok(0)), "ResponseError"),
    "a v3 success with apiCode 20001": Case(
        ("list_enrolled_factors", reply({"statusCode": 200, "apiCode": 20001, "data": []})), "a value"
    ),
    "a v3 success with apiCode 0": Case(
        ("list_enrolled_factors", reply({"statusCode": 200, "apiCode": 0, "data": []})), "a value"
    ),
    "a v3 error inside HTTP 200": Case(
        ("list_enrolled_factors", reply({"statusCode": 401, "apiCode": 0, "data": []})), "NotAuthenticatedError"
    ),
    "2021 where a code is sent": Case(("send_sms", reply({"code": 2021, "message": "no template"})), "ApiError"),
    "422 of a factor": Case(
        ("mfa_unbind_factor", reply({"statusCode": 422, "apiCode": 422, "message": "no"})), "ApiError"
    ),
}
"""The name of the method, and the bytes that the service answers."""

SETTINGS = {
    "a list as the scheme": Case({"scheme": ["http"]}, "InvalidInputError"),
    "a time-out of 400 digits": Case({"timeout": 10**400}, "InvalidInputError"),
    "a time-out that is no number": Case({"timeout": float("nan")}, "InvalidInputError"),
    '"false" as a flag': Case({"trust_env": "false"}, "InvalidInputError"),
    "True as a number": Case({"max_connections": True}, "InvalidInputError"),
    "half an IPv6 address": Case({"base_url": "http://[::1"}, "InvalidInputError"),
    "half an IPv6 zone": Case({"host": "[fe80::1%eth0"}, "InvalidInputError"),
    "a line break in the language": Case({"lang": "zh\r\nX: 1"}, "InvalidInputError"),
    "a SOCKS proxy": Case({"proxy": "socks5://127.0.0.1:1"}, "InvalidInputError"),
    "a password in the address": Case({"base_url": "http://u:secret@h"}, "InvalidInputError"),
}
"""The keyword arguments of a client, beside app_id."""

URL = "http://127.0.0.1:1/photo.jpg"
ARGUMENTS = {
    "half of a surrogate pair": Case(("mfa_verify_by_totp", {"code": "\ud800"}), "InvalidInputError"),
    "an address as a picture": Case(("upload_face_image", {"image": URL}), "ImageError"),
    "base64 text as a picture": Case(("upload_face_image", {"image": "/9j/4AAQ" * 600}), "ImageError"),
    "half a JPEG": Case(("upload_face_image", {"image": b"\xff\xd8\xff\xe0" + b"\0" * 40}), "ImageError"),
    "nothing to check": Case(("mfa_check", {}), "InvalidInputError"),
    "False as a code": Case(("mfa_verify_by_totp", {"code": False}), "InvalidInputError"),
}
"""The name of the method and its arguments. Nothing may be sent."""

COMMANDS = {
    "a code with half of a surrogate pair": Case((["verify", "totp", "--code-stdin"], {}, "\ud800\n"), 2),
    "half an IPv6 address": Case((["--base-url", "http://[::1", "whoami"], {}, ""), 2),
    "no IPv6 address in brackets": Case((["--base-url", "http://[zz]", "whoami"], {}, ""), 2),
    "half an IPv6 address as the host": Case((["whoami"], {"AUTHING_HOST": "[::1", "AUTHING_BASE_URL": ""}, ""), 2),
    "a time-out that is no number": Case((["config", "set", "timeout", "nan"], {}, ""), 2),
    "a token that nests too deeply": Case((["doctor"], {"AUTHING_TOKEN": DEEP_TOKEN}, ""), 3),
    "a token whose exp has 400 digits": Case((["doctor"], {"AUTHING_TOKEN": "h.eyJleHAiOjFlNDAwfQ.s"}, ""), 3),
    "an application that is no text": Case((["whoami"], {"AUTHING_APP_ID": NO_TEXT, "AUTHING_TOKEN": ""}, ""), 2),
    "an application that is no text, for doctor": Case((["--app-id", NO_TEXT, "doctor"], {}, ""), 2),
    "a setting that is no text": Case((["config", "set", "host", NO_TEXT], {}, ""), 2),
    "a file name that no profile can hold": Case((["config", "set", "ca_file", NO_TEXT], {}, ""), 2),
    "a folder of nobody": Case((["config", "list"], {"AUTHING_CONFIG_DIR": "~no-such-user/x"}, ""), 2),
    "a photo with a name of 3,000 letters": Case((["face", "verify", "a" * 3000], {}, ""), 2),
    "half an IPv6 address as a TOTP secret": Case((["totp", "code"], {"AUTHING_TOTP_SECRET": "otpauth://[x"}, ""), 2),
    "a period of 400 digits": Case(
        (["totp", "code"], {"AUTHING_TOTP_SECRET": f"otpauth://totp/a?secret={SECRET}&period=1{'0' * 400}"}, ""), 2
    ),
    "a TOTP account that is no text": Case(
        (["totp", "qr", "--account", NO_TEXT], {"AUTHING_TOTP_SECRET": SECRET}, ""), 2
    ),
    "a TOTP account that no QR picture can hold": Case(
        (["totp", "qr", "--account", "a" * 3000], {"AUTHING_TOTP_SECRET": SECRET}, ""), 2
    ),
    "a port that is no number": Case((["emulator", "inbox", "--url", "http://127.0.0.1:x"], {}, ""), 2),
    "a space in an address": Case((["emulator", "inbox", "--url", "http://127.0.0.1:1/a b"], {}, ""), 2),
    "a recipient that is no text": Case((["emulator", "inbox", "--to", NO_TEXT], {}, ""), 2),
    "an authority that is not there": Case(
        (["emulator", "inbox", "--url", "https://127.0.0.1:1"], {"AUTHING_CA_FILE": "/no/such/file"}, ""), 2
    ),
}
"""The arguments, more variables of the environment, and standard input. Nothing listens at the service's address."""

FILES = {
    "bytes that are no text": Case(b"kind,phone\n\xff\xfe,1\n", 7),
    "one stray quote": Case(b'kind,code\ntotp,"1\ntotp,2\n', 7),
    "UTF-16": Case("kind\tcode\ntotp\t1\n".encode("utf-16"), 0),
    "a byte order mark": Case(b"\xef\xbb\xbfkind,phone,code\nphone,1,2\n", 0),
    "the same column twice": Case(b"kind,kind\ntotp,totp\n", 2),
    "zeros": Case(b"\0" * 100, 2),
    "nothing": Case(b"", 2),
}
"""The content of a batch's CSV file."""

JOURNALS = {
    "a database in memory": Case("sqlite:///file::memory:?uri=true", "uri="),
    "an unescaped @": Case("postgresql://u:sec@ret@127.0.0.1:1/db", "@"),
    "no ://": Case("postgresql:u:secret@127.0.0.1/db", "://"),
    "another database": Case("mysql://u:secret@127.0.0.1/db", "postgresql"),
}
"""The journal of a batch. The command's error holds `end`, and not the password."""

REQUESTS = {
    "half of a surrogate pair": Case(b'{"email":"a@example.com","scene":"\\ud800"}', 400),
    "NaN": Case(b'{"email":"a@example.com","scene":NaN}', 400),
    "600 nested lists": Case(b'{"scene":' + b"[" * 600 + b"]" * 600 + b"}", 400),
    "a number without end": Case(b'{"scene":1e999}', 400),
}
"""The body of a request to the emulator."""

SEEDS = {
    "a number as a password": Case({"users": [{"username": "a", "password": 5}]}, "password"),
    "text as users": Case({"users": "everybody"}, "users"),
    "text as a time": Case({"settings": {"code_ttl": "soon"}}, "code_ttl"),
}
"""The seed of an emulator. The error holds `end`."""
