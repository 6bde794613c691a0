"""Async views with the async client, for an ASGI server: client and server share one event loop.

Under a WSGI server Django runs each async view in a new loop, and a shared async client cannot be used: use `views` there.
"""

import os

from body import texts
from django.http import HttpRequest, JsonResponse

from authing_mfa import AuthClient, LoginError, MfaRequiredError, UserInfo

client = AuthClient(
    os.environ["AUTHING_APP_ID"],
    base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
    public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
)


async def view(request: HttpRequest, key: str) -> AuthClient:
    """The client with this browser's own token: an mfaToken between the two factors, an ID token after them."""
    token = await request.session.aget(key)
    if token is None:
        raise LoginError("Log in first.")
    return client.as_user(token)


async def keep(request: HttpRequest, user: UserInfo) -> JsonResponse:
    """Make *user* the user of this browser's session."""
    await request.session.aflush()
    await request.session.aset("id_token", user.id_token)
    return JsonResponse({"user": user.username})


async def login(request: HttpRequest) -> JsonResponse:
    """First factor. The answer names the second factors to choose from, if one is needed."""
    given = texts(request, "account", "password")
    await request.session.aflush()
    try:
        return await keep(request, await client.login_by_account(given["account"], given["password"]))
    except MfaRequiredError as error:
        challenge = error.challenge
        target = {"phone": challenge.phone, "phone_country_code": challenge.phone_country_code}
        await request.session.aupdate({"mfa_token": challenge.token, "target": target})
        return JsonResponse({"factors": [factor.policy for factor in challenge.factors]})


async def code(request: HttpRequest) -> JsonResponse:
    """Send a code to the phone that the challenge names: never to a phone that the browser names."""
    challenged = await view(request, "mfa_token")
    await challenged.send_sms(**await request.session.aget("target"))
    return JsonResponse({})


async def verify(request: HttpRequest) -> JsonResponse:
    """Second factor."""
    given = texts(request, "factor", "code")
    challenged = await view(request, "mfa_token")
    if given["factor"] == "OTP":
        return await keep(request, await challenged.mfa_verify_by_totp(given["code"]))
    target = await request.session.aget("target")
    return await keep(request, await challenged.mfa_verify_by_phone(code=given["code"], **target))


async def me(request: HttpRequest) -> JsonResponse:
    """Return this browser's user."""
    user = await (await view(request, "id_token")).get_current_user()
    return JsonResponse({"user": user.username})


async def logout(request: HttpRequest) -> JsonResponse:
    """Forget the session, also at the service."""
    user = await view(request, "id_token")
    await request.session.aflush()
    await user.logout()
    return JsonResponse({})
