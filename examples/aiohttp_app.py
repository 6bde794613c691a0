"""aiohttp.web: log in with a second factor. One async client for the application, one session for each browser.

Sessions are kept in this process and never expire: in production use a store that lets them expire. The cookie is only their
name. Try it on the emulator, with the user `demo` / `emulator-demo`::

    authing-mfa emulator exec -- python examples/aiohttp_app.py
"""

from __future__ import annotations

import argparse
import math
import os
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authing_mfa import (
    AccountLockedError,
    AuthClient,
    AuthingError,
    ConfigError,
    InvalidMfaTokenError,
    LoginError,
    MfaRequiredError,
    NetworkError,
    NotAuthenticatedError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    UserInfo,
    WrongPasswordError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLIENT = web.AppKey("CLIENT", AuthClient)
SESSIONS = web.AppKey("SESSIONS", dict[str, dict[str, Any]])
COOKIE = "session"
routes = web.RouteTableDef()


async def clients(app: web.Application) -> AsyncIterator[None]:
    """Open the client when the application starts, close it when the application ends."""
    async with AuthClient(
        os.environ["AUTHING_APP_ID"],
        base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
        public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
    ) as client:
        app[CLIENT] = client
        yield


def session_of(request: web.Request) -> dict[str, Any]:
    """The session of this browser."""
    return request.app[SESSIONS].get(request.cookies.get(COOKIE, ""), {})


def view(request: web.Request, key: str) -> AuthClient:
    """The client with this browser's own token: an mfaToken between the two factors, an ID token after them."""
    token = session_of(request).get(key)
    if token is None:
        raise web.HTTPUnauthorized
    return request.app[CLIENT].as_user(token)


async def texts(request: web.Request, *names: str) -> dict[str, Any]:
    """Return the request's JSON object, in which each of *names* is a text.

    A form of another site cannot send JSON: without this check it could log a browser in as somebody else.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        given = await request.json()
    except ValueError:
        raise web.HTTPBadRequest from None
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        raise web.HTTPBadRequest
    return given


def begin(request: web.Request, answer: dict[str, Any], **session: Any) -> web.Response:
    """Answer with a new session that replaces the browser's old one."""
    request.app[SESSIONS].pop(request.cookies.get(COOKIE, ""), None)
    name = secrets.token_urlsafe()
    request.app[SESSIONS][name] = session
    response = web.json_response(answer)
    response.set_cookie(COOKIE, name, httponly=True, samesite="Strict")
    return response


def keep(request: web.Request, user: UserInfo) -> web.Response:
    """Make *user* the user of this browser's session."""
    return begin(request, {"user": user.username}, id_token=user.id_token)


@routes.post("/login")
async def login(request: web.Request) -> web.Response:
    """First factor. The answer names the second factors to choose from, if one is needed."""
    given = await texts(request, "account", "password")
    try:
        return keep(request, await request.app[CLIENT].login_by_account(given["account"], given["password"]))
    except MfaRequiredError as error:
        challenge = error.challenge
        factors = [factor.policy for factor in challenge.factors]
        target = {"phone": challenge.phone, "phone_country_code": challenge.phone_country_code}
        return begin(request, {"factors": factors}, mfa_token=challenge.token, target=target)


@routes.post("/code")
async def code(request: web.Request) -> web.Response:
    """Send a code to the phone that the challenge names: never to a phone that the browser names."""
    await view(request, "mfa_token").send_sms(**session_of(request)["target"])
    return web.json_response({})


@routes.post("/verify")
async def verify(request: web.Request) -> web.Response:
    """Second factor."""
    given = await texts(request, "factor", "code")
    challenged = view(request, "mfa_token")
    if given["factor"] == "OTP":
        return keep(request, await challenged.mfa_verify_by_totp(given["code"]))
    return keep(request, await challenged.mfa_verify_by_phone(code=given["code"], **session_of(request)["target"]))


@routes.get("/me")
async def me(request: web.Request) -> web.Response:
    """Return this browser's user."""
    return web.json_response({"user": (await view(request, "id_token").get_current_user()).username})


@routes.post("/logout")
async def logout(request: web.Request) -> web.Response:
    """Forget the session, also at the service."""
    user = view(request, "id_token")
    request.app[SESSIONS].pop(request.cookies.get(COOKIE, ""), None)
    await user.logout()
    return web.json_response({})


@web.middleware
async def authing_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Turn an error of the service or the network into an HTTP status. Decide by class or code, never by message."""
    try:
        answer: web.StreamResponse = await handler(request)
    except AuthingError as error:
        refusal, headers = {"error": error.code, "message": error.message}, {}
        match error:
            case WrongPasswordError():  # the same answer for all its codes: nobody learns which accounts exist
                status, refusal = 400, {"error": 2333, "message": "The account or the password is wrong."}
            case LoginError() | NotAuthenticatedError() | InvalidMfaTokenError():
                status = 401
            case AccountLockedError():
                status = 423
            case RateLimitedError(retry_after=seconds):
                status = 429
                headers = {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}
            case NetworkError() | ConfigError() | ResponseError() | ServiceError():
                status = 502
            case _:
                status = 400
        return web.json_response(refusal, status=status, headers=headers)
    return answer


def make_app() -> web.Application:
    """Make the application."""
    app = web.Application(middlewares=[authing_errors])
    app[SESSIONS] = {}
    app.cleanup_ctx.append(clients)
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    web.run_app(make_app(), host="127.0.0.1", port=parser.parse_args().port, print=None)
