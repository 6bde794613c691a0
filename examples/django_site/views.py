"""Plain views with the sync client: for WSGI servers, and for ASGI servers, which run them in threads."""

import os

from body import texts
from django.http import HttpRequest, JsonResponse

from authing_mfa import LoginError, MfaRequiredError, UserInfo
from authing_mfa.sync import AuthClient

client = AuthClient(
    os.environ["AUTHING_APP_ID"],
    base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
    public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
)


def view(request: HttpRequest, key: str) -> AuthClient:
    """The client with this browser's own token: an mfaToken between the two factors, an ID token after them."""
    token = request.session.get(key)
    if token is None:
        raise LoginError("Log in first.")
    return client.as_user(token)


def keep(request: HttpRequest, user: UserInfo) -> JsonResponse:
    """Make *user* the user of this browser's session."""
    request.session.flush()
    request.session["id_token"] = user.id_token
    return JsonResponse({"user": user.username})


def login(request: HttpRequest) -> JsonResponse:
    """First factor. The answer names the second factors to choose from, if one is needed."""
    given = texts(request, "account", "password")
    request.session.flush()
    try:
        return keep(request, client.login_by_account(given["account"], given["password"]))
    except MfaRequiredError as error:
        challenge = error.challenge
        target = {"phone": challenge.phone, "phone_country_code": challenge.phone_country_code}
        request.session.update({"mfa_token": challenge.token, "target": target})
        return JsonResponse({"factors": [factor.policy for factor in challenge.factors]})


def code(request: HttpRequest) -> JsonResponse:
    """Send a code to the phone that the challenge names: never to a phone that the browser names."""
    view(request, "mfa_token").send_sms(**request.session["target"])
    return JsonResponse({})


def verify(request: HttpRequest) -> JsonResponse:
    """Second factor."""
    given = texts(request, "factor", "code")
    challenged = view(request, "mfa_token")
    if given["factor"] == "OTP":
        return keep(request, challenged.mfa_verify_by_totp(given["code"]))
    return keep(request, challenged.mfa_verify_by_phone(code=given["code"], **request.session["target"]))


def me(request: HttpRequest) -> JsonResponse:
    """Return this browser's user."""
    return JsonResponse({"user": view(request, "id_token").get_current_user().username})


def logout(request: HttpRequest) -> JsonResponse:
    """Forget the session, also at the service."""
    user = view(request, "id_token")
    request.session.flush()
    user.logout()
    return JsonResponse({})
