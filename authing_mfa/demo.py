"""The whole MFA journey against the embedded emulator: real HTTP on 127.0.0.1, real TOTP, real pictures.

``python -m authing_mfa.demo`` prints one line per step: the call, its duration, its result. Every step checks its
result; the first step with a wrong result is named, and the exit status is 1. The demo needs only the package itself. Secrets are masked.

More than 300 lines: the steps of the journey and what each prints stand together.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shlex
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import attrs

from authing_mfa import (
    AuthClient,
    AuthingError,
    FaceError,
    InvalidMfaTokenError,
    MfaRequiredError,
    NetworkError,
    WrongCodeError,
)
from authing_mfa.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from PIL.Image import Image

    from authing_mfa import MfaChallenge, TotpEnrollment, UserInfo

__all__ = ["Journey", "Step", "StepFailedError", "main", "run"]

T = TypeVar("T")
E = TypeVar("E", bound=AuthingError)

ACCOUNT: Final = "ada"
PASSWORD: Final = "correct horse"  # noqa: S105 - a made-up user of the emulator
PHONE: Final = "13800138000"
EMAIL: Final = "ada@example.com"
FREE_PHONE: Final = "13900139000"
WRONG_CODE: Final = "000000"  # the emulator never sends this code
SECONDS: Final = 60.0
"""Upper limit for the whole journey, in seconds; it takes about one second."""


@attrs.frozen
class Step:
    """One line of the journey.

    Attributes:
        number: counts from 1.
        call: the call, secrets masked.
        outcome: the result, in words.
        elapsed: seconds it took.
        ok: whether the result is right.
    """

    number: int
    call: str
    outcome: str
    elapsed: float
    ok: bool

    def line(self) -> str:
        """Return the step as text, in columns."""
        mark = "ok" if self.ok else "FAILED"
        return f"{self.number:>3}  {self.call:<41} {self.elapsed * 1000:>7.1f} ms  {mark:<3} {self.outcome}"


class StepFailedError(Exception):
    """A step had a wrong result; `step` is that step."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"Step {step.number} failed: {step.call}: {step.outcome}")
        self.step = step


class UnexpectedError(Exception):
    """A call returned something else than it should."""


def must(condition: object, otherwise: str) -> None:
    if not condition:
        raise UnexpectedError(otherwise)


def mask(secret: str) -> str:
    """Mask *secret*: only its first two characters and its length are shown, enough to tell two secrets apart."""
    return f"{secret[:2]}***({len(secret)})"


class Steps:
    """Takes steps, checks each and reports it to *show*."""

    def __init__(self, show: Callable[[Step], Any]) -> None:
        self.show = show
        self.steps: list[Step] = []

    async def step(self, call: str, made: Awaitable[T], tell: Callable[[T], str]) -> T:
        """Await *made*; *tell* describes the result, or raises `UnexpectedError`.

        Raises:
            StepFailedError: the call raised an error, or its result is wrong.
        """
        started = time.perf_counter()
        try:
            value = await made
        except AuthingError as error:
            self._fail(call, f"{type(error).__name__}: {error}", started, error)
        except UnexpectedError as error:
            self._fail(call, str(error), started, error)
        elapsed = time.perf_counter() - started
        try:
            outcome = tell(value)
        except (UnexpectedError, LookupError) as error:
            self._fail(call, str(error), started, error)
        self._note(call, outcome, elapsed, ok=True)
        return value

    async def refused(
        self, call: str, made: Awaitable[Any], expected: type[E], tell: Callable[[E], str] | None = None
    ) -> E:
        """Await *made*, which must raise an error of the class *expected*. The error is shown as a user would see it."""

        async def caught() -> E:
            try:
                await made
            except expected as error:
                return error
            raise UnexpectedError(f"{expected.__name__} was expected, but the call succeeded")

        return await self.step(call, caught(), tell or (lambda error: f"{type(error).__name__}: {error}"))

    def _note(self, call: str, outcome: str, elapsed: float, *, ok: bool) -> Step:
        step = Step(len(self.steps) + 1, call, outcome, elapsed, ok)
        self.steps.append(step)
        self.show(step)
        return step

    def _fail(self, call: str, why: str, started: float, cause: Exception) -> NoReturn:
        raise StepFailedError(self._note(call, why, time.perf_counter() - started, ok=False)) from cause


class Journey(Steps):
    """Takes the steps in their order, checks each and reports it to *show*."""

    def __init__(self, emulator: Emulator, client: AuthClient, show: Callable[[Step], Any]) -> None:
        super().__init__(show)
        self.emulator = emulator
        self.client = client

    # ─────────────────────────────── the journey ───────────────────────────────

    async def run(self) -> None:
        """All steps, in order.

        Raises:
            StepFailedError: a step had a wrong result.
        """
        challenge = await self.log_in()
        await self.by_phone(challenge)
        user = await self.by_email(await self.log_in())
        enrollment = await self.bind_totp(self.client.as_user(user.id_token))
        await self.recover(await self.log_in(), enrollment)
        await self.by_face()
        await self.errors(await self.log_in())

    async def log_in(self) -> MfaChallenge:
        """Log in with the first factor; the service asks for a second factor."""

        def tell(error: MfaRequiredError) -> str:
            words = [factor.policy for factor in error.challenge.factors]
            must(error.code == 1636, f"1636 was due, {error.code} came")
            must(words == ["SMS", "EMAIL", "OTP", "FACE"], f"unexpected factors: {words}")
            return f"1636: {', '.join(words)} are allowed"

        made = self.client.login_by_account(ACCOUNT, PASSWORD)
        return (await self.refused(f"login_by_account({ACCOUNT}, ***)", made, MfaRequiredError, tell)).challenge

    def code_sent(self, to: str) -> str:
        """Return the words for: a code is in the emulator's inbox."""
        code = self.emulator.code_for(to)
        must(code.isdigit(), "no code in the inbox")
        return f"a code of {len(code)} digits is in the emulator's inbox"

    async def by_phone(self, challenge: MfaChallenge) -> None:
        """Check a phone, send a code to the bound phone, verify the code."""

        def free(answer: object) -> str:
            must(answer is True, f"True was due, {answer!r} came")
            return "True: it is free to be bound"

        user = self.client.as_user(challenge.token)
        await self.step(f"mfa_check(phone={FREE_PHONE})", user.mfa_check(phone=FREE_PHONE), free)
        await self.step(f"send_sms({PHONE})", user.send_sms(PHONE), lambda _: self.code_sent(PHONE))
        code = self.emulator.code_for(PHONE)
        await self.step(f"mfa_verify_by_phone({PHONE}, ***)", user.mfa_verify_by_phone(PHONE, code), logged_in)

    async def by_email(self, challenge: MfaChallenge) -> UserInfo:
        """Verify by e-mail, then fetch the user once more with its own token."""

        def same(user: UserInfo) -> str:
            must(user.email == EMAIL, f"another user came: {user!r}")
            return f"the same user: {user.username}, {user.email}, {user.phone}"

        user = self.client.as_user(challenge.token)
        await self.step(f"send_mfa_email({EMAIL})", user.send_mfa_email(EMAIL), lambda _: self.code_sent(EMAIL))
        code = self.emulator.code_for(EMAIL)
        verified = await self.step(
            f"mfa_verify_by_email({EMAIL}, ***)", user.mfa_verify_by_email(EMAIL, code), logged_in
        )
        await self.step("get_current_user()", self.client.as_user(verified.id_token).get_current_user(), same)
        return verified

    async def bind_totp(self, user: AuthClient) -> TotpEnrollment:
        """Bind an authenticator app to the logged-in *user*, then log in with its code."""

        def enrolled(enrollment: TotpEnrollment) -> str:
            must(enrollment.uri.startswith("otpauth://totp/"), "the QR address is not one")
            must(len(enrollment.recovery_code) > 8, "there is no recovery code")
            return f"secret {mask(enrollment.secret)}, recovery code {mask(enrollment.recovery_code)}"

        def listed(found: tuple[Any, ...]) -> str:
            must([a.enabled for a in found if a.type == "totp"] == [True], f"one bound TOTP was due: {found}")
            return "TOTP is bound"

        made = await self.step("mfa_associate_by_totp()", user.mfa_associate_by_totp(), enrolled)
        code = self.totp(made.secret)
        await self.step("mfa_confirm_totp(***)", user.mfa_confirm_totp(code), lambda _: "the first code was right")
        await self.step("mfa_list_authenticators()", user.mfa_list_authenticators(), listed)
        challenge = await self.log_in()
        user = self.client.as_user(challenge.token)
        await self.step("mfa_verify_by_totp(***)", user.mfa_verify_by_totp(self.totp(made.secret)), logged_in)
        return made

    def totp(self, secret: str) -> str:
        """Return the code that an authenticator app would show now (RFC 6238), computed by the cryptography library, not by the emulator."""
        from cryptography.hazmat.primitives.hashes import SHA1
        from cryptography.hazmat.primitives.twofactor.totp import TOTP

        key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        app = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - the algorithm of every authenticator app
        return app.generate(self.emulator.clock()).decode()

    async def recover(self, challenge: MfaChallenge, enrollment: TotpEnrollment) -> None:
        """Use the recovery code: it works once, and the answer holds a new one."""
        old = enrollment.recovery_code

        def tell(user: UserInfo) -> str:
            new = user.recovery_code
            must(new, "no new recovery code came back")
            must(new != old, "the new recovery code is the old one")
            return f"{logged_in(user)}; NEW recovery code {mask(new or '')}, to be kept"

        user = self.client.as_user(challenge.token)
        call = f"mfa_verify_by_recovery_code({mask(old)})"
        await self.step(call, user.mfa_verify_by_recovery_code(old), tell)
        user = self.client.as_user((await self.log_in()).token)
        await self.refused(call, user.mfa_verify_by_recovery_code(old), WrongCodeError)

    async def by_face(self) -> None:
        """Bind a face with two photos, verify with a third, and see another face refused."""
        user = self.client.as_user((await self.log_in()).token)
        key_a = await self.upload(user, "photo A", draw_face("#e0ac7e"))
        key_b = await self.upload(user, "photo B", draw_face("#dfab7d"))
        await self.step("mfa_associate_by_face(A, B)", user.mfa_associate_by_face(key_a, key_b), logged_in)
        user = self.client.as_user((await self.log_in()).token)
        key_c = await self.upload(user, "photo C", draw_face("#e1ad7f"))
        await self.step("mfa_verify_by_face(C)", user.mfa_verify_by_face(key_c), logged_in)
        key_d = await self.upload(user, "another face", draw_face("#5a3a22", hair="#e8d090", mouth_up=False))
        await self.refused("mfa_verify_by_face(another)", user.mfa_verify_by_face(key_d), FaceError)

    async def upload(self, user: AuthClient, name: str, picture: Image) -> str:
        """Upload *picture* and get its key."""

        def tell(key: str) -> str:
            must(key, "no photo key came back")
            return f"photo key {key.rpartition('/')[0]}/***"

        return await self.step(f"upload_face_image({name})", user.upload_face_image(picture), tell)

    async def errors(self, challenge: MfaChallenge) -> None:
        """Show a wrong code, an expired mfaToken and a server that is not running, each as a user would see it."""

        def unsent(error: NetworkError) -> str:
            must(error.delivery == "not_sent", f"delivery not_sent was due, {error.delivery} came")
            return f"{type(error).__name__}: {error} Nothing was sent."

        user = self.client.as_user(challenge.token)
        call = f"mfa_verify_by_phone({PHONE}, wrong)"
        await self.refused(call, user.mfa_verify_by_phone(PHONE, WRONG_CODE), WrongCodeError)
        self.emulator.clock.advance(361)
        made = user.mfa_verify_by_totp(WRONG_CODE)
        await self.refused("mfa_verify_by_totp(***), 361 s later", made, InvalidMfaTokenError)
        with socket.socket() as nobody:  # bound but not listening: connections are refused
            nobody.bind(("127.0.0.1", 0))
            base_url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            async with AuthClient(self.emulator.app_id, base_url=base_url, token=challenge.token) as lost:
                made = lost.mfa_verify_by_totp(WRONG_CODE)
                await self.refused("mfa_verify_by_totp(***), no server", made, NetworkError, unsent)


def logged_in(user: UserInfo) -> str:
    """Return the words for: *user* is logged in.

    Raises:
        UnexpectedError: another user is logged in, or there is no token.
    """
    must(user.username == ACCOUNT, f"another user came: {user!r}")
    must(user.id_token, "no token came back")
    return f"{user.display_name} is logged in"


def draw_face(skin: str, *, hair: str = "#3b2a1a", mouth_up: bool = True) -> Image:
    """Draw a simple face. The emulator takes two pictures that are nearly equal for the same face."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (480, 480), "#9cc4e4")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((100, 40, 380, 330), fill=hair)
    pen.ellipse((120, 80, 360, 420), fill=skin)
    for x in (195, 285):
        pen.ellipse((x - 22, 200, x + 22, 232), fill="white")
        pen.ellipse((x - 10, 206, x + 10, 228), fill="#203040")
    pen.arc((180, 280, 300, 360), 20 if mouth_up else 200, 160 if mouth_up else 340, fill="#a03040", width=8)
    return picture


async def run(show: Callable[[Step], Any], emulator: Emulator | None = None) -> list[Step]:
    """Run the journey against *emulator*, or against a new emulator; call *show* with each step.

    Raises:
        StepFailedError: a step had a wrong result.
    """
    if emulator is None:
        async with Emulator() as own:
            return await run(show, own)
    emulator.add_user(
        username=ACCOUNT, password=PASSWORD, phone=PHONE, email=EMAIL, mfa=["SMS", "EMAIL", "OTP", "FACE"]
    )
    client = AuthClient(
        emulator.app_id,
        base_url=emulator.url,
        user_pool_id=emulator.user_pool_id,
        public_key=emulator.public_key,
    )
    async with asyncio.timeout(SECONDS), client:
        journey = Journey(emulator, client, show)
        await journey.run()
    return journey.steps


def _next() -> str:
    """What a newcomer does next, with the commands of this very Python."""
    python = shlex.quote(sys.executable) if os.name == "posix" else f'"{sys.executable}"'
    return (
        "Next: see codes arrive in a browser. Run these two commands, and open the address that the second one prints:\n"
        f'  {python} -m pip install "authing-mfa[cli]"\n'
        f"  {python} -m authing_mfa emulator"
    )


def main(emulator: Emulator | None = None) -> int:
    """Print the journey. Return 0 if every step had the right result, else 1; 130 after Ctrl-C, 141 if nobody reads the output any more."""
    try:
        return _main(emulator)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest of its buffer at exit
        return 141


def _main(emulator: Emulator | None) -> int:
    started = time.perf_counter()

    def show(step: Step) -> None:
        sys.stdout.write(step.line() + "\n")
        sys.stdout.flush()

    try:
        steps = asyncio.run(run(show, emulator))
    except StepFailedError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except TimeoutError:
        sys.stderr.write(f"\nThe journey took longer than {SECONDS:g} s.\n")
        return 1
    seconds = time.perf_counter() - started
    sys.stdout.write(f"\nAll {len(steps)} steps had the expected result ({seconds:.1f} s).\n\n{_next()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
