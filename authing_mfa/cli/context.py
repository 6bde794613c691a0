"""One run of the command line: its settings, its output, its login, and a client for code without an event loop."""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from authing_mfa.cli import settings as sources
from authing_mfa.cli.output import Output
from authing_mfa.cli.profiles import DEFAULT_PROFILE, Profiles, config_folder
from authing_mfa.cli.prompts import Asker
from authing_mfa.cli.texts import say
from authing_mfa.cli.unshown import Unshown
from authing_mfa.errors import AuthingError, LoginError, MfaRequiredError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from pathlib import Path

    from authing_mfa.cli.tokens import Login, TokenStore
    from authing_mfa.models import MfaChallenge, UserInfo

__all__ = ["CliContext", "Service", "user_json"]

T = TypeVar("T")


class CliContext:
    """The object that every command gets.

    Attributes:
        flags: the settings given before the command.
        profile_flag: `--profile`.
        challenge_kept: a challenge's mfaToken was kept for the next command.
        unshown: a new recovery code that the user has not seen yet.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.output: Output = Output(environ)
        self.flags: dict[str, Any] = {}
        self.profile_flag: str | None = None
        self.challenge_kept: bool = False
        self.unshown: Unshown = Unshown()

    # ─────────────────────────────── settings ───────────────────────────────

    @cached_property
    def folder(self) -> Path:
        """The folder of profiles and tokens."""
        return config_folder(self.environ)

    @property
    def profiles(self) -> Profiles:
        """The profile file."""
        return Profiles(self.folder)

    @property
    def profile(self) -> str:
        """The name of the profile in force."""
        if self.profile_flag is not None:
            return self.profile_flag
        return self.environ.get("AUTHING_PROFILE", "").strip() or DEFAULT_PROFILE

    @cached_property
    def values(self) -> dict[str, sources.Value]:
        """Every setting with its source.

        Raises:
            InvalidInputError: the profile or a value cannot be used.
        """
        table = self.profiles.table(self.profile, named=self.profile != DEFAULT_PROFILE)
        for key in table:
            if key not in sources.PROFILE_KEYS:
                self.output.warn(f"Warning: profile {self.profile} has a key that means nothing: {key}")
        return sources.resolve(self.flags, self.environ, table, self.profile)

    def value(self, name: str) -> Any:
        """Return a setting that is in force, else None."""
        found = self.values[name]
        return None if found.unused else found.value

    @property
    def lang(self) -> str:
        """The language of sentences. Never fails: errors need it too."""
        with contextlib.suppress(AuthingError):
            return str(self.values["lang"].value)
        given = self.flags.get("lang") or self.environ.get("AUTHING_LANG") or ""
        found = sources.locale_of(self.environ)
        return str(given) or (found[0] if found else "en-US")

    def say(self, key: str, **fields: object) -> str:
        """Return a sentence in the user's language."""
        return say(key, self.lang, **fields)

    def explain(self, error: AuthingError) -> str:
        """Return *error* as a sentence that ends with the next step, in the user's language."""
        from authing_mfa.cli.error_messages import sentence

        return sentence(error, self.lang, kept=self.challenge_kept)

    @property
    def asker(self) -> Asker:
        """Asks for values that were not given."""
        return Asker(self.environ, self.say)

    # ─────────────────────────────── the login ───────────────────────────────

    @cached_property
    def store(self) -> TokenStore:
        """The login of this profile with this application of this service."""
        from authing_mfa.cli.tokens import TokenStore

        where = self.value("base_url") or f"{self.value('scheme')}://{self.value('host')}"
        key = f"{self.profile} {self.value('app_id')} {where.rstrip('/')}"
        return TokenStore(self.folder, key, self.output.warn, self.say)

    def login(self, *, stdin: bool = False) -> Login | None:
        """Return the login to use: from a line of stdin, else AUTHING_TOKEN, else the stored login, else None."""
        from authing_mfa.cli.tokens import Login

        if stdin:
            return Login(self.asker.line("token", "--token-stdin"), "given")
        given = self.environ.get("AUTHING_TOKEN", "").strip()
        if given:
            return Login(given, "environment")
        return self.store.load()

    def needs_login(self, *, stdin: bool = False) -> Login:
        """Return the login, for commands that need one.

        Raises:
            LoginError: there is no token.
        """
        login = self.login(stdin=stdin)
        if login is None:
            raise LoginError("There is no token")
        return login

    def keep(self, login: Login) -> bool:
        """Store *login* for the next commands. Return True if that worked."""
        try:
            in_keyring = self.store.save(login)
        except OSError as error:
            self.output.warn(self.say("not_kept", reason=error.strerror or error))
            return False
        if in_keyring and login.kind == "user":
            self.output.note(self.say("kept"))
        if self.environ.get("AUTHING_TOKEN", "").strip():
            self.output.warn(self.say("env_wins"))
        return True

    def keep_challenge(self, challenge: MfaChallenge, account: str | None) -> None:
        """Store an mfaToken, so that the next commands can continue the login."""
        from authing_mfa.cli.tokens import Login

        self.challenge_kept = self.keep(
            Login(
                challenge.token,
                "mfa",
                account,
                challenge.phone,
                challenge.phone_country_code,
                challenge.email,
                tuple(factor.policy for factor in challenge.factors),
            )
        )

    def welcome(
        self,
        user: UserInfo,
        *,
        keep: bool = True,
        show_token: bool = False,
        text: str = "logged_in",
        recovery_code: str | None = None,
    ) -> None:
        """Print who is logged in, and store the token. *recovery_code*: of a TOTP that was bound during the login."""
        from authing_mfa.cli.tokens import Login

        name = user.display_name or user.id or "?"
        self.output.good(self.say(text, name=name))
        if user.recovery_code:
            self.output.note(self.say("new_recovery"))
        if keep and user.id_token:
            self.keep(Login(user.id_token, "user", name))
        data = user_json(user)
        if recovery_code is not None:
            data.setdefault("recovery_code", recovery_code)
        if show_token:
            data["token"] = user.id_token
        shown = {name: value for name, value in data.items() if name not in ("photo", "user_pool_id")}
        self.output.data(data, self.output.fields(shown.items()))
        self.unshown.was_shown()

    # ─────────────────────────────── the service ───────────────────────────────

    def service(self, token: str | None = None) -> Service:
        """Return the client for these settings, using *token*.

        Raises:
            click.UsageError: the application id is missing.
            InvalidInputError: a setting cannot be used.
        """
        return Service(self, token)

    def client_options(self, token: str | None) -> dict[str, Any]:
        """Return the keywords of an `AuthClient` for these settings.

        Raises:
            click.UsageError: the application id is missing.
            InvalidInputError: a setting cannot be used.
        """
        from authing_mfa._loopback import is_loopback_url

        app_id = self.value("app_id")
        if app_id is None:
            raise click.UsageError(self.say("no_app_id"))
        base_url, host = self.value("base_url"), self.value("host")
        ca_file = self.value("ca_file")
        options: dict[str, Any] = {
            "app_id": app_id,
            "token": token,
            "host": host,
            "trust_env": not is_loopback_url(base_url or f"//{host}"),
        }
        for name in ("scheme", "on_premise", "user_pool_id", "public_key", "lang", "timeout"):
            options[name] = self.value(name)
        if base_url is not None:
            options["base_url"] = base_url
        if ca_file is not None:
            from authing_mfa.cli.certificates import trusting

            options["ssl_context"] = trusting(ca_file)
        return options


class Service:
    """Runs calls of the client for code without an event loop: `service(service.client.mfa_check(…))`. Ctrl-C cancels the call."""

    def __init__(self, context: CliContext, token: str | None) -> None:
        self._context = context
        import asyncio

        from authing_mfa.client import AuthClient

        self.client: AuthClient = AuthClient(**context.client_options(token))
        self._base = self.client
        self._runner = asyncio.Runner()  # not uvloop: importing it takes longer than a command's few calls

    def __enter__(self) -> Self:
        return self

    def __call__(self, call: Coroutine[Any, Any, T], *, account: str | None = None, keep: bool = True) -> T:
        """Await *call*. A challenge in its answer is stored for the next command (unless *keep* is false), and raised.

        Raises:
            AuthingError: as the client does.
        """
        try:
            answer = self._runner.run(call)
            self._context.unshown.look_at(answer)
            return answer
        except MfaRequiredError as error:
            if keep:
                self._context.keep_challenge(error.challenge, account)
            raise

    async def recover(self, code: str) -> UserInfo:
        """Verify with the recovery code *code*. Ctrl-C waits for the answer, which holds the new code; a second one does not wait."""
        import asyncio

        call = asyncio.create_task(self.client.mfa_verify_by_recovery_code(code))
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            self._context.output.note(self._context.say("recovery_awaited"))
            try:
                self._context.unshown.hold(await call)
            except AuthingError as error:
                self._context.output.note(self._context.explain(error))
            raise

    def speak_for(self, token: str | None) -> None:
        """Use another token from now on."""
        self.client = self._base.as_user(token)

    def __exit__(self, *exc: object) -> None:
        with self._runner:
            self._runner.run(self._base.aclose())


def user_json(user: UserInfo) -> dict[str, Any]:
    """Return a user for `--json`, without tokens; with the recovery code only if it is new."""
    names = ("id", "username", "nickname", "name", "email", "phone", "phone_country_code", "photo", "user_pool_id")
    data: dict[str, Any] = {name: getattr(user, name) for name in names}
    return data | ({"recovery_code": user.recovery_code} if user.recovery_code else {})
