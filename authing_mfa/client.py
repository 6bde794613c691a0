"""`AuthClient`: the service's MFA calls as coroutines. Each method performs one operation.

More than 300 lines: it is one class, with one documented method for each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from authing_mfa import operations as ops
from authing_mfa import retry
from authing_mfa._core import Core, Credentials
from authing_mfa._options import ClientOptions
from authing_mfa._sentences import in_language_of_client, translate
from authing_mfa.errors import InvalidInputError
from authing_mfa.protocol import DEFAULT_LIMIT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    import aiohttp

    from authing_mfa._progress import Observer
    from authing_mfa.call_record import CallRecord
    from authing_mfa.discovery import Service
    from authing_mfa.images import ImageSource
    from authing_mfa.models import (
        Authenticator,
        Captcha,
        CustomField,
        Factor,
        FactorEnrollment,
        IdToken,
        MfaTokenInfo,
        SecurityLevel,
        TotpEnrollment,
        UserInfo,
    )
    from authing_mfa.protocol import Answer

__all__ = ["AuthClient", "copy_attributes"]

T = TypeVar("T")


def copy_attributes(client: object, view: object) -> None:
    """Copy the attributes of *client* to *view*. Their class is a subclass of `AuthClient`, which may have further attributes."""
    state: Any = object.__getstate__(client)  # in slots as well, and whatever the subclass says of pickling
    attributes, slots = state if isinstance(state, tuple) else (state, {})
    vars(view).update(attributes)
    for name, value in slots.items():
        object.__setattr__(view, name, value)


@in_language_of_client
class AuthClient:
    """An asynchronous client for one application of the service. It owns one connection pool and serves any number of concurrent users.

    Make one client for the whole process, and close it at the end::

        async with AuthClient("APP_ID") as client:
            try:
                user = await client.login_by_account("ada", "secret")
            except MfaRequiredError as error:
                user = await client.as_user(error.challenge.token).mfa_verify_by_totp("123456")

    Args:
        app_id: the application's id.
        token: the bearer token of the calls: an mfaToken or a user's ID token. Use `as_user` for more users.
        host: the service's domain; public-config is requested from ``console.{host}`` and names the address of the API.
        scheme: ``https`` or ``http``.
        on_premise: True if public-config is requested from *host* itself.
        base_url: the address of the API. Requests go to ``{base_url}{path}``, and public-config is not requested.
        user_pool_id: sent in each request's headers; by default the id in public-config.
        public_key: RSA key for passwords (base64 SPKI or PEM); by default the cloud's.
        lang: language of messages, e.g. ``zh-CN``. This package's own errors are in English or Chinese.
        timeout: seconds for a whole call with its retries, from the moment it has a connection slot.
        connect_timeout: seconds for making a connection.
        max_connections: the maximum number of connections; further calls wait in order.
        proxy: address of an HTTP proxy.
        trust_env: True if the proxy is read from the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY).
        ssl_context: TLS settings, e.g. a private CA.
        session: an aiohttp session whose connection pool is used. It must belong to the event loop on which the client is
            used; the client never closes it. Of the session's own settings only the pool's (limits, TLS, DNS) and the trace
            configs are used, not its cookies, headers, base URL, auth, time-outs, proxy, trust_env, middlewares or limits of
            header size. An exception in a trace callback is logged and does not affect the call.
        max_attempts: the maximum number of tries of a call; 1 turns retries off. A call that spends a code is never sent twice.
        max_image_side: longest side of an uploaded photo in pixels; larger photos are scaled down.
        max_image_memory: bytes that preparing one photo may need; a photo that needs more is refused.
        max_response_size: the largest answer that is read, in bytes after decompression.
        on_call: a function that is called on the event loop with the `CallRecord` of each finished call. An exception in it
            is logged and does not affect the call.

    Raises:
        InvalidInputError: an argument is not valid.

    Every call can raise these errors of `authing_mfa.errors`: `InvalidInputError` and `LoginError` before anything is sent,
    `NetworkError` or `CallTimeoutError` if no whole answer came, `ApiError` and its subclasses if the service refused,
    `ResponseError` if the answer is not valid, `ConfigError` if public-config is not available.
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
        max_image_memory: int = 512 * 1024 * 1024,
        max_response_size: int = DEFAULT_LIMIT,
        on_call: Callable[[CallRecord], Any] | None = None,
    ) -> None:
        try:
            options = ClientOptions(
                app_id=app_id,
                token=token,
                host=host,
                scheme=scheme,
                on_premise=on_premise,
                base_url=base_url,
                user_pool_id=user_pool_id,
                public_key=public_key,
                lang=lang,
                timeout=timeout,
                connect_timeout=connect_timeout,
                max_connections=max_connections,
                proxy=proxy,
                trust_env=trust_env,
                ssl_context=ssl_context,
                session=session,
                max_attempts=max_attempts,
                max_image_side=max_image_side,
                max_image_memory=max_image_memory,
                max_response_size=max_response_size,
                on_call=on_call,
            )
        except InvalidInputError as error:
            translate(error, str(lang))
            raise
        self._core = Core(options)
        self._credentials = Credentials(options.token)
        self._owner = True

    @classmethod
    def from_core(cls, core: Core) -> Self:
        """Make a client on a *core* that was made with another clock, sleep or randomness. No `__init__` is called.

        Args:
            core: the engine of the client.

        Returns:
            The client. It closes *core* when it is closed.
        """
        client = object.__new__(cls)
        client._core = core
        client._credentials = Credentials(core.options.token)
        client._owner = True
        return client

    def __repr__(self) -> str:
        state = "with a token" if self._credentials.token is not None else "without a token"
        return f"<{type(self).__name__} {state}>"

    async def __aenter__(self) -> Self:
        self._core.transport.enter()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection pool. Calling it again has no effect.

        A view that `as_user` made does not close the pool: the client that made the view does.
        """
        if self._owner:
            await self._core.aclose()

    def as_user(self, token: str | None) -> Self:
        """Return a view of this client (same pool, same discovery) that sends another user's *token*.

        A view is cheap: make one for each user. A view of a subclass has the attributes that the client has now.

        Args:
            token: an mfaToken or a user's ID token; None: the view sends no token.

        Returns:
            A view of this client. Closing the view has no effect.

        Raises:
            InvalidInputError: the token is empty, not ASCII, or holds a control character.
        """
        view = object.__new__(type(self))
        if view.__class__ is not AuthClient:
            copy_attributes(self, view)
        view._core = self._core
        try:
            view._credentials = Credentials(token)
        except InvalidInputError as error:
            translate(error, self._core.options.lang)
            raise
        view._owner = False
        return view

    def _observe(self, observer: Observer) -> None:
        """Tell *observer* of every call of this client and its views that begins from now on."""
        self._core.observers += (observer,)

    @property
    def _service(self) -> Service:
        """The application and the service, for a batch's journal."""
        return self._core.options.service

    @property
    def max_connections(self) -> int:
        """The maximum number of connections of this client. Further calls wait in order."""
        return self._core.transport.max_connections

    async def connect(self) -> None:
        """Find the service and make one connection: a readiness probe.

        Raises:
            ConfigError: the application's public-config is not available.
            NetworkError: the service cannot be reached, or its answer is HTTP 5xx (`delivery` is then ``answered``).
        """
        await self._core.connect()

    async def perform(self, operation: ops.Operation[T], *, max_attempts: int | None = None) -> T:
        """Perform any operation of `authing_mfa.operations`. Each method below performs one.

        Args:
            operation: the operation. Its password is encrypted and its picture prepared before anything is sent.
            max_attempts: the maximum number of tries; None: the client's `max_attempts`.

        Returns:
            The operation's result.

        Raises:
            AuthingError: one of its subclasses, see `AuthClient`.
        """
        return (await self._core.perform(operation, self._credentials, max_attempts=max_attempts)).value

    async def answer(self, operation: ops.Operation[T], *, max_attempts: int | None = None) -> Answer[T]:
        """Perform *operation* like `perform`, and return its value together with the service's message.

        Args:
            operation: the operation.
            max_attempts: the maximum number of tries; None: the client's `max_attempts`.

        Returns:
            The value and the message.

        Raises:
            AuthingError: one of its subclasses, see `AuthClient`.
        """
        return await self._core.perform(operation, self._credentials, max_attempts=max_attempts)

    # ─────────────────────── the eight calls of the reference document ───────────────────────

    async def mfa_check(self, *, phone: str | None = None, email: str | None = None) -> bool:
        """Check whether a phone number or an e-mail address may be bound for MFA: True if it is free, False if it is bound already.

        It needs an mfaToken: call it on the view that `as_user` gives. It changes nothing, so it is retried if the
        connection fails.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            email: the e-mail address. One of the two is needed; if both are given, both are sent.

        Returns:
            True if it may be bound, False if it is bound already.

        Raises:
            InvalidInputError: neither was given, or one is empty.
            LoginError: the client has no token; nothing was sent.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.

        Example::

            from authing_mfa import AuthClient, MfaChallenge

            async def is_free(client: AuthClient, challenge: MfaChallenge, phone: str) -> bool:
                return await client.as_user(challenge.token).mfa_check(phone=phone)

        Source: docs/wire.md#mfa-check (on the service's page: `mfaCheck`).
        """
        return await self.perform(ops.MfaCheck(phone, email))

    async def mfa_verify_by_phone(self, phone: str, code: str, *, phone_country_code: str | None = None) -> UserInfo:
        """Verify, or bind, a phone with the code that was sent to it by SMS; the user is logged in.

        It needs an mfaToken: call it on the view that `as_user` gives. The call spends the code, so it is never sent
        again once the service may have seen it. If an error has ``delivery == "unknown"``, the code may be spent: send
        a new one.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            code: the code of the SMS, usually four to six digits.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: an argument is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Example::

            from authing_mfa import AuthClient, MfaChallenge, UserInfo

            async def second_factor(client: AuthClient, challenge: MfaChallenge, phone: str, code: str) -> UserInfo:
                return await client.as_user(challenge.token).mfa_verify_by_phone(phone, code)

        Source: docs/wire.md#sms-and-e-mail-verification (on the service's page: `mfaVerifyByPhone`).
        """
        return await self.perform(ops.VerifyByPhone(phone, code, phone_country_code))

    async def mfa_verify_by_email(self, email: str, code: str) -> UserInfo:
        """Verify, or bind, an e-mail address with the code that was sent to it; the user is logged in.

        It needs an mfaToken: call it on the view that `as_user` gives. The call spends the code, so it is never sent
        again once the service may have seen it. If an error has ``delivery == "unknown"``, the code may be spent: send
        a new one.

        Args:
            email: the e-mail address.
            code: the code of the message, usually four to six digits.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: an argument is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Example::

            from authing_mfa import AuthClient, MfaChallenge, UserInfo

            async def second_factor(client: AuthClient, challenge: MfaChallenge, email: str, code: str) -> UserInfo:
                return await client.as_user(challenge.token).mfa_verify_by_email(email, code)

        Source: docs/wire.md#sms-and-e-mail-verification (on the service's page: `mfaVerifyByEmail`).
        """
        return await self.perform(ops.VerifyByEmail(email, code))

    async def mfa_verify_by_totp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app; the user is logged in.

        It needs an mfaToken: call it on the view that `as_user` gives. The call spends the code, so it is never sent
        again once the service may have seen it. If an error has ``delivery == "unknown"``, the code may be spent: ask
        the user for the app's next code.

        Args:
            code: six digits, which the app changes every 30 seconds.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: the code is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Example::

            from authing_mfa import AuthClient, MfaChallenge, UserInfo

            async def second_factor(client: AuthClient, challenge: MfaChallenge, code: str) -> UserInfo:
                return await client.as_user(challenge.token).mfa_verify_by_totp(code)

        Source: docs/wire.md#totp-verification (on the service's page: `mfaVerifyByOTP`).
        """
        return await self.perform(ops.VerifyByTotp(code))

    async def mfa_verify_by_otp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app: another name of `mfa_verify_by_totp`.

        Args:
            code: six digits, which the app changes every 30 seconds.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: the code is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Source: docs/wire.md#totp-verification (on the service's page: `mfaVerifyByOTP`).
        """
        return await self.mfa_verify_by_totp(code)

    async def mfa_verify_by_recovery_code(self, code: str) -> UserInfo:
        """Verify with the recovery code, which is void afterwards. `UserInfo.recovery_code` is the new code: show it to the user.

        It needs an mfaToken: call it on the view that `as_user` gives. The call spends the code, so it is never sent
        again once the service may have seen it. If an error has ``delivery == "unknown"``, the old code may be spent
        and the new one lost: docs/client.md#retries-and-unknown-outcomes says what to do. So it is if the call is cancelled:
        docs/client.md#cancelling-a-call shows how to keep the new code then.

        Args:
            code: the recovery code, six groups of four letters and digits joined by ``-``.

        Returns:
            The user, with the ID token of the finished login and the new recovery code.

        Raises:
            InvalidInputError: the code is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the recovery code is wrong or void.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Example::

            from authing_mfa import AuthClient, MfaChallenge

            async def recover(client: AuthClient, challenge: MfaChallenge, recovery_code: str) -> None:
                user = await client.as_user(challenge.token).mfa_verify_by_recovery_code(recovery_code)
                print("Write down your new recovery code:", user.recovery_code)

        Source: docs/wire.md#recovery-code (on the service's page: `mfaVerifyByRecoveryCode`).
        """
        return await self.perform(ops.VerifyByRecoveryCode(code))

    async def upload_face_image(self, image: ImageSource, *, private: bool = True) -> str:
        """Upload a face photo and return its key. Before the upload the photo is turned upright and scaled down, and its metadata is removed.

        It needs no token (no official client sends one). If the upload fails, call it again.

        Args:
            image: a `PIL.Image`, the bytes of a picture file (JPEG, PNG, WebP, HEIC with the extra ``heic``, AVIF, GIF, BMP,
                TIFF), its path, a ``data:`` URL, a binary file, or an upload of a web framework (with an asynchronous
                `read()`, or with a `file`).
            private: True if the photo must not be publicly readable.

        Returns:
            The photo's key, for `mfa_associate_by_face` and `mfa_verify_by_face`.

        Raises:
            ImageError: the picture cannot be read, or is too large to be read safely; nothing was sent.
            ResponseError: the answer has no key.

        Example::

            from pathlib import Path

            from authing_mfa import AuthClient

            async def upload(client: AuthClient, picture: Path) -> str:
                return await client.upload_face_image(picture)

        Source: docs/wire.md#photo-upload (on the service's page: `uploadFaceImage`).
        """
        return await self.perform(ops.UploadFaceImage(image, private))

    async def mfa_associate_by_face(self, photo_key_a: str, photo_key_b: str) -> UserInfo:
        """Bind a face with the keys of two uploaded photos; the user is logged in.

        It needs an mfaToken: call it on the view that `as_user` gives. The call changes the account, so it is never
        sent again once the service may have seen it. If an error has ``delivery == "unknown"``, the face may be bound:
        log in again and look at `MfaChallenge.face_enabled`.

        Args:
            photo_key_a: the key of the first photo, from `upload_face_image`.
            photo_key_b: the key of the second photo. Use another picture of the same person.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: a key is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            FaceError: a photo is missing, the photos do not match, or a face is bound already.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.

        Example::

            from pathlib import Path

            from authing_mfa import AuthClient, MfaChallenge, UserInfo

            async def bind_face(client: AuthClient, challenge: MfaChallenge, first: Path, second: Path) -> UserInfo:
                keys = [await client.upload_face_image(picture) for picture in (first, second)]
                return await client.as_user(challenge.token).mfa_associate_by_face(*keys)

        Source: docs/wire.md#face (on the service's page: `mfaAssociateByFace`).
        """
        return await self.perform(ops.AssociateFace(photo_key_a, photo_key_b))

    async def mfa_verify_by_face(self, photo_key: str) -> UserInfo:
        """Verify the bound face with the key of an uploaded photo; the user is logged in.

        It needs an mfaToken: call it on the view that `as_user` gives. The call is never sent again once the service
        may have seen it. If an error has ``delivery == "unknown"``, upload the photo again and repeat the call
        yourself.

        Args:
            photo_key: the photo's key, from `upload_face_image`.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: the key is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            FaceError: the photo is missing or does not match the bound face.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.

        Example::

            from pathlib import Path

            from authing_mfa import AuthClient, MfaChallenge, UserInfo

            async def second_factor(client: AuthClient, challenge: MfaChallenge, picture: Path) -> UserInfo:
                key = await client.upload_face_image(picture)
                return await client.as_user(challenge.token).mfa_verify_by_face(key)

        Source: docs/wire.md#face (on the service's page: `mfaVerifyByFace`).
        """
        return await self.perform(ops.VerifyByFace(photo_key))

    # ─────────────────────── what a real MFA journey needs around them ───────────────────────

    async def login_by_account(
        self,
        account: str,
        password: str,
        *,
        auto_register: bool = False,
        captcha_code: str | None = None,
        captcha: Captcha | None = None,
    ) -> UserInfo:
        """Log in with the password and a user name, phone number or e-mail address.

        It needs no token. The call is retried only if the service cannot have seen it.

        Args:
            account: the user name, phone number or e-mail address.
            password: the password as the user typed it; it is encrypted before it is sent.
            auto_register: True if an unknown account may be registered.
            captcha_code: after a CaptchaRequiredError: the text that the user read in the captcha picture.
            captcha: the value that `get_captcha` returned.

        Returns:
            The user, with the ID token.

        Raises:
            InvalidInputError: an argument is empty or not text, or a captcha has no captcha_code; nothing was sent.
            MfaRequiredError: a second factor is needed; `challenge` holds the mfaToken and the factors.
            PasswordChangeRequiredError: the password is right, but must be changed first; the change needs `token`.
            CaptchaRequiredError: a captcha is needed, or its text was wrong. Get a new picture: `get_captcha`.
            WrongPasswordError: the account or the password is wrong.
            AccountLockedError: too many wrong passwords.
            AccountDisabledError: the account is disabled.
            ConfigError: the application is unknown, or its configuration cannot be fetched.

        Source: docs/wire.md#password-login.
        """
        return await self.perform(ops.LoginByAccount(account, password, auto_register, captcha_code, captcha))

    async def login_by_phone_code(
        self, phone: str, code: str, *, phone_country_code: str | None = None, auto_register: bool = False
    ) -> UserInfo:
        """Log in with a code that was sent by SMS.

        It needs no token. The call spends the code, so it is never sent again once the service may have seen it.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            code: the code of the SMS, usually four to six digits.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            auto_register: True if an unknown phone number may be registered.

        Returns:
            The user, with the ID token.

        Raises:
            MfaRequiredError: a second factor is needed; `challenge` holds the mfaToken and the factors.
            WrongCodeError: the code is wrong, spent or expired.
            AccountLockedError: too many wrong codes or passwords.

        Source: docs/wire.md#code-login.
        """
        return await self.perform(ops.LoginByPhoneCode(phone, code, phone_country_code, auto_register))

    async def login_by_email_code(self, email: str, code: str, *, auto_register: bool = False) -> UserInfo:
        """Log in with a code that was sent by e-mail.

        It needs no token. The call spends the code, so it is never sent again once the service may have seen it.

        Args:
            email: the e-mail address.
            code: the code of the message, usually four to six digits.
            auto_register: True if an unknown address may be registered.

        Returns:
            The user, with the ID token.

        Raises:
            MfaRequiredError: a second factor is needed; `challenge` holds the mfaToken and the factors.
            WrongCodeError: the code is wrong, spent or expired.
            AccountLockedError: too many wrong codes or passwords.

        Source: docs/wire.md#code-login.
        """
        return await self.perform(ops.LoginByEmailCode(email, code, auto_register))

    async def send_sms(self, phone: str, *, phone_country_code: str | None = None, scene: str | None = None) -> None:
        """Send a code by SMS.

        It needs no token; if the client has one, it is sent. The call is never sent again once the service may have seen it:
        a retry could send a second message.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            scene: what the code is for, e.g. ``login`` or ``mfa-verify``. Sent only if it is given; the mobile clients send none.

        Raises:
            RateLimitedError: a code was sent to this number less than a minute ago.
            ApiError: the service refuses the number, or its message template is missing (code 2021).

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendSms(phone, phone_country_code, scene))

    async def send_mfa_email(self, email: str) -> None:
        """Send an MFA code by e-mail.

        It needs no token; if the client has one, it is sent. The call is never sent again once the service may have seen it:
        a retry could send a second message.

        Args:
            email: the e-mail address.

        Raises:
            RateLimitedError: a code was sent to this address less than a minute ago.
            ApiError: the service refuses the address, or its mail template is missing (code 2021).

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendMfaEmail(email))

    async def send_email(self, email: str, *, scene: str = "VERIFY_CODE") -> None:
        """Send a code by e-mail, by default a code for a login.

        It needs no token; if the client has one, it is sent. The call is never sent again once the service may have seen it:
        a retry could send a second message.

        Args:
            email: the e-mail address.
            scene: what the code is for: ``VERIFY_CODE`` (log in), ``LOGIN_VERIFY_CODE``, ``MFA_VERIFY``, ``RESET_PASSWORD``,
                ``CHANGE_EMAIL``, or another value of the service.

        Raises:
            RateLimitedError: a code was sent to this address less than a minute ago.
            ApiError: the service refuses the address, or its mail template is missing (code 2021).

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendEmail(email, scene))

    async def mfa_associate_by_totp(self) -> TotpEnrollment:
        """Request a TOTP secret to bind. It has no effect until `mfa_confirm_totp` confirms it.

        It needs an mfaToken or a user's token. Each call makes a new secret; only the newest secret can be confirmed.

        Returns:
            The secret, its QR code and the recovery code. Show the recovery code to the user.

        Raises:
            LoginError: the client has no token; nothing was sent.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#totp-binding.
        """
        return await self.perform(ops.AssociateTotp())

    async def mfa_confirm_totp(self, code: str) -> UserInfo | None:
        """Confirm the TOTP secret with its first code.

        It needs the token that requested the secret. During a login the same code may be used once more, for
        `mfa_verify_by_totp`.

        Args:
            code: six digits, which the app changes every 30 seconds.

        Returns:
            The user if the service's answer has one, else None: during a login, then continue with `mfa_verify_by_totp`.

        Raises:
            WrongCodeError: the code is wrong; the secret stays unconfirmed, try the next code.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#totp-confirmation.
        """
        return await self.perform(ops.ConfirmTotp(code))

    async def mfa_delete_totp(self) -> None:
        """Unbind TOTP. It needs the token of a logged-in user.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#totp-deletion.
        """
        await self.perform(ops.DeleteTotp())

    async def mfa_list_authenticators(self) -> tuple[Authenticator, ...]:
        """List the user's TOTP authenticators, unconfirmed ones included.

        Returns:
            The authenticators; an empty tuple if there are none. Secrets in the service's answer are left out.

        Raises:
            LoginError: the client has no token; nothing was sent.
            InvalidMfaTokenError: the mfaToken has expired (it is valid for six minutes): log in again.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#authenticator-list.
        """
        return await self.perform(ops.ListAuthenticators())

    async def mfa_unbind_phone(self) -> None:
        """Unbind the MFA phone. It needs the token of a logged-in user.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.
            ApiError: the service refuses, e.g. because nothing is bound.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindPhone())

    async def mfa_unbind_email(self) -> None:
        """Unbind the MFA e-mail address. It needs the token of a logged-in user.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.
            ApiError: the service refuses, e.g. because nothing is bound.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindEmail())

    async def mfa_unbind_factor(self, factor_id: str) -> None:
        """Unbind one factor by its id.

        It needs the token of a logged-in user. For a phone or an e-mail address use `mfa_unbind_phone` or `mfa_unbind_email`:
        the service does not reset them by id.

        Args:
            factor_id: the factor's id.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.
            ApiError: the factor is unknown or cannot be reset.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindFactor(factor_id))

    async def get_current_user(self) -> UserInfo:
        """Return the user whose token the client uses.

        Returns:
            The user.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#profile.
        """
        return await self.perform(ops.GetCurrentUser())

    async def get_custom_user_data(self, user_id: str) -> tuple[CustomField, ...]:
        """Return the custom fields of one user.

        Args:
            user_id: the user's id, `UserInfo.id`.

        Returns:
            The fields with their values, in the service's order.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#custom-data.
        """
        return await self.perform(ops.GetCustomUserData(user_id))

    # ─────────────────────── self-service of factors, through the v3 API ───────────────────────

    async def list_enrolled_factors(self) -> tuple[Factor, ...]:
        """List the factors that the user has enrolled. A bound phone or e-mail address counts as one.

        It needs the token of a logged-in user. It changes nothing, so it is retried if the connection fails.

        Returns:
            The factors, each with the id that `get_factor` and `mfa_unbind_factor` take.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#factor-enrollment.
        """
        return await self.perform(ops.ListEnrolledFactors())

    async def list_factors_to_enroll(self) -> tuple[str, ...]:
        """List the types of factors that the application allows and the user has not enrolled yet.

        It needs the token of a logged-in user. It changes nothing, so it is retried if the connection fails.

        Returns:
            The types: ``SMS``, ``EMAIL``, ``OTP``, ``FACE``, or other values of the service.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#factor-enrollment.
        """
        return await self.perform(ops.ListFactorsToEnroll())

    async def get_factor(self, factor_id: str) -> Factor:
        """Get one enrolled factor by its id.

        It needs the token of a logged-in user. It changes nothing, so it is retried if the connection fails.

        Args:
            factor_id: the id, from `list_enrolled_factors`.

        Returns:
            The factor.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.
            ApiError: the user has no such factor.

        Source: docs/wire.md#factor-enrollment.
        """
        return await self.perform(ops.GetFactor(factor_id))

    async def send_enroll_factor_request(
        self,
        factor_type: str,
        *,
        phone: str | None = None,
        phone_country_code: str | None = None,
        email: str | None = None,
    ) -> FactorEnrollment:
        """Start the enrollment of a factor: the service sends a code by SMS or e-mail, or makes a TOTP secret.

        It needs the token of a logged-in user. The factor has no effect until `enroll_factor`, which must follow within
        one minute. The call is never sent again once the service may have seen it: a retry could send a second message.

        Args:
            factor_type: ``SMS``, ``EMAIL``, ``OTP`` or ``FACE``.
            phone: the phone number of an SMS factor, digits without the country code, e.g. ``13800000000``.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            email: the address of an EMAIL factor.

        Returns:
            The enrollment token; for OTP also the secret, its otpauth URI, the QR picture and the recovery code.

        Raises:
            InvalidInputError: an SMS factor without a phone, or an EMAIL factor without an email; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.
            RateLimitedError: a code was sent to this target less than a minute ago.

        Source: docs/wire.md#factor-enrollment.
        """
        return await self.perform(ops.SendEnrollFactorRequest(factor_type, phone, phone_country_code, email))

    async def enroll_factor(
        self, enrollment_token: str, factor_type: str, *, code: str | None = None, photo_key: str | None = None
    ) -> None:
        """Finish the enrollment of a factor. `list_enrolled_factors` then gives its id.

        It needs the token of a logged-in user. The call spends the code, so it is never sent again once the service may
        have seen it.

        Args:
            enrollment_token: `FactorEnrollment.token`, at most one minute old.
            factor_type: the type that the enrollment was started with.
            code: the code of the SMS, of the e-mail, or of the authenticator app.
            photo_key: for FACE: the key of a photo, from `upload_face_image`.

        Raises:
            InvalidInputError: code and photo_key are both given or both missing, or the factor type does not take the given one.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            FaceError: the photo cannot be used.
            ApiError: the enrollment token is wrong or has expired, or another refusal of the service.

        Source: docs/wire.md#factor-enrollment.
        """
        await self.perform(ops.EnrollFactor(enrollment_token, factor_type, code, photo_key))

    async def check_totp(self, code: str) -> bool:
        """Check a TOTP code of a logged-in user, e.g. before a payment. The call logs nobody in.

        It needs the token of a logged-in user who has bound TOTP. The call spends the code, so it is never sent again once
        the service may have seen it.

        Args:
            code: six digits, which the authenticator app changes every 30 seconds.

        Returns:
            True if the code is right, False if it is wrong.

        Raises:
            InvalidInputError: the code is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.
            ApiError: the user has not bound TOTP, or another refusal of the service.

        Source: docs/wire.md#factor-enrollment.
        """
        return await self.perform(ops.CheckTotp(code))

    async def introspect_mfa_token(self, mfa_token: str) -> MfaTokenInfo:
        """Check whether an mfaToken is valid, and return its user. A valid mfaToken does not prove that a second factor was passed.

        It needs no token in the client; if the client has one, it is sent. It changes nothing, so it is retried if the
        connection fails.

        Args:
            mfa_token: the token to check.

        Returns:
            Whether the token is active; for an active token also its user, user pool and times.

        Raises:
            InvalidInputError: the token is empty or not text; nothing was sent.
            ApiError: the service refuses to answer.

        Source: docs/wire.md#token-introspection.
        """
        return await self.perform(ops.IntrospectMfaToken(mfa_token))

    # ─────────────────────── what else a login can ask for ───────────────────────

    async def get_captcha(self) -> Captcha:
        """Get a captcha picture for the next `login_by_account`, after a CaptchaRequiredError.

        It needs no token. Each call gets a new picture. The client does not store the picture's cookie: only the result holds it.

        Returns:
            The picture (usually SVG) and its cookie.

        Raises:
            ResponseError: the answer is not a picture.
            ApiError: the service refuses to make one.

        Source: docs/wire.md#captcha.
        """
        return await self.perform(ops.GetCaptcha())

    async def change_password_by_first_login_token(self, token: str, password: str) -> None:
        """Change the password after code 1639 (first login) or 2071 (unsafe password). Then log in again with the new one.

        It needs no token in the client. The call is retried only if the service cannot have seen it.

        Args:
            token: `PasswordChangeRequiredError.token`.
            password: the new password as the user typed it; it is encrypted before it is sent.

        Raises:
            InvalidInputError: an argument is empty or not text; nothing was sent.
            ApiError: the token has expired, the new password is unsafe (code 2061), or another refusal of the service.

        Source: docs/wire.md#forced-password-change.
        """
        await self.perform(ops.ChangePasswordByFirstLoginToken(token, password))

    async def change_expired_password(self, token: str, old_password: str, new_password: str) -> None:
        """Change the password after code 2058 (it has expired). Then log in again with the new one.

        It needs no token in the client. The call is retried only if the service cannot have seen it.

        Args:
            token: `PasswordChangeRequiredError.token`.
            old_password: the password of the login; it is encrypted before it is sent.
            new_password: the new password as the user typed it; it is encrypted before it is sent.

        Raises:
            InvalidInputError: an argument is empty or not text; nothing was sent.
            ApiError: the token has expired, the old password is wrong, the new one is unsafe (code 2061), or another refusal.

        Source: docs/wire.md#forced-password-change.
        """
        await self.perform(ops.ChangeExpiredPassword(token, old_password, new_password))

    # ─────────────────────── the session ───────────────────────

    async def refresh_id_token(self) -> IdToken:
        """Get a new ID token in exchange for the user's current one.

        Continue with ``client.as_user(fresh.token)``. It needs the token of a logged-in user. Whether the old token stays valid is
        unknown, so the call is never sent again once the service may have seen it.

        Returns:
            The new token, when it was issued and when it expires.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#session.
        """
        return await self.perform(ops.RefreshIdToken())

    async def logout(self) -> None:
        """End the session of the user whose token the client has. The service accepts the call without a token, too.

        Do not use the token or its view afterwards, even if the call fails.

        Raises:
            NotAuthenticatedError: the token is not, or no longer, valid.
            ApiError: another refusal of the service.

        Source: docs/wire.md#session.
        """
        await self.perform(ops.Logout())

    async def get_security_level(self) -> SecurityLevel:
        """Return the service's rating of the account's security.

        It needs the token of a logged-in user. It changes nothing, so it is retried if the connection fails.

        Returns:
            The rating, whether a second factor is on, and the other fields in `raw`.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#profile.
        """
        return await self.perform(ops.GetSecurityLevel())
