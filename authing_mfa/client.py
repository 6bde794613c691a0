"""`AuthClient`: the service's MFA calls as coroutines. Each method is one operation, performed.

More than 300 lines: it is one class, with one documented method for each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from authing_mfa import operations as ops
from authing_mfa import retry
from authing_mfa._core import Core, Credentials
from authing_mfa._options import ClientOptions
from authing_mfa._sentences import in_language_of_client
from authing_mfa.protocol import DEFAULT_LIMIT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    import aiohttp

    from authing_mfa._progress import Observer
    from authing_mfa.call_record import CallRecord
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

__all__ = ["AuthClient"]

T = TypeVar("T")


@in_language_of_client
class AuthClient:
    """One application of the service. Owns one connection pool; safe for any number of concurrent users.

    Make one client for the whole process, and close it at the end::

        async with AuthClient("APP_ID") as client:
            try:
                user = await client.login_by_account("ada", "secret")
            except MfaRequiredError as error:
                user = await client.as_user(error.challenge.token).mfa_verify_by_totp("123456")

    Args:
        app_id: the application's id.
        token: the bearer of the calls: an mfaToken or a user's ID token. `as_user` gives other users theirs.
        host: the service's domain; public-config is requested from ``console.{host}`` and names the address of the API.
        scheme: ``https`` or ``http``.
        on_premise: public-config is requested from *host* itself.
        base_url: skips discovery: requests go to ``{base_url}{path}``.
        user_pool_id: sent in each request's headers; by default the id that public-config names.
        public_key: RSA key for passwords (base64 SPKI or PEM); by default the cloud's.
        lang: language of messages, e.g. ``zh-CN``: of the service's, and (Chinese or English) of this package's errors.
        timeout: seconds for a whole call with its repeats, from the moment it has a connection slot.
        connect_timeout: seconds for making a connection.
        max_connections: how many connections there may be; more callers wait in order.
        proxy: address of an HTTP proxy.
        trust_env: take the proxy from the environment.
        ssl_context: TLS settings, e.g. a private CA.
        session: an aiohttp session whose connection pool is used. The client never closes it. Of the session's own settings
            only the pool's (limits, TLS, DNS) and the trace configs are used: not its cookies, headers, base URL, auth,
            time-outs, proxy, trust_env, middlewares or limits of header size. Give the client those it has arguments for.
        max_attempts: how often a call may be tried; 1 turns repeating off. What spends a code is never sent twice.
        max_image_side: longest side of an uploaded photo in pixels; larger photos are scaled down.
        max_image_memory: bytes that preparing one photo may need; a photo that needs more is refused.
        max_response_size: the largest answer that is read, in bytes after decompression.
        on_call: called on the event loop with the `CallRecord` of every call that has ended. What it raises is logged and
            changes nothing.

    Raises:
        InvalidInputError: an argument cannot be right.

    Every call raises an error of `authing_mfa.errors`: `InvalidInputError` and `LoginError` before anything is sent,
    `NetworkError` or `CallTimeoutError` when no whole answer came, `ApiError` and its children when the service refused,
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
        max_image_memory: int = 512 * 1024 * 1024,
        max_response_size: int = DEFAULT_LIMIT,
        on_call: Callable[[CallRecord], Any] | None = None,
    ) -> None:
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
        self._core = Core(options)
        self._credentials = Credentials(options.token)
        self._owner = True

    @classmethod
    def from_core(cls, core: Core) -> Self:
        """Make a client on a *core* that was made with another clock, sleep or randomness.

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

        A view costs next to nothing: make one for each user, and drop it afterwards.

        Args:
            token: an mfaToken or a user's ID token; None: the view sends no token.

        Returns:
            A view of this client. Closing the view has no effect.

        Raises:
            InvalidInputError: the token is empty, not ASCII, or holds a control character.
        """
        view = object.__new__(type(self))
        view._core = self._core
        view._credentials = Credentials(token)
        view._owner = False
        return view

    def _observe(self, observer: Observer) -> None:
        """Tell *observer* of every call of this client and its views that begins from now on."""
        self._core.observers += (observer,)

    @property
    def max_connections(self) -> int:
        """How many connections this client opens at most. More calls than that wait in order."""
        return self._core.transport.max_connections

    async def connect(self) -> None:
        """Find the service and make one connection: a readiness probe.

        Raises:
            ConfigError: the application's public-config cannot be had.
            NetworkError: the service cannot be reached.
        """
        await self._core.connect()

    async def perform(self, operation: ops.Operation[T], *, max_attempts: int | None = None) -> T:
        """Perform any operation of `authing_mfa.operations`. Each method below performs one.

        Args:
            operation: what to do. A password in it is encrypted, a picture is made ready, before anything is sent.
            max_attempts: how often the operation may be tried; None: as the client's `max_attempts` says.

        Returns:
            What the operation answers.

        Raises:
            AuthingError: one of its children, see the class.
        """
        return (await self._core.perform(operation, self._credentials, max_attempts=max_attempts)).value

    async def answer(self, operation: ops.Operation[T], *, max_attempts: int | None = None) -> Answer[T]:
        """Perform *operation* like `perform`, and return its value together with the service's message.

        Args:
            operation: what to do.
            max_attempts: how often the operation may be tried; None: as the client's `max_attempts` says.

        Returns:
            The value and the message.

        Raises:
            AuthingError: one of its children, see the class.
        """
        return await self._core.perform(operation, self._credentials, max_attempts=max_attempts)

    # ─────────────────────── the eight calls of the reference document ───────────────────────

    async def mfa_check(self, *, phone: str | None = None, email: str | None = None) -> bool:
        """Ask whether a phone number or an e-mail address may be used for MFA: True when it is free, False when taken.

        It needs an mfaToken (or a user's token): call it on the view that `as_user` gives. It changes nothing, so it is
        repeated when the connection fails.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            email: the e-mail address. One of the two is needed; if both are given, both are sent.

        Returns:
            True if it may be bound, False if it is bound already.

        Raises:
            InvalidInputError: neither was given, or one is empty.
            LoginError: the client has no token; nothing was sent.
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.

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
            phone_country_code: the country code with its plus sign, e.g. ``+86``. Sent only if it is given.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            InvalidInputError: an argument is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
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
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
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
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Example::

            from authing_mfa import AuthClient, MfaChallenge, UserInfo

            async def second_factor(client: AuthClient, challenge: MfaChallenge, code: str) -> UserInfo:
                return await client.as_user(challenge.token).mfa_verify_by_totp(code)

        Source: docs/wire.md#totp-verification (on the service's page: `mfaVerifyByOTP`).
        """
        return await self.perform(ops.VerifyByTotp(code))

    async def mfa_verify_by_otp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app; the document's other name for `mfa_verify_by_totp`.

        Args:
            code: six digits, which the app changes every 30 seconds.

        Returns:
            The user, with the ID token of the finished login.

        Raises:
            WrongCodeError: the code is wrong, spent or expired.
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
            RateLimitedError: too many calls; `retry_after` says how long to wait, if the service says it.

        Source: docs/wire.md#totp-verification (on the service's page: `mfaVerifyByOTP`).
        """
        return await self.mfa_verify_by_totp(code)

    async def mfa_verify_by_recovery_code(self, code: str) -> UserInfo:
        """Verify with the recovery code; `UserInfo.recovery_code` is the NEW one, the old one is void: show it to the user.

        It needs an mfaToken: call it on the view that `as_user` gives. The call spends the code, so it is never sent
        again once the service may have seen it. If an error has ``delivery == "unknown"``, the old code may be spent
        and the new one lost: the user must bind TOTP again.

        Args:
            code: the recovery code, six groups of four letters and digits joined by ``-``.

        Returns:
            The user, with the ID token of the finished login and the new recovery code.

        Raises:
            InvalidInputError: the code is empty or not text; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the recovery code is wrong or void.
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
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
        """Upload a face photo and get its key. The photo is turned upright, scaled down and freed of metadata first.

        It needs no token: no official client sends one. An upload spends nothing; if it fails, call it again.

        Args:
            image: a `PIL.Image`, the bytes of a picture file (JPEG, PNG, WebP, HEIC with the extra ``heic``, AVIF, GIF, BMP,
                TIFF), its path, a ``data:`` URL, a binary file, or an upload of a web framework (with an asynchronous
                `read()`, or with a `file`).
            private: True if the service must keep the photo from public access.

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
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.

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
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.

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
        """Log in with a user name, phone or e-mail address and the password, which travels encrypted.

        It needs no token. It is sent again only if the service cannot have seen it.

        Args:
            account: the user name, phone number or e-mail address.
            password: the password as the user typed it; it is encrypted before it is sent.
            auto_register: True if an unknown account may be registered.
            captcha_code: after a CaptchaRequiredError: the text that the user read in the captcha picture.
            captcha: the picture's value, as `get_captcha` returned it.

        Returns:
            The user, with the ID token.

        Raises:
            InvalidInputError: an argument is empty or not text, or a captcha has no captcha_code; nothing was sent.
            MfaRequiredError: a second factor is needed; `challenge` holds the mfaToken and says which factors there are.
            PasswordChangeRequiredError: the password is right, but must be changed first; `token` is for that.
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
            phone_country_code: the country code with its plus sign, e.g. ``+86``. Sent only if it is given.
            auto_register: True if an unknown phone number may be registered.

        Returns:
            The user, with the ID token.

        Raises:
            MfaRequiredError: a second factor is needed; `challenge` holds the mfaToken and says which factors there are.
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
            MfaRequiredError: a second factor is needed; `challenge` holds the mfaToken and says which factors there are.
            WrongCodeError: the code is wrong, spent or expired.
            AccountLockedError: too many wrong codes or passwords.

        Source: docs/wire.md#code-login.
        """
        return await self.perform(ops.LoginByEmailCode(email, code, auto_register))

    async def send_sms(self, phone: str, *, phone_country_code: str | None = None, scene: str | None = None) -> None:
        """Send a code by SMS.

        It needs no token; if the client has one, it is sent. The call is never sent again once the service may have seen it: a repeat could
        send a second message.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            phone_country_code: the country code with its plus sign, e.g. ``+86``. Sent only if it is given.
            scene: what the code is for, e.g. ``login`` or ``mfa-verify``. Sent only if it is given; mobile clients send none.

        Raises:
            RateLimitedError: a code was sent to this number less than a minute ago.
            ApiError: the service refuses the number, or its message template is missing (code 2021).

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendSms(phone, phone_country_code, scene))

    async def send_mfa_email(self, email: str) -> None:
        """Send an MFA code by e-mail.

        It needs no token; if the client has one, it is sent. The call is never sent again once the service may have seen it: a repeat could
        send a second message.

        Args:
            email: the e-mail address.

        Raises:
            RateLimitedError: a code was sent to this address less than a minute ago.
            ApiError: the service refuses the address, or its mail template is missing (code 2021).

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendMfaEmail(email))

    async def send_email(self, email: str, *, scene: str = "VERIFY_CODE") -> None:
        """Send a code by e-mail: by default one to log in with.

        It needs no token; if the client has one, it is sent. The call is never sent again once the service may have seen it: a repeat could
        send a second message.

        Args:
            email: the e-mail address.
            scene: what the code is for: ``VERIFY_CODE`` (log in), ``LOGIN_VERIFY_CODE``, ``MFA_VERIFY``, ``RESET_PASSWORD``,
                ``CHANGE_EMAIL``, or another word of the service.

        Raises:
            RateLimitedError: a code was sent to this address less than a minute ago.
            ApiError: the service refuses the address, or its mail template is missing (code 2021).

        Source: docs/wire.md#sending-codes.
        """
        await self.perform(ops.SendEmail(email, scene))

    async def mfa_associate_by_totp(self) -> TotpEnrollment:
        """Ask for a TOTP secret to bind; nothing is in force until `mfa_confirm_totp`.

        It needs an mfaToken or a user's token. Calling it again makes a new secret; the newest one counts.

        Returns:
            The secret, its QR code and the recovery code. Show the recovery code to the user.

        Raises:
            LoginError: the client has no token; nothing was sent.
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#totp-binding.
        """
        return await self.perform(ops.AssociateTotp())

    async def mfa_confirm_totp(self, code: str) -> UserInfo | None:
        """Confirm the TOTP secret with a first code; the user where the service answers one, else None.

        It needs the token that asked for the secret. During a login the same code may be used once more, for `mfa_verify_by_totp`.

        Args:
            code: six digits, which the app changes every 30 seconds.

        Returns:
            The user, if the service answers with one; None if the binding is confirmed and the login goes on.

        Raises:
            WrongCodeError: the code is wrong; the secret stays unconfirmed, try the next code.
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#totp-confirmation.
        """
        return await self.perform(ops.ConfirmTotp(code))

    async def mfa_delete_totp(self) -> None:
        """Unbind TOTP; needs a logged-in user's token.

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
            InvalidMfaTokenError: the mfaToken has expired (it lives six minutes): log in again.
            NotAuthenticatedError: the user's token is not valid: log in again.

        Source: docs/wire.md#authenticator-list.
        """
        return await self.perform(ops.ListAuthenticators())

    async def mfa_unbind_phone(self) -> None:
        """Unbind the MFA phone; needs a logged-in user's token.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.
            ApiError: the service refuses, e.g. because nothing is bound.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindPhone())

    async def mfa_unbind_email(self) -> None:
        """Unbind the MFA e-mail address; needs a logged-in user's token.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the user's token is not valid: log in again.
            ApiError: the service refuses, e.g. because nothing is bound.

        Source: docs/wire.md#unbinding.
        """
        await self.perform(ops.UnbindEmail())

    async def mfa_unbind_factor(self, factor_id: str) -> None:
        """Reset one factor by its id.

        It needs the token of a logged-in user. The service has no such call for phones and e-mail addresses: use `mfa_unbind_phone` and
        `mfa_unbind_email`.

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
        """Return the user pool's own fields of one user.

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

        It needs the token of a logged-in user. It changes nothing, so it is repeated when the connection fails.

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

        It needs the token of a logged-in user. It changes nothing, so it is repeated when the connection fails.

        Returns:
            The types: ``SMS``, ``EMAIL``, ``OTP``, ``FACE``, or other words of the service.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#factor-enrollment.
        """
        return await self.perform(ops.ListFactorsToEnroll())

    async def get_factor(self, factor_id: str) -> Factor:
        """Get one enrolled factor by its id.

        It needs the token of a logged-in user. It changes nothing, so it is repeated when the connection fails.

        Args:
            factor_id: the id, as `list_enrolled_factors` says it.

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
        """Start the enrollment of a factor: sends a code by SMS or e-mail, or makes a TOTP secret.

        It needs the token of a logged-in user. Nothing is in force until `enroll_factor`, which must follow within one
        minute. The call is never sent again once the service may have seen it: a repeat could send a second message.

        Args:
            factor_type: ``SMS``, ``EMAIL``, ``OTP`` or ``FACE``.
            phone: the phone number of an SMS factor, digits without the country code, e.g. ``13800000000``.
            phone_country_code: the country code with its plus sign, e.g. ``+86``. Sent only if it is given.
            email: the address of an EMAIL factor.

        Returns:
            The enrollment token; for OTP also the secret, its otpauth address, the QR picture and the recovery code.

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
        """Finish the enrollment of a factor. The service answers no id: `list_enrolled_factors` knows it then.

        It needs the token of a logged-in user. The call spends the code, so it is never sent again once the service may
        have seen it.

        Args:
            enrollment_token: `FactorEnrollment.token`, at most one minute old.
            factor_type: the type that the enrollment was started with.
            code: the code of the SMS, of the e-mail, or of the authenticator app.
            photo_key: for FACE: the key of a photo, as `upload_face_image` returns it.

        Raises:
            InvalidInputError: neither or both of code and photo_key, or the one that the type does not take; nothing was sent.
            LoginError: the client has no token; nothing was sent.
            WrongCodeError: the code is wrong, spent or expired.
            FaceError: the photo cannot be used.
            ApiError: the enrollment token is wrong or has expired, or another refusal of the service.

        Source: docs/wire.md#factor-enrollment.
        """
        await self.perform(ops.EnrollFactor(enrollment_token, factor_type, code, photo_key))

    async def check_totp(self, code: str) -> bool:
        """Check a code of the authenticator app of a user who is logged in, e.g. before a payment. Nobody is logged in by it.

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
        """Ask whether an mfaToken is good now, and whose it is. A good one does not prove that a factor was passed.

        It needs no token of its own; if the client has one, it is sent. It changes nothing, so it is repeated when the
        connection fails.

        Args:
            mfa_token: the token to ask about.

        Returns:
            Whether it is active; if so also its user, its pool and its times.

        Raises:
            InvalidInputError: the token is empty or not text; nothing was sent.
            ApiError: the service refuses to answer.

        Source: docs/wire.md#token-introspection.
        """
        return await self.perform(ops.IntrospectMfaToken(mfa_token))

    # ─────────────────────── what else a login can ask for ───────────────────────

    async def get_captcha(self) -> Captcha:
        """Get a captcha picture for the next `login_by_account`, after a CaptchaRequiredError.

        It needs no token. Each call gets a new picture. The cookie that belongs to the picture travels in the value alone.

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

        It needs no token of the client. It is sent again only if the service cannot have seen it.

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

        It needs no token of the client. It is sent again only if the service cannot have seen it.

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
        """Get a fresh ID token for the user's current one.

        Continue with ``client.as_user(fresh.token)``. It needs the token of a logged-in user. The service answers no user. Whether the old token stays good is unknown, so
        the call is never sent again once the service may have seen it.

        Returns:
            The token with its times.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#session.
        """
        return await self.perform(ops.RefreshIdToken())

    async def logout(self) -> None:
        """End the session of the user whose token the client has. The service says yes without a token, too.

        Throw the view of this user away afterwards, whatever the answer: the token is not to be used again.

        Raises:
            NotAuthenticatedError: the token is not, or no longer, valid.
            ApiError: another refusal of the service.

        Source: docs/wire.md#session.
        """
        await self.perform(ops.Logout())

    async def get_security_level(self) -> SecurityLevel:
        """Ask how well the account is protected, as the service rates it.

        It needs the token of a logged-in user. It changes nothing, so it is repeated when the connection fails.

        Returns:
            The rating, whether a second factor is on, and in `raw` the rest.

        Raises:
            LoginError: the client has no token; nothing was sent.
            NotAuthenticatedError: the token has expired: log in again.

        Source: docs/wire.md#session.
        """
        return await self.perform(ops.GetSecurityLevel())
