"""A running emulator with a stopped clock, and a plain HTTP client for it."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from PIL import Image, ImageDraw

from authing_mfa.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

START = 1_800_000_000.0


class Api:
    """Plain HTTP to one emulator, as any client in any language uses it."""

    def __init__(self, session: aiohttp.ClientSession, emulator: Emulator) -> None:
        self.session, self.emulator, self.url = session, emulator, emulator.url

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """The HTTP status and the JSON that *path* answers."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.url + path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def post(self, path: str, body: Any = None, token: str | None = None, **headers: str) -> Any:
        """The JSON that a POST answers."""
        return (await self.call("POST", path, body, token, **headers))[1]

    async def get(self, path: str, token: str | None = None, **headers: str) -> Any:
        """The JSON that a GET answers."""
        return (await self.call("GET", path, None, token, **headers))[1]

    async def session_status(self, method: str, path: str) -> int:
        """The HTTP status of *path*, whatever the body is."""
        async with self.session.request(method, self.url + path) as response:
            return response.status

    async def login(self, account: str, password: str, **more: Any) -> Any:
        """Log in with a password, encrypted as clients do it."""
        body = {"account": account, "password": self.encrypted(password), **more}
        return await self.post("/api/v2/login/account", body)

    async def token_of(self, account: str, password: str) -> str:
        """The token of a finished login."""
        return str((await self.login(account, password))["data"]["token"])

    async def upload(self, picture: bytes, query: str = "folder=photos&private=true") -> str:
        """Upload a picture and return its key."""
        form = aiohttp.FormData()
        form.add_field("file", picture, filename="personal.jpeg", content_type="image/jpeg")
        async with self.session.post(f"{self.url}/api/v2/upload?{query}", data=form) as response:
            return str((await response.json())["data"]["key"])

    def encrypted(self, password: str) -> str:
        """*password* for the emulator's key."""
        key = load_der_public_key(base64.b64decode(self.emulator.public_key))
        assert isinstance(key, RSAPublicKey)
        return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


@pytest.fixture
def emu() -> Iterator[Emulator]:
    """An emulator whose time stands at START until a test moves it, and whose secrets are always the same."""
    with Emulator(seed=7, clock=lambda: START) as emulator:
        yield emulator


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session that keeps no cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


@pytest.fixture
def api(session: aiohttp.ClientSession, emu: Emulator) -> Api:
    """Plain HTTP to `emu`."""
    return Api(session, emu)


@pytest.fixture
def api_of(session: aiohttp.ClientSession) -> Any:
    """Plain HTTP to an emulator of the test's own."""
    return lambda emulator: Api(session, emulator)


def face(shade: int = 0, size: tuple[int, int] = (480, 640)) -> Image.Image:
    """A drawn face; another *shade* is another person."""
    width, height = size
    image = Image.new("RGB", size, (200, 210, 220 - shade))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.2, height * 0.15, width * 0.8, height * 0.85), fill=(230 - shade, 180, 150))
    for x in (0.38, 0.62):
        left, top = width * (x - 0.05) + shade / 2, height * 0.4 + shade
        draw.ellipse((left, top, left + width * 0.1, top + height * 0.05), fill=(20, 40, 60))
    return image


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """*image* as a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture
def pictures() -> Any:
    """Drawn faces: `pictures(person)` is a JPEG, `pictures(person, size, quality)` another take of the same face."""
    return lambda person=0, size=(480, 640), quality=90: jpeg(face(person * 60, size), quality)
