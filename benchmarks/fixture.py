"""The answer that every contender reads: a verified user as the service gives it, 60 fields, 2.3 KB."""

from __future__ import annotations

import json
from typing import Any

USER: dict[str, Any] = {
    "id": "64f0c0ffee0123456789abcd",
    "arn": "arn:cn:authing:64f0c0ffee0123456789aaaa:user:64f0c0ffee0123456789abcd",
    "userPoolId": "64f0c0ffee0123456789aaaa",
    "status": "Activated",
    "workStatus": "Active",
    "externalId": None,
    "email": "ada.lovelace@example.com",
    "emailVerified": True,
    "phone": "13800138000",
    "phoneCountryCode": "+86",
    "phoneVerified": True,
    "username": "ada",
    "unionid": None,
    "openid": None,
    "nickname": "Ada",
    "registerSource": ["basic:email"],
    "photo": "https://files.example.com/authing-console/default-user-avatar.png",
    "loginsCount": 1815,
    "lastLogin": "2026-11-24T08:00:00.000Z",
    "lastIP": "203.0.113.7",
    "signedUp": "2024-01-02T03:04:05.678Z",
    "blocked": False,
    "isDeleted": False,
    "name": "Ada Lovelace",
    "givenName": "Ada",
    "familyName": "Lovelace",
    "middleName": None,
    "preferredUsername": "ada",
    "profile": None,
    "website": None,
    "gender": "F",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "address": None,
    "formatted": None,
    "streetAddress": "12 St James Square",
    "locality": "London",
    "region": "Westminster",
    "postalCode": "SW1Y 4JH",
    "country": "GB",
    "city": "London",
    "province": None,
    "company": "Analytical Engines Ltd",
    "department": "Mathematics",
    "browser": "Mozilla/5.0",
    "device": "desktop",
    "createdAt": "2024-01-02T03:04:05.678Z",
    "updatedAt": "2026-11-24T08:00:00.000Z",
    "lastMfaTime": None,
    "passwordLastSetAt": "2024-01-02T03:04:05.678Z",
    "resetPasswordOnFirstLogin": False,
    "resetPasswordOnNextLogin": False,
    "resetedPassword": False,
    "statusChangedAt": "2024-01-02T03:04:05.678Z",
    "userSourceType": "register",
    "userSourceId": None,
    "thirdPartyIdentity": {"provider": None, "refreshToken": None, "accessToken": None},
    "tokenExpiredAt": "2026-12-08T08:00:00.000Z",
    "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJzdWIiOiI2NGYwYzBmZmVl" * 23 + ".c2lnbmF0dXJl",
}
ANSWER: bytes = json.dumps(
    {"code": 200, "message": "MFA verified", "data": USER, "requestId": "6a7d2f54-9a1c-4b6e-8f0a-3d5b1c2e4f60"},
    separators=(",", ":"),
).encode()

PATH = "/api/v2/mfa/totp/verify"
BODY = {"totp": "123456", "authenticatorType": "totp"}
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJzY29wZSI6Im1mYSIs" * 8 + ".c2lnbmF0dXJl"
APP_ID = "64f0c0ffee0123456789bbbb"
POOL_ID = "64f0c0ffee0123456789aaaa"
HEADERS = {
    "x-authing-app-id": APP_ID,
    "x-authing-request-from": "authing-mfa-python@1.0.0",
    "x-authing-sdk-version": "1.0.0",
    "x-authing-lang": "en-US",
    "x-authing-userpool-id": POOL_ID,
    "Authorization": f"Bearer {TOKEN}",
}
"""What the service wants to see in the call, whoever makes it."""
