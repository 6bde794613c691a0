"""Flask: log in with a second factor. One sync client for the process, one session for each browser.

The client may be made at import, before gunicorn forks: each worker makes its own loop and connections with its first call.
Try it on the emulator, with the user `demo` / `emulator-demo`::

    SESSION_SECRET=change-me authing-mfa emulator exec -- gunicorn --chdir examples --workers 2 --threads 8 flask_app:app
"""

from __future__ import annotations

import math
import os
from typing import Any

from flask import Flask, abort, request, session

from authing_mfa import (
    AccountLockedError,
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
from authing_mfa.sync import AuthClient

app = Flask(__name__)
# The cookie is signed, not encrypted. It holds only this user's own tokens, and scripts of the page cannot read it.
app.config.update(SECRET_KEY=os.environ["SESSION_SECRET"], SESSION_COOKIE_SAMESITE="Strict")

client = AuthClient(
    os.environ["AUTHING_APP_ID"],
    base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
    public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
)


def view(key: str) -> AuthClient:
    """The client with this browser's own token: an mfaToken between the two factors, an ID token after them."""
    token = session.get(key)
    if token is None:
        abort(401)
    return client.as_user(token)


def texts(*names: str) -> dict[str, Any]:
    """Return the request's JSON object, in which each of *names* is a text.

    A form of another site cannot send JSON, and Flask refuses it: else it could log a browser in as somebody else.
    """
    given = request.get_json()
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        abort(400)
    return given


def keep(user: UserInfo) -> dict[str, Any]:
    """Make *user* the user of this browser's session."""
    session.clear()
    session["id_token"] = user.id_token
    return {"user": user.username}


@app.post("/login")
def login() -> dict[str, Any]:
    """First factor. The answer names the second factors to choose from, if one is needed."""
    given = texts("account", "password")
    session.clear()
    try:
        return keep(client.login_by_account(given["account"], given["password"]))
    except MfaRequiredError as error:
        challenge = error.challenge
        session.update(mfa_token=challenge.token, phone=challenge.phone, country=challenge.phone_country_code)
        return {"factors": [factor.policy for factor in challenge.factors]}


@app.post("/code")
def code() -> dict[str, Any]:
    """Send a code to the phone that the challenge names: never to a phone that the browser names."""
    view("mfa_token").send_sms(session["phone"], phone_country_code=session["country"])
    return {}


@app.post("/verify")
def verify() -> dict[str, Any]:
    """Second factor."""
    given = texts("factor", "code")
    challenged = view("mfa_token")
    if given["factor"] == "OTP":
        return keep(challenged.mfa_verify_by_totp(given["code"]))
    phone, country = session["phone"], session["country"]
    return keep(challenged.mfa_verify_by_phone(phone, given["code"], phone_country_code=country))


@app.get("/me")
def me() -> dict[str, Any]:
    """Return this browser's user."""
    return {"user": view("id_token").get_current_user().username}


@app.post("/logout")
def logout() -> dict[str, Any]:
    """Forget the session, also at the service."""
    user = view("id_token")
    session.clear()
    user.logout()
    return {}


@app.errorhandler(AuthingError)
def authing_error(error: AuthingError) -> tuple[dict[str, Any], int, dict[str, str]]:
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
    return answer, status, headers
