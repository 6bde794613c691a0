"""Addresses: of the page behind a proxy, of the emulator by its host name, of recipients in the inbox."""

from __future__ import annotations

import asyncio
import json
import socket
from http.client import HTTPConnection
from urllib.parse import urlsplit

import aiohttp
import pytest

from authing_mfa.emulator import Emulator
from tests.needs import require_module


@pytest.mark.parametrize(
    ("forwarded", "origin", "status"),
    [
        ("https", "https://mfa.localhost:8443", 200),
        ("http", "http://mfa.localhost:8443", 200),
        (None, "http://mfa.localhost:8443", 200),
        ("https", "http://mfa.localhost:8443", 403),
        ("https", "https://mfa.localhost:9443", 403),
        (None, "https://mfa.localhost:8443", 403),
        ("gopher", "gopher://mfa.localhost:8443", 403),
    ],
)
async def test_page_behind_a_proxy_that_ends_tls(emu, api, forwarded, origin, status):
    """The buttons of the page work: its origin has the scheme that the browser sees. Other pages are refused as ever."""
    told = {} if forwarded is None else {"X_Forwarded_Proto": forwarded}
    headers = {"Host": "mfa.localhost:8443", "Origin": origin, "Sec_Fetch_Site": "same-origin", **told}
    assert (await api.call("POST", "/_emulator/messages", {"to": "13800138000"}, **headers))[0] == status
    assert len(emu.outbox) == (status == 200)


async def test_page_behind_a_proxy_in_front_of_tls():
    """The proxy serves plain HTTP and speaks TLS to the emulator."""
    require_module("trustme")
    with Emulator(tls=True) as emu:
        headers = {"Host": "mfa.localhost:8080", "Origin": "http://mfa.localhost:8080", "X-Forwarded-Proto": "http"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{emu.url}/_emulator/reset", headers=headers, ssl=emu.client_ssl_context()) as answer,
        ):
            assert answer.status == 200


async def test_inbox_of_a_foreign_number(emu, api):
    """By the number with its country code in any spelling, or as it was given; and never the Chinese number with the same digits."""
    for country in ("+44", "+86"):
        await api.post("/api/v2/sms/send", {"phone": "7700900123", "phoneCountryCode": country})
    british, chinese = (message.code for message in emu.outbox)

    async def shown(to):
        return [message["code"] for message in (await api.get(f"/_emulator/inbox?to={to}"))["messages"]]

    for to in ("%2B447700900123", "%2B44+7700+900123"):
        assert await shown(to) == [british], to
    for to in ("%2B867700900123", "%2B86+7700+900123"):
        assert await shown(to) == [chinese], to
    for to in ("7700900123", "7700-900-123"):
        assert await shown(to) == [chinese, british], to
    assert await shown("%2B17700900123") == []


async def test_inbox_waits_for_a_foreign_number(emu, api):
    """The documented way to read a code: ask for the next message to the user's number."""
    asked = asyncio.create_task(api.get("/_emulator/inbox?to=%2B447700900123&wait=30"))
    await asyncio.sleep(0)
    await api.post("/api/v2/sms/send", {"phone": "7700900123", "phoneCountryCode": "+44"})
    (message,) = (await asyncio.wait_for(asked, 60))["messages"]
    assert message["code"] == emu.code_for("+447700900123")


def test_emulator_is_reached_by_the_host_name_that_it_listens_on():
    """127.1 is a name to the emulator that every system resolves. No other name is allowed."""
    with Emulator(host="127.1", allow_remote=True) as emu:
        port = int(emu.url.rpartition(":")[2])
        assert emu.url == f"http://127.1:{port}"
        for name, status in (("127.1", 200), ("127.2.example", 421)):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/_emulator/info", headers={"Host": f"{name}:{port}", "Connection": "close"})
            answer = connection.getresponse()
            content = json.loads(answer.read())
            connection.close()
            assert answer.status == status
            assert content.get("url", emu.url) == emu.url


@pytest.mark.parametrize("host", ["127.1", "0.0.0.0"])
def test_certificate_names_the_address_that_is_printed(monkeypatch, host):
    """A phone that trusts the authority reaches the address in the network, and everybody the host name."""
    require_module("trustme")
    monkeypatch.setattr("authing_mfa.emulator.emulator.own_addresses", lambda: ["192.0.2.7"])
    with Emulator(host=host, allow_remote=True, tls=True) as emu:
        named = [urlsplit(url).hostname for url in (emu.url, *emu.lan_urls)]
        assert ("192.0.2.7" in named) == (host != "127.1")
        for name in named:
            with (
                socket.create_connection(("127.0.0.1", urlsplit(emu.url).port), 60) as plain,
                emu.client_ssl_context().wrap_socket(plain, server_hostname=name) as secured,
            ):
                assert secured.version(), name
