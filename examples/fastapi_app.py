"""FastAPI: log in with a second factor. One async client for the process, one session for each browser.

Try it on the emulator, with the user `demo` / `emulator-demo`::

    SESSION_SECRET=change-me authing-mfa emulator exec -- uvicorn --app-dir examples fastapi_app:app
"""

from __future__ import annotations

import math
import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware

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

RECENT = 300  # seconds during which a second factor counts as fresh


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for all requests: it belongs to the event loop that uvicorn runs."""
    async with AuthClient(
        os.environ["AUTHING_APP_ID"],
        base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
        public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
    ) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)
# The cookie is signed, not encrypted. It holds only this user's own tokens, and scripts of the page cannot read it.
app.add_middleware(SessionMiddleware, secret_key=os.environ["SESSION_SECRET"], same_site="strict")


class Account(BaseModel):
    """The fields of a login."""

    account: str
    password: str


class Code(BaseModel):
    """A code that the user has typed."""

    factor: str = "OTP"
    code: str


def anybody(request: Request) -> AuthClient:
    """The client without a token."""
    client: AuthClient = request.app.state.client
    return client


def challenged(request: Request) -> AuthClient:
    """A view for the browser that has passed the first factor."""
    token = request.session.get("mfa_token")
    if token is None:
        raise HTTPException(401, "log in first")
    return anybody(request).as_user(token)


def logged_in(request: Request) -> AuthClient:
    """A view for the browser's own user."""
    token = request.session.get("id_token")
    if token is None:
        raise HTTPException(401, "log in first")
    return anybody(request).as_user(token)


def just_verified(request: Request, client: Annotated[AuthClient, Depends(logged_in)]) -> AuthClient:
    """The same, for actions that need a fresh second factor (step-up)."""
    if time.time() - request.session.get("verified_at", 0) > RECENT:
        raise HTTPException(403, "pass the second factor again")
    return client


def keep(request: Request, user: UserInfo, *, verified: bool) -> dict[str, Any]:
    """Make *user* the user of this browser's session."""
    request.session.clear()
    request.session["id_token"] = user.id_token
    if verified:
        request.session["verified_at"] = time.time()
    return {"user": user.username}


@app.post("/login")
async def login(request: Request, given: Account, client: Annotated[AuthClient, Depends(anybody)]) -> dict[str, Any]:
    """First factor. The answer names the second factors to choose from, if one is needed."""
    request.session.clear()
    try:
        return keep(request, await client.login_by_account(given.account, given.password), verified=False)
    except MfaRequiredError as error:
        challenge = error.challenge
        request.session.update(mfa_token=challenge.token, phone=challenge.phone, country=challenge.phone_country_code)
        return {"factors": [factor.policy for factor in challenge.factors]}


@app.post("/code")
async def code(request: Request, client: Annotated[AuthClient, Depends(challenged)]) -> dict[str, Any]:
    """Send a code to the phone that the challenge names: never to a phone that the browser names."""
    await client.send_sms(request.session["phone"], phone_country_code=request.session["country"])
    return {}


@app.post("/verify")
async def verify(request: Request, given: Code, client: Annotated[AuthClient, Depends(challenged)]) -> dict[str, Any]:
    """Second factor."""
    if given.factor == "OTP":
        user = await client.mfa_verify_by_totp(given.code)
    else:
        phone, country = request.session["phone"], request.session["country"]
        user = await client.mfa_verify_by_phone(phone, given.code, phone_country_code=country)
    return keep(request, user, verified=True)


@app.get("/me")
async def me(client: Annotated[AuthClient, Depends(logged_in)]) -> dict[str, Any]:
    """Return this browser's user."""
    return {"user": (await client.get_current_user()).username}


@app.post("/step-up")
async def step_up(request: Request, given: Code, client: Annotated[AuthClient, Depends(logged_in)]) -> dict[str, Any]:
    """A second factor of a user who is logged in: a code of the authenticator app."""
    if not await client.check_totp(given.code):
        raise HTTPException(400, "the code is wrong")
    request.session["verified_at"] = time.time()
    return {}


@app.post("/transfer")
async def transfer(client: Annotated[AuthClient, Depends(just_verified)]) -> dict[str, Any]:
    """An action that needs a fresh second factor."""
    return {"transferred_by": (await client.get_current_user()).username}


@app.post("/logout")
async def logout(request: Request, client: Annotated[AuthClient, Depends(logged_in)]) -> dict[str, Any]:
    """Forget the session, also at the service."""
    request.session.clear()
    await client.logout()
    return {}


@app.exception_handler(AuthingError)
async def authing_error(_: Request, error: AuthingError) -> JSONResponse:
    """Turn an error of the service or the network into an HTTP status. Decide by class or code, never by message."""
    answer, headers = {"error": error.code, "message": error.message}, {}
    match error:
        case WrongPasswordError():  # the same answer for all its codes: nobody learns which accounts exist
            status, answer = 400, {"error": 2333, "message": "The account or the password is wrong."}
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
    return JSONResponse(answer, status, headers)
