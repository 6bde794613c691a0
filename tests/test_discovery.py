"""Where calls go: public-config, asked once, and what is made of it. A proxy on loopback stands for the whole internet.

More than 300 lines: one test for each answer that public-config can give.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import ContextVar, copy_context
from urllib.parse import quote

import pytest
from yarl import URL

from authing_mfa import AuthClient, CallTimeoutError, ConfigError, InvalidInputError, LoginError, UsageError
from authing_mfa.discovery import api_base, check_base_url, check_host, check_proxy, config_base
from tests.servers import USER, Drop, Seen, ok, reply, serving

CONFIG_PATH = "/api/v2/applications/app/public-config"


class Internet:
    """Answers, as a proxy does, for every host: public-config with *config* (bytes: as they are), all else with a user."""

    def __init__(self, config: object = None) -> None:
        self.config = {} if config is None else config
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, seen: Seen) -> bytes:
        if seen.path.endswith(CONFIG_PATH):
            await self.gate.wait()
            if isinstance(self.config, Exception):
                raise self.config
            return self.config if isinstance(self.config, bytes) else ok(self.config)
        return ok(USER)


def client_of(proxy, **options) -> AuthClient:
    options = {"host": "authing.test", "scheme": "http", "token": "tok-en", "max_attempts": 1, **options}
    return AuthClient("app", proxy=proxy.url, **options)


async def asked(config: object, **options) -> list[str]:
    """The addresses of discovery and of one call after it."""
    async with serving(Internet(config)) as proxy, client_of(proxy, **options) as client:
        await client.get_current_user()
    return [seen.target for seen in proxy.seen]


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({}, "core.authing.test"),
        ({"identifier": "shop"}, "shop.authing.test"),
        ({"identifier": "shop", "requestHostname": "login.shop.test"}, "login.shop.test"),
        ({"identifier": "", "requestHostname": ""}, "core.authing.test"),
        ({"identifier": None, "requestHostname": None}, "core.authing.test"),
        ({"requestHostname": "127.0.0.1:8080"}, "127.0.0.1:8080"),
        ({"requestHostname": "::1"}, "[::1]"),
    ],
)
async def test_the_cloud(config, place):
    """public-config is asked of the console; then requestHostname, else identifier, else core, before the host."""
    assert await asked(config) == [
        f"http://console.authing.test{CONFIG_PATH}",
        f"http://{place}/api/v2/users/me",
    ]


async def test_on_premise():
    """With `on_premise` the host itself is asked."""
    config = {"requestHostname": "login.shop.test"}
    assert await asked(config, on_premise=True) == [
        f"http://authing.test{CONFIG_PATH}",
        "http://login.shop.test/api/v2/users/me",
    ]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:8080", "10.1.2.3:8080"),
        ("authing.test:8080", "authing.test:8080"),
        ("localhost:81", "localhost:81"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("[fe80::1]:8443", "[fe80::1]:8443"),
    ],
)
@pytest.mark.parametrize("on_premise", [False, True])
async def test_a_literal_host_is_used_as_it_is(host, address, on_premise):
    """An IP address, or a host with a port, gets the request itself, and a host name in its answer is ignored."""
    config = {"requestHostname": "elsewhere.test", "identifier": "shop", "userPoolId": "pool-1"}
    async with serving(Internet(config)) as proxy, client_of(proxy, host=host, on_premise=on_premise) as client:
        await client.get_current_user()
    assert [seen.target for seen in proxy.seen] == [
        f"http://{address}{CONFIG_PATH}",
        f"http://{address}/api/v2/users/me",
    ]
    assert proxy.seen[1].header("x-authing-userpool-id") == "pool-1"


async def test_base_url_skips_discovery():
    """With `base_url` nothing is asked; its path stays in front, its last slash goes."""
    async with (
        serving(Internet()) as proxy,
        AuthClient("app", token="t", base_url="http://gw.test:81/auth/", proxy=proxy.url) as client,
    ):
        await client.get_current_user()
    assert [seen.target for seen in proxy.seen] == ["http://gw.test:81/auth/api/v2/users/me"]


async def test_the_console_never_sees_a_token():
    """Discovery sends no user's token."""
    async with serving(Internet({"userPoolId": "pool-1"})) as proxy, client_of(proxy) as client:
        await client.get_current_user()
    discovery, call = proxy.seen
    assert discovery.header("Authorization") is None
    assert discovery.header("x-authing-app-id") == "app"
    assert discovery.header("x-authing-userpool-id") is None
    assert call.header("Authorization") == "Bearer tok-en"
    assert call.header("x-authing-userpool-id") == "pool-1"


@pytest.mark.parametrize(
    ("named", "given", "expected"),
    [
        ("pool-1", None, "pool-1"),
        ("pool-1", "mine", "mine"),
        (None, None, None),
        (5, None, None),
        ("", None, None),
        ("中", None, None),
        ("a\nb", None, None),
    ],
)
async def test_the_user_pool(named, given, expected):
    """The pool that public-config names goes into the headers unless one is given; nonsense does not."""
    async with serving(Internet({"userPoolId": named})) as proxy, client_of(proxy, user_pool_id=given) as client:
        await client.get_current_user()
    assert proxy.seen[1].header("x-authing-userpool-id") == expected


async def test_a_hundred_first_callers_ask_once():
    """However many first calls run, of however many users, public-config is asked once."""
    async with serving(internet := Internet()) as proxy, client_of(proxy) as client:
        internet.gate.clear()
        calls = [asyncio.create_task(client.as_user(f"user-{n}").get_current_user()) for n in range(100)]
        await proxy.saw(1)
        internet.gate.set()
        await asyncio.gather(*calls)
        await client.get_current_user()
    assert Counter(seen.path.endswith("public-config") for seen in proxy.seen) == {True: 1, False: 101}


async def test_connect_finds_the_service_and_reaches_it():
    """`connect` asks for the address, then makes a connection to that address; the first call asks nothing again."""
    async with serving(Internet()) as proxy, client_of(proxy) as client:
        await client.connect()
        assert [(seen.header("Host"), seen.path.rpartition("/")[2]) for seen in proxy.seen] == [
            ("console.authing.test", "public-config"),
            ("core.authing.test", "public-config"),
        ]
        await client.get_current_user()
    assert len(proxy.seen) == 3


FAILURES = [
    (Drop(), "broke"),
    (reply(b"<html>", 502), "502"),
    (reply({"code": 2011, "message": "no such app"}), "no such app"),
    (reply({"code": 200, "data": None}), "public_config"),
    (reply([]), "public_config"),
    (reply(b""), "empty"),
    ({"requestHostname": "https://x.test"}, "invalid host"),
    ({"requestHostname": "x.test/path"}, "invalid host"),
    ({"requestHostname": "ada@x.test"}, "invalid host"),
    ({"requestHostname": 5}, "invalid host"),
    ({"identifier": "a b"}, "invalid host"),
    ({"identifier": {"x": 1}}, "invalid host"),
]


@pytest.mark.parametrize(("config", "words"), FAILURES, ids=lambda value: repr(value)[:50])
async def test_a_failure_is_raised_and_not_stored(config, words):
    """Every caller that waited gets its own ConfigError, nothing is sent to a guessed address; the next call asks again."""
    async with serving(internet := Internet(config)) as proxy, client_of(proxy) as client:
        internet.gate.clear()
        calls = [asyncio.create_task(client.get_current_user()) for _ in range(3)]
        await proxy.saw(1)
        internet.gate.set()
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert len({id(error) for error in errors}) == 3
        for error in errors:
            assert isinstance(error, ConfigError)
            assert (error.code, error.delivery) == (10002, "not_sent")
            assert words in str(error)
        assert len(proxy.seen) == 1
        internet.config = {}
        assert (await client.get_current_user()).id == "u1"


async def test_discovery_is_repeated_like_any_harmless_call():
    """A dropped connection or a 5xx is tried again before a caller gets an error."""
    configs = [Drop(), reply(b"", 503), ok({})]

    async def script(seen: Seen) -> bytes:
        if not seen.path.endswith("public-config"):
            return ok(USER)
        answer = configs.pop(0)
        if isinstance(answer, Drop):
            raise answer
        return answer

    async with serving(script) as proxy, client_of(proxy, max_attempts=3) as client:
        client._core.random = lambda: 0.0
        assert (await client.get_current_user()).id == "u1"
    assert [seen.path.endswith("public-config") for seen in proxy.seen] == [True, True, True, False]


async def test_a_cancelled_first_caller_cancels_no_other():
    """The caller that began to ask goes away; the others, and those who come later, get their answer from the same question."""
    async with serving(internet := Internet()) as proxy, client_of(proxy) as client:
        internet.gate.clear()
        first = asyncio.create_task(client.get_current_user())
        await proxy.saw(1)
        second = asyncio.create_task(client.get_current_user())
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        internet.gate.set()
        assert (await second).id == "u1"
    assert [seen.path.endswith("public-config") for seen in proxy.seen] == [True, False]


async def test_a_failure_without_callers_is_not_reported():
    """No caller waits any more when discovery fails: no warning about an exception that was never retrieved."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with serving(internet := Internet(Drop())) as proxy, client_of(proxy) as client:
        internet.gate.clear()
        only = asyncio.create_task(client.get_current_user())
        await proxy.saw(1)
        only.cancel()
        await asyncio.wait([only])
        question = client._core.discovery._pending
        assert question is not None
        internet.gate.set()
        await asyncio.wait([question], timeout=60)
        internet.config = {}
        assert (await client.get_current_user()).id == "u1"
    assert complaints == []


async def test_closing_ends_the_question():
    """If a client is closed while it asks, the waiting callers get an error with a sentence."""
    async with serving(internet := Internet()) as proxy:
        internet.gate.clear()
        client = client_of(proxy)
        calls = [asyncio.create_task(client.get_current_user()) for _ in range(3)]
        await proxy.saw(1)
        await client.aclose()
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, UsageError)
            assert "closed" in str(error)
        internet.gate.set()
        await proxy.emptied()


async def test_a_caller_cancelled_while_the_client_closes_is_cancelled():
    """Its own cancellation is not turned into another error."""
    async with serving(internet := Internet()) as proxy:
        internet.gate.clear()
        client = client_of(proxy)
        call = asyncio.create_task(client.get_current_user())
        await proxy.saw(1)
        question = client._core.discovery._pending
        assert question is not None
        question.add_done_callback(lambda _: call.cancel())  # at the very moment when the question is given up
        await client.aclose()
        internet.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_what_needs_no_question_is_answered_first():
    """A call without the token it needs is refused before anything is asked."""
    async with serving(Internet()) as proxy, client_of(proxy, token=None) as client:
        with pytest.raises(LoginError):
            await client.get_current_user()
    assert proxy.connections == 0


async def test_the_first_callers_context_stays_its_own():
    """The shared request runs in an empty context: nothing of the first caller's context leaks into it."""
    who: ContextVar[str] = ContextVar("who", default="nobody")
    seen = []
    async with serving(Internet()) as proxy, client_of(proxy) as client:
        ask = client._core.fetch_public_config

        async def note(base_url: str):
            seen.append(who.get())
            return await ask(base_url)

        client._core.fetch_public_config = note
        context = copy_context()
        context.run(who.set, "ada")
        await asyncio.create_task(client.get_current_user(), context=context)
    assert seen == ["nobody"]


async def test_a_task_factory_that_takes_no_context_will_do():
    """The program's own, written when Python called it with the loop and the coroutine alone."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine: asyncio.Task(coroutine, loop=loop))
    try:
        async with serving(Internet()) as proxy, client_of(proxy) as client:
            assert (await client.get_current_user()).id == "u1"
    finally:
        loop.set_task_factory(None)


async def test_time_spent_on_discovery_counts():
    """A first call that waited for discovery has less time left, and without time it is a time-out before sending."""
    async with serving(internet := Internet()) as proxy, client_of(proxy, timeout=5.0) as client:
        now = 100.0
        client._core.clock = lambda: now
        internet.gate.clear()
        call = asyncio.create_task(client.get_current_user())
        await proxy.saw(1)
        now = 106.0
        internet.gate.set()
        with pytest.raises(CallTimeoutError, match="all of the call's time") as caught:
            await call
        assert (caught.value.code, caught.value.delivery) == (10001, "not_sent")
        assert len(proxy.seen) == 1


# ─────────────────────── addresses ───────────────────────


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("authing.cn", "authing.cn"),
        (" authing.cn ", "authing.cn"),
        ("a_b-c.x", "a_b-c.x"),
        ("localhost", "localhost"),
        ("h:1", "h:1"),
        ("h:65535", "h:65535"),
        ("1.2.3.4", "1.2.3.4"),
        ("::1", "[::1]"),
        ("[::1]:80", "[::1]:80"),
        ("fe80::1%eth0.1", "[fe80::1%eth0.1]"),
        ("[fe80::1%25lo]:80", "[fe80::1%25lo]:80"),
    ],
)
def test_good_hosts(host, expected):
    """Names and addresses, with a port or without."""
    assert check_host(host) == expected


BAD_NAMES = [
    "",
    " ",
    None,
    5,
    "https://authing.cn",
    "a/b",
    "a?b",
    "a b",
    "a@b",
    "a..b",
    ".a",
    "a.",
    "-a",
    "ä.cn",
    "a\nb",
]
BAD_PORTS = [
    "h:",
    "h:0",
    "h:65536",
    "h:99999",
    "h:²",
    "h:x",
    "h:1:2",
    "[::1",
    "::1]",
    "[::1]:",
    "[::1]x",
    "[1.2.3.4]",
    "[]",
]
BAD_ZONES = [f"fe80::1%a{sign}b" for sign in "@#?/[]\\ \t:é．"]


@pytest.mark.parametrize("host", [*BAD_NAMES, *BAD_PORTS, *BAD_ZONES], ids=ascii)
def test_bad_hosts(host):
    """A value that would make another address than intended, or crash later, is refused at once."""
    with pytest.raises(InvalidInputError, match="host must be"):
        AuthClient("app", host=host)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://x.authing.cn", "https://x.authing.cn"),
        (" http://127.0.0.1:80/ ", "http://127.0.0.1:80"),
        ("http://[::1]:80/a/b//", "http://[::1]:80/a/b"),
        ("https://h/a%20b", "https://h/a%20b"),
    ],
)
def test_good_base_urls(base_url, expected):
    """http or https, a host, perhaps a path."""
    assert check_base_url(base_url) == expected


BAD_ADDRESSES = ["", 5, "x.authing.cn", "ftp://x", "HTTPS://x", "http://", "http:///x", "http://a b", "http://ä.cn"]
BAD_ENDS = [
    "http://h:",
    "http://h:99999",
    "http://[::1",
    "http://h?x=1",
    "http://h/?x",
    "http://h/#x",
    "http://h/ä",
    "http://h/a b",
]


@pytest.mark.parametrize("base_url", [*BAD_ADDRESSES, *BAD_ENDS, "http://ada:pw@h", "http://h\0"])
def test_bad_base_urls(base_url):
    """Without scheme, with a query, a password or an invalid port: refused at once, and no password is shown."""
    with pytest.raises(InvalidInputError, match="base_url") as caught:
        AuthClient("app", base_url=base_url)
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize(
    "proxy",
    ["", 5, "proxy:3128", "socks5://p:1", "http://", "http://ada:hunter2@", "http://ada:hunter2@p:x", "http://p/ä"],
)
def test_bad_proxies(proxy):
    """A proxy that is not an address is refused at once, without its password."""
    with pytest.raises(InvalidInputError, match="proxy must be") as caught:
        AuthClient("app", proxy=proxy)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("sign", "#/?[]\\")
@pytest.mark.parametrize("place", ["ada{}:hunter2", "ada:hun{}hunter2", "ada:12{}3hunter2", "{}hunter2"])
def test_a_password_with_a_sign_that_ends_an_address_is_refused(place, sign):
    """Else its beginning would be the host or the port, and another machine would get the service's address. Encoded, it is taken."""
    with pytest.raises(InvalidInputError, match="# is %23") as caught:
        AuthClient("app", proxy=f"http://{place.format(sign)}@proxy.test:3128")
    assert "hunter2" not in str(caught.value)
    encoded = f"http://{place.format(quote(sign, safe=''))}@proxy.test:3128"
    assert URL(check_proxy(encoded)).host == "proxy.test"


def test_good_proxies():
    """It may hold a name and a password; None is no proxy."""
    assert check_proxy(" http://ada:p%40ss@proxy.test:3128 ") == "http://ada:p%40ss@proxy.test:3128"
    assert check_proxy("https://[::1]:1/") == "https://[::1]:1/"
    assert check_proxy(None) is None


def test_where_config_and_calls_go():
    """The two rules, as pure functions."""
    assert config_base("https", "authing.cn", on_premise=False) == "https://console.authing.cn"
    assert config_base("https", "authing.cn", on_premise=True) == "https://authing.cn"
    assert api_base("https", "authing.cn", {}) == "https://core.authing.cn"
    assert api_base("http", "h:1", {"requestHostname": "x"}) == "http://h:1"
