"""The admin API is what its OpenAPI document says; health, and changing users."""

from __future__ import annotations

import asyncio
import re

from authing_mfa.emulator.http.admin import _HANDLERS
from authing_mfa.emulator.http.openapi import document


def test_the_document_has_every_call_and_no_other():
    """By method and first word of the path; operation ids are unique."""
    paths = document("http://127.0.0.1:7070")["paths"]
    told = {(method.upper(), path.split("/")[1]) for path, methods in paths.items() for method in methods}
    assert told == set(_HANDLERS)
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))


TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def is_of(value, name):
    """True if *value* is of the JSON type *name*; true and false are no numbers."""
    return isinstance(value, TYPES[name]) and isinstance(value, bool) <= (name == "boolean")


async def test_answers_have_the_shape_that_the_document_says(emu, api):
    """Each reading call with a JSON schema: required fields are there, every field is known to the document, and of its type."""
    user = emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS"], totp=True)
    emu.send_code("13800138000")
    emu.faults.add("mfa_check", status=503)
    await api.upload(b"photo")
    spec = await api.get("/_emulator/openapi.json")
    assert spec["servers"] == [{"url": f"{emu.url}/_emulator"}]

    def check(value, schema, where):
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        assert not kinds or any(is_of(value, kind) for kind in kinds), (where, value)
        assert value in schema.get("enum", [value]), where
        if "properties" in schema:
            assert set(schema["required"]) <= value.keys() <= schema["properties"].keys(), where
            for name, item in value.items():
                check(item, schema["properties"][name], f"{where}.{name}")
        elif "items" in schema:
            for item in value:
                check(item, schema["items"], f"{where}[]")

    for path, methods in spec["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            continue
        asked = re.sub(r"\{id\}", user.id, path)
        check(await api.get(f"/_emulator{asked}"), schema, path)


async def test_head_is_answered_where_get_is(emu, session):
    """A health check of a load balancer asks so; the event stream ends there too."""
    for path in ("health", "info", "events", "users"):
        async with session.head(f"{emu.url}/_emulator/{path}") as response:
            assert (response.status, await asyncio.wait_for(response.read(), 20)) == (200, b"")


async def test_users_are_changed_over_the_admin_api(emu, api):
    """Change, lock, unlock, unbind, delete; what is not there is 404, what cannot be 400."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS", "OTP"], totp=True)
    path = f"/_emulator/users/{ann.id}"
    assert (await api.call("PATCH", path, {"username": "bea", "password": "new", "nickname": "B"}))[1][
        "username"
    ] == "bea"
    assert (await api.login("bea", "new"))["code"] == 1636
    assert (await api.post(f"{path}/lock", {"seconds": 60}))["locked"] is True
    assert (await api.login("bea", "new"))["code"] == 2005
    assert (await api.post(f"{path}/unlock"))["locked"] is False
    for factor in ("SMS", "totp"):
        await api.call("DELETE", f"{path}/factors/{factor}")
    assert (ann.mfa_phone, ann.totp_enabled) == (None, False)
    for method, target, body in (
        ("PATCH", path, {"colour": 1}),
        ("DELETE", f"{path}/factors/NOSE", None),
        ("POST", f"{path}/lock", {"seconds": -1}),
    ):
        assert (await api.call(method, target, body))[0] == 400
    token = emu.issue_user_token(ann)
    assert (await api.call("DELETE", path))[1] == {"deleted": ann.id}
    assert (await api.call("GET", path))[0] == 404
    assert (await api.get("/api/v2/users/me", token))["code"] == 2020
    assert emu.add_user(username="bea", password="pw", phone="13800138000")
