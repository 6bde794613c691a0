"""`AuthClient`: the service's MFA calls as coroutines. Each method is one operation, performed."""

from __future__ import annotations

import asyncio
import copy
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import attrs
from yarl import URL

from authing_mfa import images, passwords, retry
from authing_mfa import operations as ops
from authing_mfa._transport.transport import Transport
from authing_mfa.discovery import Discovery, check_base_url, check_host, check_proxy
from authing_mfa.errors import AuthingError, CallTimeoutError, InvalidInputError
from authing_mfa.protocol import DEFAULT_LIMIT, Answer, Identity, check_header_text, check_token, decode, encode

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    import aiohttp

    from authing_mfa.images import ImageSource
    from authing_mfa.models import Authenticator, CustomField, TotpEnrollment, UserInfo

__all__ = ["AuthClient"]

T = TypeVar("T")

_log = logging.getLogger("authing_mfa")


def _check_positive(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidInputError(f"{name} must be a number above 0.")


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInputError(f"{name} must be a whole number from 1.")


class _Speaker:
    """Whose token a view of the client speaks with; `identity` is made with the first call, which knows the user pool."""

    __slots__ = ("identity", "token")

    def __init__(self, token: str | None) -> None:
        self.token = token
        self.identity: Identity | None = None


class _Engine:
    """What all user views of a client share: pool, discovery, retries. Clock, sleep and chance can be put in by tests."""

    def __init__(
        self,
        transport: Transport,
        *,
        identity: Identity,
        timeout: float,
        max_attempts: int,
        max_image_side: int,
        key: str,
    ) -> None:
        self.transport = transport
        self.timeout = timeout
        self.max_attempts = max_attempts
        self.max_image_side = max_image_side
        self.public_key = key
        self.discovery: Discovery
        self.clock: Callable[[], float] = time.monotonic
        self.sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
        self.chance: Callable[[], float] = random.random
        self._identity = identity
        self._urls: dict[tuple[str, str], URL] = {}

    async def perform(self, operation: ops.Operation[T], speaker: _Speaker) -> Answer[T]:
        """Perform *operation* for *speaker*, repeating it where `retry` allows."""
        self.transport.enter()
        check_token(operation, speaker.token)
        budget = self.timeout
        place = self.discovery.place
        if place is None:
            started = self.clock()
            place = await self.discovery.find(self.ask_public_config)
            budget -= self.clock() - started
            if budget <= 0:
                raise CallTimeoutError("Discovery took all of the call's time.", delivery="not_sent")
        identity = speaker.identity
        if identity is None:
            own = self._identity
            identity = Identity(own.app_id, own.lang, place.user_pool_id, speaker.token)
            speaker.identity = identity
        return await self._repeat(operation, identity, place.base_url, budget)

    async def ask_public_config(self, base_url: str) -> dict[str, Any]:
        """public-config from *base_url*, without a token: what `Discovery` asks."""
        operation = ops.PublicConfig(self._identity.app_id)
        return (await self._repeat(operation, self._identity, base_url, self.timeout)).value

    async def _repeat(self, operation: ops.Operation[T], identity: Identity, base_url: str, budget: float) -> Answer[T]:
        request = encode(operation, identity)
        url = self._url(base_url, request.target)
        transport = self.transport
        attempt = 0
        while True:
            attempt += 1
            slots = transport.slots
            if not slots.take():
                await slots.acquire()
            started = self.clock()  # waiting for a slot does not count
            try:
                response = await transport.send(url, request, budget)
                answer = decode(operation, response, identity.token)
                if _log.isEnabledFor(logging.DEBUG):
                    _note(operation, f"HTTP {response.status}", self.clock() - started, attempt)
                return answer
            except AuthingError as error:
                spent = self.clock() - started
                budget -= spent
                if _log.isEnabledFor(logging.DEBUG):
                    _note(operation, _outcome(error), spent, attempt)
                pause = retry.verdict(
                    operation,
                    error,
                    attempt=attempt,
                    max_attempts=self.max_attempts,
                    budget=budget,
                    jitter=self.chance(),
                )
                if pause is None:
                    raise
            finally:
                slots.release()
            budget -= pause
            await self.sleep(pause)

    def _url(self, base_url: str, target: str) -> URL:
        """The full address, parsed once per endpoint."""
        url = self._urls.get((base_url, target))
        if url is None:
            url = self._urls[base_url, target] = URL(base_url + target, encoded=True)
        return url


def _note(operation: ops.Operation[Any], outcome: str, seconds: float, attempt: int) -> None:
    """One line for one try. Never a message, an argument or a header: they hold secrets, and personal data."""
    _log.debug("%s: %s, %.1f ms, attempt %d", operation.method, outcome, seconds * 1000, attempt)


def _outcome(error: AuthingError) -> str:
    status = getattr(error, "http_status", None)
    how = error.delivery if status is None else f"HTTP {status}"
    return f"{type(error).__name__} {error.code}, {how}"


class AuthClient:
    """One application of the service. Owns one connection pool; safe for any number of concurrent users.

    Make one for the whole process, close it at the end::

        async with AuthClient("APP_ID") as client:
            try:
                user = await client.login_by_account("ada", "secret")
            except MfaRequiredError as error:
                user = await client.as_user(error.challenge.token).mfa_verify_by_totp("123456")

    Args:
        app_id: the application's id.
        token: the bearer of the calls: an mfaToken or a user's id token. `as_user` gives other users theirs.
        host: the service's domain; public-config is asked of ``console.{host}`` and says where calls go.
        scheme: ``https`` or ``http``.
        on_premise: public-config is asked of *host* itself.
        base_url: skips discovery: calls go to ``{base_url}{path}``.
        user_pool_id: named in each call's headers; by default the one public-config names.
        public_key: RSA key for passwords (base64 SPKI or PEM); by default the cloud's.
        lang: language of the service's messages, e.g. ``zh-CN``.
        timeout: seconds for a whole call with its repeats, from the moment it has a connection slot.
        connect_timeout: seconds for making a connection.
        max_connections: how many connections there may be; more callers wait in order.
        proxy: address of an HTTP proxy.
        trust_env: take the proxy from the environment.
        ssl_context: TLS settings, e.g. a private CA.
        session: an aiohttp session whose pool is borrowed. It is never closed, and its cookies and headers are not used.
        max_attempts: how often a call may be tried; 1 turns repeating off. What spends a code is never sent twice.
        max_image_side: longest side of an uploaded photo in pixels; larger ones are scaled down.
        max_response_size: the largest answer that is read, in bytes after decompression.

    Raises:
        InvalidInputError: an argument cannot be right.

    Every call raises an error of `authing_mfa.errors`: `InvalidInputError` and `LoginError` before anything is sent,
    `NetworkError` or `CallTimeoutError` when no whole answer came, `ApiError` and its children when the service said no,
    `ResponseError` when the answer cannot be understood, `ConfigError` when discovery fails.
    """

    def __init__(  # noqa: PLR0913 - each is a documented setting, all but the first by name
        self,
        app_id: str,
        *,
        token: str | None = None,
        host: str = "authing.cn",
        scheme: Literal["https", "http"] = "https",
        on_premise: bool = False,
        base_url: str | None = None,
        user_pool_id: str | None = None,
        public_key: str | None = None,
        lang: str = "en-US",
        timeout: float = 60.0,
        connect_timeout: float = 10.0,
        max_connections: int = 512,
        proxy: str | None = None,
        trust_env: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        session: aiohttp.ClientSession | None = None,
        max_attempts: int = retry.MAX_ATTEMPTS,
        max_image_side: int = 1280,
        max_response_size: int = DEFAULT_LIMIT,
    ) -> None:
        if scheme not in ("https", "http"):
            raise InvalidInputError('scheme must be "https" or "http".')
        _check_positive("timeout", timeout)
        _check_positive("connect_timeout", connect_timeout)
        for name, count in (
            ("max_connections", max_connections),
            ("max_attempts", max_attempts),
            ("max_image_side", max_image_side),
            ("max_response_size", max_response_size),
        ):
            _check_count(name, count)
        _check_ssl_context(ssl_context)
        if public_key is not None and not isinstance(public_key, str):
            raise InvalidInputError("public_key must be text (str): base64 or PEM of a public key.")
        if user_pool_id is not None:
            check_header_text("user_pool_id", user_pool_id)
        identity = Identity(check_header_text("app_id", app_id), check_header_text("lang", lang))
        self._speaker = _Speaker(_checked_token(token))
        self._engine = _Engine(
            Transport(
                connect_timeout=connect_timeout,
                max_connections=max_connections,
                proxy=check_proxy(proxy),
                trust_env=trust_env,
                ssl_context=ssl_context,
                borrowed=session,
                limit=max_response_size,
            ),
            identity=identity,
            timeout=float(timeout),
            max_attempts=max_attempts,
            max_image_side=max_image_side,
            key=passwords.CLOUD_PUBLIC_KEY if public_key is None else public_key,
        )
        self._engine.discovery = Discovery(
            scheme=scheme,
            host=check_host(host),
            on_premise=on_premise,
            user_pool_id=user_pool_id,
            base_url=None if base_url is None else check_base_url(base_url),
        )
        self._owner = True

    def __repr__(self) -> str:
        state = "with a token" if self._speaker.token is not None else "without a token"
        return f"<{type(self).__name__} {state}>"

    async def __aenter__(self) -> Self:
        self._engine.transport.enter()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the pool. Twice is fine. A view that `as_user` made leaves the pool to the client that made it."""
        if self._owner and self._engine.transport.stop():
            await self._engine.discovery.aclose()
            await self._engine.transport.aclose()

    def as_user(self, token: str | None) -> Self:
        """The same client (same pool, same discovery) speaking with another user's *token*; None speaks without one.

        A view costs next to nothing: make one for each user, and throw it away.

        Raises:
            InvalidInputError: the token is empty, not ASCII, or holds a control character.
        """
        view = object.__new__(type(self))
        view._speaker = _Speaker(_checked_token(token))
        view._engine = self._engine
        view._owner = False
        return view

    async def perform(self, operation: ops.Operation[T]) -> T:
        """Perform any operation of `authing_mfa.operations`; the methods below are this with a name."""
        return (await self._engine.perform(operation, self._speaker)).value

    async def _answer(self, operation: ops.Operation[T]) -> Answer[T]:
        """The value with the service's message beside it: what the callback layer hands on."""
        return await self._engine.perform(operation, self._speaker)

    def _tried_once(self) -> Self:
        """A view whose calls are never repeated: for a batch, which waits and repeats for all of its calls together."""
        view = object.__new__(type(self))
        view._speaker = self._speaker
        view._engine = copy.copy(self._engine)
        view._engine.max_attempts = 1
        view._owner = False
        return view

    async def _find_service(self) -> None:
        """Ask for public-config now rather than with the first call.

        Raises:
            ConfigError: public-config cannot be had.
        """
        self._engine.transport.enter()
        await self._engine.discovery.find(self._engine.ask_public_config)

    # ─────────────────────── the eight calls of the reference document ───────────────────────

    async def mfa_check(self, *, phone: str | None = None, email: str | None = None) -> bool:
        """Ask whether a phone number or an e-mail address may be used for MFA: True when it is free, False when taken.

        Args:
            phone: the phone number, without country code.
            email: the e-mail address. One of the two is needed; both given, both are asked about.

        Source: docs/wire.md#mfa-check (on the service's page: `mfaCheck`).
        """
        return await self.perform(ops.MfaCheck(phone, email))

    async def mfa_verify_by_phone(self, phone: str, code: str, *, phone_country_code: str | None = None) -> UserInfo:
        """Verify, or bind, a phone with the code that was sent to it by SMS; the user is logged in.

        Args:
            phone: the phone number, without country code.
            code: the code of the SMS.
            phone_country_code: e.g. ``+86``; sent only when given.

        Source: docs/wire.md#sms-and-e-mail-verification (on the service's page: `mfaVerifyByPhone`).
        """
        return await self.perform(ops.VerifyByPhone(phone, code, phone_country_code))

    async def mfa_verify_by_email(self, email: str, code: str) -> UserInfo:
        """Verify, or bind, an e-mail address with the code that was sent to it; the user is logged in.

        Source: docs/wire.md#sms-and-e-mail-verification (on the service's page: `mfaVerifyByEmail`).
        """
        return await self.perform(ops.VerifyByEmail(email, code))

    async def mfa_verify_by_totp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app; the user is logged in.

        Source: docs/wire.md#totp-verification (on the service's page: `mfaVerifyByOTP`).
        """
        return await self.perform(ops.VerifyByTotp(code))

    async def mfa_verify_by_otp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app; the document's other name for `mfa_verify_by_totp`."""
        return await self.mfa_verify_by_totp(code)

    async def mfa_verify_by_recovery_code(self, code: str) -> UserInfo:
        """Verify with the recovery code; `UserInfo.recovery_code` is the NEW one, the old one is void: show it to the user.

        Source: docs/wire.md#recovery-code (on the service's page: `mfaVerifyByRecoveryCode`).
        """
        return await self.perform(ops.VerifyByRecoveryCode(code))

    async def upload_face_image(self, image: ImageSource, *, private: bool = True) -> str:
        """Upload a face photo and get its key. The photo is turned upright, scaled down and freed of metadata first.

        Args:
            image: a `PIL.Image`, the bytes of a picture file, its path, or a binary file.
            private: whether the service keeps it from public reach.

        Raises:
            ImageError: the picture cannot be read, or is too large to be read safely.

        Source: docs/wire.md#photo-upload (on the service's page: `uploadFaceImage`).
        """
        return await self.perform(await self._upload(image, private=private))

    async def mfa_associate_by_face(self, photo_key_a: str, photo_key_b: str) -> UserInfo:
        """Bind a face with the keys of two uploaded photos; the user is logged in.

        Source: docs/wire.md#face (on the service's page: `mfaAssociateByFace`).
        """
        return await self.perform(ops.AssociateFace(photo_key_a, photo_key_b))

    async def mfa_verify_by_face(self, photo_key: str) -> UserInfo:
        """Verify the bound face with the key of an uploaded photo; the user is logged in.

        Source: docs/wire.md#face (on the service's page: `mfaVerifyByFace`).
        """
        return await self.perform(ops.VerifyByFace(photo_key))

    # ─────────────────────── what a real MFA journey needs around them ───────────────────────

    async def login_by_account(self, account: str, password: str, *, auto_register: bool = False) -> UserInfo:
        """Log in with a user name, phone or e-mail address and the password, which travels encrypted.

        Raises:
            MfaRequiredError: a second factor is due; its challenge says which.

        Source: docs/wire.md#password-login.
        """
        return await self.perform(await self._login(account, password, auto_register=auto_register))

    async def login_by_phone_code(
        self, phone: str, code: str, *, phone_country_code: str | None = None, auto_register: bool = False
    ) -> UserInfo:
        """Log in with a code that was sent by SMS.

        Raises:
            MfaRequiredError: a second factor is due; its challenge says which.

        Source: docs/wire.md#code-login.
        """
        return await self.perform(ops.LoginByPhoneCode(phone, code, phone_country_code, auto_register))

    async def login_by_email_code(self, email: str, code: str, *, auto_register: bool = False) -> UserInfo:
        """Log in with a code that was sent by e-mail.

        Raises:
            MfaRequiredError: a second factor is due; its challenge says which.

        Source: docs/wire.md#code-login.
        """
        return await self.perform(ops.LoginByEmailCode(email, code, auto_register))

    async def send_sms(self, phone: str, *, phone_country_code: str | None = None) -> None:
        """Send a code by SMS.

        Raises:
            RateLimitedError: one was sent less than a minute ago.

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendSms(phone, phone_country_code))

    async def send_mfa_email(self, email: str) -> None:
        """Send an MFA code by e-mail.

        Raises:
            RateLimitedError: one was sent less than a minute ago.

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendMfaEmail(email))

    async def mfa_associate_by_totp(self) -> TotpEnrollment:
        """Ask for a TOTP secret to bind; nothing is in force until `mfa_confirm_totp`.

        Source: docs/wire.md#totp-binding.
        """
        return await self.perform(ops.AssociateTotp())

    async def mfa_confirm_totp(self, code: str) -> UserInfo | None:
        """Confirm the TOTP secret with a first code; the user where the service answers one, else None.

        Source: docs/wire.md#totp-confirmation.
        """
        return await self.perform(ops.ConfirmTotp(code))

    async def mfa_delete_totp(self) -> None:
        """Unbind TOTP; needs a logged-in user's token.

        Source: docs/wire.md#totp-deletion.
        """
        await self.perform(ops.DeleteTotp())

    async def mfa_list_authenticators(self) -> tuple[Authenticator, ...]:
        """List the user's TOTP authenticators, unconfirmed ones included.

        Source: docs/wire.md#authenticator-list.
        """
        return await self.perform(ops.ListAuthenticators())

    async def mfa_unbind_phone(self) -> None:
        """Unbind the MFA phone; needs a logged-in user's token.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindPhone())

    async def mfa_unbind_email(self) -> None:
        """Unbind the MFA e-mail address; needs a logged-in user's token.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindEmail())

    async def mfa_unbind_factor(self, factor_id: str) -> None:
        """Reset one factor by its id.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindFactor(factor_id))

    async def get_current_user(self) -> UserInfo:
        """The user whose token the client speaks with.

        Source: docs/wire.md#profile.
        """
        return await self.perform(ops.GetCurrentUser())

    async def get_custom_user_data(self, user_id: str) -> tuple[CustomField, ...]:
        """The user pool's own fields of one user.

        Source: docs/wire.md#custom-data.
        """
        return await self.perform(ops.GetCustomUserData(user_id))

    # ─────────────────────── operations that take some making ───────────────────────

    async def _login(self, account: str, password: str, *, auto_register: bool = False) -> ops.LoginByAccount:
        self._engine.transport.enter()
        plain = ops.LoginByAccount(account, password, auto_register)
        # In a thread: the first one imports the cryptography library.
        sealed = await asyncio.to_thread(passwords.encrypt, plain.password, self._engine.public_key)
        return attrs.evolve(plain, password=sealed)

    async def _upload(self, image: ImageSource, *, private: bool = True) -> ops.UploadFaceImage:
        self._engine.transport.enter()
        data = await asyncio.to_thread(images.prepare, image, max_side=self._engine.max_image_side)
        return ops.UploadFaceImage(data, private)


def _checked_token(token: str | None) -> str | None:
    return None if token is None else check_header_text("token", token)


def _check_ssl_context(context: object) -> None:
    if context is None:
        return
    import ssl  # aiohttp has loaded it by the time a context can be given

    if not isinstance(context, ssl.SSLContext):
        raise InvalidInputError(
            "ssl_context must be an ssl.SSLContext: certificate checks cannot be switched off by a flag."
        )
