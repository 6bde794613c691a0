"""`AuthClient` for code without an event loop: Flask, Django under WSGI, Celery, scripts, notebooks, threads.

::

    from authing_mfa.sync import AuthClient

    client = AuthClient("APP_ID")                       # one for the process, shared by all threads
    try:
        user = client.login_by_account("ada", "secret")
    except MfaRequiredError as error:
        user = client.as_user(error.challenge.token).mfa_verify_by_totp("123456")

More than 300 lines: every method is written out, so that editors and type checkers show its parameters.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from authing_mfa import client as asynchronous
from authing_mfa import retry
from authing_mfa._blocking import SharedClient, check_thread
from authing_mfa._sentences import translate
from authing_mfa.errors import AuthingError
from authing_mfa.protocol import DEFAULT_LIMIT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from authing_mfa import operations as ops
    from authing_mfa._progress import Observer
    from authing_mfa.batch import Outcome, VerifyRequest
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


class AuthClient:
    """The calls of `authing_mfa.AuthClient` as plain methods: same names, parameters, results and errors.

    Any number of threads may call one client at once. It has no current user: a token belongs to the client, or to a view
    that `as_user` returns.

    The calls of all clients run on one background event loop per process. The first call starts the loop; closing the last
    client stops it, and so does the interpreter's exit. After a fork the child's first call gets a new loop and a new pool,
    so a client made at import time works under gunicorn, Celery and multiprocessing. Ctrl-C cancels the call.

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
        max_attempts: the maximum number of tries of a call; 1 turns retries off. A call that spends a code is never sent twice.
        max_image_side: longest side of an uploaded photo in pixels; larger photos are scaled down.
        max_image_memory: bytes that preparing one photo may need; a photo that needs more is refused.
        max_response_size: the largest answer that is read, in bytes after decompression.
        on_call: a function that is called on the background loop's thread with the `CallRecord` of each finished call. An
            exception in it is logged and does not affect the call.

    Raises:
        InvalidInputError: an argument is not valid.

    Every call raises the errors of `authing_mfa.AuthClient`'s method of the same name. On a thread with a running event loop
    it raises UsageError and sends nothing: use `authing_mfa.AuthClient` there.
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
        max_attempts: int = retry.MAX_ATTEMPTS,
        max_image_side: int = 1280,
        max_image_memory: int = 512 * 1024 * 1024,
        max_response_size: int = DEFAULT_LIMIT,
        on_call: Callable[[CallRecord], Any] | None = None,
    ) -> None:
        self._shared = SharedClient(
            partial(
                asynchronous.AuthClient,
                app_id,
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
                max_attempts=max_attempts,
                max_image_side=max_image_side,
                max_image_memory=max_image_memory,
                max_response_size=max_response_size,
                on_call=on_call,
            )
        )
        self._token = token
        self._owner = True
        self._pair = (self._shared.client, self._shared.client)

    def __repr__(self) -> str:
        state = "with a token" if self._token is not None else "without a token"
        return f"<sync.{type(self).__name__} {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Closing the last client of the process stops the background loop.

        Calling it again has no effect. Closing a view has no effect either.
        """
        if self._owner:
            self._shared.close()

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
            asynchronous.copy_attributes(self, view)
        view._shared = self._shared
        view._token = token
        view._owner = False
        view._pair = (self._shared.client, self._shared.client.as_user(token))
        return view

    def verify_many(self, requests: Iterable[VerifyRequest], **options: Any) -> Iterator[Outcome]:
        """Perform all *requests* and yield an outcome for each, see `authing_mfa.batch.verify_many`.

        Args:
            requests: the rows.
            options: the keywords of `authing_mfa.batch.verify_many`.

        Returns:
            An iterator of outcomes. Leaving its loop early stops the run; the calls that were sent are finished and recorded first.
        """
        from authing_mfa.batch import verify_many

        return self._shared.iterate(verify_many(self._client, requests, **options))

    def _observe(self, observer: Observer) -> None:
        """Tell *observer* of every call of this client and its views that begins from now on, in forked children as well."""
        self._shared.observe(observer)

    @property
    def max_connections(self) -> int:
        """The maximum number of connections of this client. Further calls wait in order."""
        return self._shared.client.max_connections

    @property
    def _client(self) -> asynchronous.AuthClient:
        """This view's async client in this process, ready for a call."""
        base, view = self._pair
        try:
            check_thread()
            begun = self._shared.begin()
        except AuthingError as error:
            translate(error, self._shared.lang)
            raise
        if begun is not base:  # after a fork
            view = begun.as_user(self._token)
            self._pair = (begun, view)
        return view

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            return self._shared.run(call)
        except AuthingError as error:
            translate(error, self._shared.lang)
            raise

    # ─── the calls of authing_mfa.AuthClient ───

    def connect(self) -> None:
        """Find the service and make one connection: a readiness probe."""
        self._run(self._client.connect())

    def perform(self, operation: ops.Operation[T], *, max_attempts: int | None = None) -> T:
        """Perform any operation of `authing_mfa.operations`. Each method below performs one.

        Args:
            operation: the operation. Its password is encrypted and its picture prepared before anything is sent.
            max_attempts: the maximum number of tries; None: the client's `max_attempts`.
        """
        return self._run(self._client.perform(operation, max_attempts=max_attempts))

    def answer(self, operation: ops.Operation[T], *, max_attempts: int | None = None) -> Answer[T]:
        """Perform *operation* like `perform`, and return its value together with the service's message.

        Args:
            operation: the operation.
            max_attempts: the maximum number of tries; None: the client's `max_attempts`.
        """
        return self._run(self._client.answer(operation, max_attempts=max_attempts))

    def mfa_check(self, *, phone: str | None = None, email: str | None = None) -> bool:
        """Check whether a phone number or an e-mail address may be bound for MFA: True if it is free, False if it is bound already.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            email: the e-mail address. One of the two is needed; if both are given, both are sent.
        """
        return self._run(self._client.mfa_check(phone=phone, email=email))

    def mfa_verify_by_phone(self, phone: str, code: str, *, phone_country_code: str | None = None) -> UserInfo:
        """Verify, or bind, a phone with the code that was sent to it by SMS; the user is logged in.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            code: the code of the SMS, usually four to six digits.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
        """
        return self._run(self._client.mfa_verify_by_phone(phone, code, phone_country_code=phone_country_code))

    def mfa_verify_by_email(self, email: str, code: str) -> UserInfo:
        """Verify, or bind, an e-mail address with the code that was sent to it; the user is logged in.

        Args:
            email: the e-mail address.
            code: the code of the message, usually four to six digits.
        """
        return self._run(self._client.mfa_verify_by_email(email, code))

    def mfa_verify_by_totp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app; the user is logged in.

        Args:
            code: six digits, which the app changes every 30 seconds.
        """
        return self._run(self._client.mfa_verify_by_totp(code))

    def mfa_verify_by_otp(self, code: str) -> UserInfo:
        """Verify with a code of the authenticator app: another name of `mfa_verify_by_totp`.

        Args:
            code: six digits, which the app changes every 30 seconds.
        """
        return self._run(self._client.mfa_verify_by_otp(code))

    def mfa_verify_by_recovery_code(self, code: str) -> UserInfo:
        """Verify with the recovery code, which is void afterwards. `UserInfo.recovery_code` is the new code: show it to the user.

        Args:
            code: the recovery code, six groups of four letters and digits joined by ``-``.
        """
        return self._run(self._client.mfa_verify_by_recovery_code(code))

    def upload_face_image(self, image: ImageSource, *, private: bool = True) -> str:
        """Upload a face photo and return its key. Before the upload the photo is turned upright and scaled down, and its metadata is removed.

        Args:
            image: a `PIL.Image`, the bytes of a picture file (JPEG, PNG, WebP, HEIC with the extra ``heic``, AVIF, GIF, BMP,
                TIFF), its path, a ``data:`` URL, a binary file, or an upload of a web framework (with an asynchronous
                `read()`, or with a `file`).
            private: True if the photo must not be publicly readable.
        """
        return self._run(self._client.upload_face_image(image, private=private))

    def mfa_associate_by_face(self, photo_key_a: str, photo_key_b: str) -> UserInfo:
        """Bind a face with the keys of two uploaded photos; the user is logged in.

        Args:
            photo_key_a: the key of the first photo, from `upload_face_image`.
            photo_key_b: the key of the second photo. Use another picture of the same person.
        """
        return self._run(self._client.mfa_associate_by_face(photo_key_a, photo_key_b))

    def mfa_verify_by_face(self, photo_key: str) -> UserInfo:
        """Verify the bound face with the key of an uploaded photo; the user is logged in.

        Args:
            photo_key: the photo's key, from `upload_face_image`.
        """
        return self._run(self._client.mfa_verify_by_face(photo_key))

    def login_by_account(
        self,
        account: str,
        password: str,
        *,
        auto_register: bool = False,
        captcha_code: str | None = None,
        captcha: Captcha | None = None,
    ) -> UserInfo:
        """Log in with the password and a user name, phone number or e-mail address.

        Args:
            account: the user name, phone number or e-mail address.
            password: the password as the user typed it; it is encrypted before it is sent.
            auto_register: True if an unknown account may be registered.
            captcha_code: after a CaptchaRequiredError: the text that the user read in the captcha picture.
            captcha: the value that `get_captcha` returned.
        """
        return self._run(
            self._client.login_by_account(
                account, password, auto_register=auto_register, captcha_code=captcha_code, captcha=captcha
            )
        )

    def login_by_phone_code(
        self, phone: str, code: str, *, phone_country_code: str | None = None, auto_register: bool = False
    ) -> UserInfo:
        """Log in with a code that was sent by SMS.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            code: the code of the SMS, usually four to six digits.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            auto_register: True if an unknown phone number may be registered.
        """
        return self._run(
            self._client.login_by_phone_code(
                phone, code, phone_country_code=phone_country_code, auto_register=auto_register
            )
        )

    def login_by_email_code(self, email: str, code: str, *, auto_register: bool = False) -> UserInfo:
        """Log in with a code that was sent by e-mail.

        Args:
            email: the e-mail address.
            code: the code of the message, usually four to six digits.
            auto_register: True if an unknown address may be registered.
        """
        return self._run(self._client.login_by_email_code(email, code, auto_register=auto_register))

    def send_sms(self, phone: str, *, phone_country_code: str | None = None, scene: str | None = None) -> None:
        """Send a code by SMS.

        Args:
            phone: the phone number, digits without the country code, e.g. ``13800000000``.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            scene: what the code is for, e.g. ``login`` or ``mfa-verify``. Sent only if it is given; the mobile clients send none.
        """
        self._run(self._client.send_sms(phone, phone_country_code=phone_country_code, scene=scene))

    def send_mfa_email(self, email: str) -> None:
        """Send an MFA code by e-mail.

        Args:
            email: the e-mail address.
        """
        self._run(self._client.send_mfa_email(email))

    def send_email(self, email: str, *, scene: str = "VERIFY_CODE") -> None:
        """Send a code by e-mail, by default a code for a login.

        Args:
            email: the e-mail address.
            scene: what the code is for: ``VERIFY_CODE`` (log in), ``LOGIN_VERIFY_CODE``, ``MFA_VERIFY``, ``RESET_PASSWORD``,
                ``CHANGE_EMAIL``, or another value of the service.
        """
        self._run(self._client.send_email(email, scene=scene))

    def mfa_associate_by_totp(self) -> TotpEnrollment:
        """Request a TOTP secret to bind. It has no effect until `mfa_confirm_totp` confirms it."""
        return self._run(self._client.mfa_associate_by_totp())

    def mfa_confirm_totp(self, code: str) -> UserInfo | None:
        """Confirm the TOTP secret with its first code.

        Args:
            code: six digits, which the app changes every 30 seconds.
        """
        return self._run(self._client.mfa_confirm_totp(code))

    def mfa_delete_totp(self) -> None:
        """Unbind TOTP. It needs the token of a logged-in user."""
        self._run(self._client.mfa_delete_totp())

    def mfa_list_authenticators(self) -> tuple[Authenticator, ...]:
        """List the user's TOTP authenticators, unconfirmed ones included."""
        return self._run(self._client.mfa_list_authenticators())

    def mfa_unbind_phone(self) -> None:
        """Unbind the MFA phone. It needs the token of a logged-in user."""
        self._run(self._client.mfa_unbind_phone())

    def mfa_unbind_email(self) -> None:
        """Unbind the MFA e-mail address. It needs the token of a logged-in user."""
        self._run(self._client.mfa_unbind_email())

    def mfa_unbind_factor(self, factor_id: str) -> None:
        """Unbind one factor by its id.

        Args:
            factor_id: the factor's id.
        """
        self._run(self._client.mfa_unbind_factor(factor_id))

    def get_current_user(self) -> UserInfo:
        """Return the user whose token the client uses."""
        return self._run(self._client.get_current_user())

    def get_custom_user_data(self, user_id: str) -> tuple[CustomField, ...]:
        """Return the custom fields of one user.

        Args:
            user_id: the user's id, `UserInfo.id`.
        """
        return self._run(self._client.get_custom_user_data(user_id))

    def list_enrolled_factors(self) -> tuple[Factor, ...]:
        """List the factors that the user has enrolled. A bound phone or e-mail address counts as one."""
        return self._run(self._client.list_enrolled_factors())

    def list_factors_to_enroll(self) -> tuple[str, ...]:
        """List the types of factors that the application allows and the user has not enrolled yet."""
        return self._run(self._client.list_factors_to_enroll())

    def get_factor(self, factor_id: str) -> Factor:
        """Get one enrolled factor by its id.

        Args:
            factor_id: the id, from `list_enrolled_factors`.
        """
        return self._run(self._client.get_factor(factor_id))

    def send_enroll_factor_request(
        self,
        factor_type: str,
        *,
        phone: str | None = None,
        phone_country_code: str | None = None,
        email: str | None = None,
    ) -> FactorEnrollment:
        """Start the enrollment of a factor: the service sends a code by SMS or e-mail, or makes a TOTP secret.

        Args:
            factor_type: ``SMS``, ``EMAIL``, ``OTP`` or ``FACE``.
            phone: the phone number of an SMS factor, digits without the country code, e.g. ``13800000000``.
            phone_country_code: the country code with its plus sign, e.g. ``+44``: needed if the phone is not Chinese.
            email: the address of an EMAIL factor.
        """
        return self._run(
            self._client.send_enroll_factor_request(
                factor_type, phone=phone, phone_country_code=phone_country_code, email=email
            )
        )

    def enroll_factor(
        self, enrollment_token: str, factor_type: str, *, code: str | None = None, photo_key: str | None = None
    ) -> None:
        """Finish the enrollment of a factor. `list_enrolled_factors` then gives its id.

        Args:
            enrollment_token: `FactorEnrollment.token`, at most one minute old.
            factor_type: the type that the enrollment was started with.
            code: the code of the SMS, of the e-mail, or of the authenticator app.
            photo_key: for FACE: the key of a photo, from `upload_face_image`.
        """
        self._run(self._client.enroll_factor(enrollment_token, factor_type, code=code, photo_key=photo_key))

    def check_totp(self, code: str) -> bool:
        """Check a TOTP code of a logged-in user, e.g. before a payment. The call logs nobody in.

        Args:
            code: six digits, which the authenticator app changes every 30 seconds.
        """
        return self._run(self._client.check_totp(code))

    def introspect_mfa_token(self, mfa_token: str) -> MfaTokenInfo:
        """Check whether an mfaToken is valid, and return its user. A valid mfaToken does not prove that a second factor was passed.

        Args:
            mfa_token: the token to check.
        """
        return self._run(self._client.introspect_mfa_token(mfa_token))

    def get_captcha(self) -> Captcha:
        """Get a captcha picture for the next `login_by_account`, after a CaptchaRequiredError."""
        return self._run(self._client.get_captcha())

    def change_password_by_first_login_token(self, token: str, password: str) -> None:
        """Change the password after code 1639 (first login) or 2071 (unsafe password). Then log in again with the new one.

        Args:
            token: `PasswordChangeRequiredError.token`.
            password: the new password as the user typed it; it is encrypted before it is sent.
        """
        self._run(self._client.change_password_by_first_login_token(token, password))

    def change_expired_password(self, token: str, old_password: str, new_password: str) -> None:
        """Change the password after code 2058 (it has expired). Then log in again with the new one.

        Args:
            token: `PasswordChangeRequiredError.token`.
            old_password: the password of the login; it is encrypted before it is sent.
            new_password: the new password as the user typed it; it is encrypted before it is sent.
        """
        self._run(self._client.change_expired_password(token, old_password, new_password))

    def refresh_id_token(self) -> IdToken:
        """Get a new ID token in exchange for the user's current one."""
        return self._run(self._client.refresh_id_token())

    def logout(self) -> None:
        """End the session of the user whose token the client has. The service accepts the call without a token, too."""
        self._run(self._client.logout())

    def get_security_level(self) -> SecurityLevel:
        """Return the service's rating of the account's security."""
        return self._run(self._client.get_security_level())
