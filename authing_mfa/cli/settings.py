"""Find the value of each setting: from a flag, else the environment, else the profile, else its default. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PROFILE_KEYS", "SETTINGS", "Setting", "Value", "locale_of", "normal_lang", "parse", "resolve"]


class Setting(NamedTuple):
    """One setting.

    Attributes:
        name: its key in a profile, and with dashes its flag.
        env: its environment variable.
        default: its value if no source has one.
        read: reads the value from text; raises ValueError.
        help: one line.
    """

    name: str
    env: str
    default: Any
    read: Callable[[str], Any]
    help: str

    @property
    def flag(self) -> str:
        """The flag, e.g. ``--app-id``."""
        return "--" + self.name.replace("_", "-")


class Value(NamedTuple):
    """A setting's value and its source.

    Attributes:
        source: ``flag``, ``environment``, ``profile``, ``locale`` or ``default``.
        where: the flag, the variable, or the profile's name; empty for a default.
        unused: why the value is not used, empty if it is used.
    """

    value: Any
    source: str
    where: str = ""
    unused: str = ""


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of another encoding: the system's interface makes surrogates of them
        raise ValueError("it is not valid text in UTF-8") from None
    return text


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError("it is neither true nor false")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError("it is not a number of seconds above 0")
    return seconds


def _scheme(text: str) -> str:
    word = text.strip().lower()
    if word not in ("http", "https"):
        raise ValueError("it is neither http nor https")
    return word


def normal_lang(text: str) -> str:
    """Return a language in the service's form: ``zh`` and ``zh_CN.UTF-8`` become ``zh-CN``, ``en`` becomes ``en-US``.

    Raises:
        ValueError: it is not the name of a language.
    """
    name = text.strip().partition(".")[0].partition("@")[0].replace("_", "-")
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise ValueError("it is not a language, like en-US or zh-CN")
    return {"zh": "zh-CN", "en": "en-US"}.get(name.lower(), name)


SETTINGS: Final = (
    Setting("app_id", "AUTHING_APP_ID", None, _text, "Id of the application."),
    Setting(
        "host", "AUTHING_HOST", "authing.cn", _text, "Domain of the service; public-config comes from console.HOST."
    ),
    Setting("base_url", "AUTHING_BASE_URL", None, _text, "Address of the service; skips discovery."),
    Setting("user_pool_id", "AUTHING_USER_POOL_ID", None, _text, "Id of the user pool, with --base-url."),
    Setting(
        "on_premise",
        "AUTHING_ON_PREMISE",
        default=False,
        read=_boolean,
        help="Fetch public-config from the host itself.",
    ),
    Setting("scheme", "AUTHING_SCHEME", "https", _scheme, "https or http."),
    Setting(
        "public_key", "AUTHING_PUBLIC_KEY", None, _text, "RSA key for passwords, base64 or PEM; default: the cloud's."
    ),
    Setting("ca_file", "AUTHING_CA_FILE", None, str, "PEM file of a private certificate authority to trust."),
    Setting(
        "lang", "AUTHING_LANG", "en-US", normal_lang, "Language of messages: en-US or zh-CN; default: the locale's."
    ),
    Setting("timeout", "AUTHING_TIMEOUT", 60.0, _seconds, "Seconds that a call may take."),
)

PROFILE_KEYS: Final = {setting.name: setting for setting in SETTINGS}

_RANK = {"flag": 0, "environment": 1, "profile": 2, "locale": 3, "default": 4}


def parse(setting: Setting, text: object, whence: str) -> Any:
    """Return *text* as the setting's value.

    Raises:
        InvalidInputError: *text* is not a valid value; the error names its source *whence*.
    """
    if isinstance(text, bool):
        text = str(text)
    try:
        value = setting.read(str(text))
    except ValueError as error:
        reason = str(error) if str(error).startswith("it is") else "it is not a number of seconds above 0"
        raise InvalidInputError(f"{setting.name} from {whence} cannot be used: {reason}.") from None
    return value.strip() if isinstance(value, str) else value


def locale_of(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the language of the locale and the variable that names it; only Chinese is distinguished."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        text = environ.get(name)
        if text:
            return ("zh-CN", name) if text.lower().startswith("zh") else None
    return None


def resolve(
    flags: Mapping[str, Any], environ: Mapping[str, str], profile: Mapping[str, Any], profile_name: str
) -> dict[str, Value]:
    """Return every setting with its source.

    Args:
        flags: the options before the command; None: not given.
        environ: the environment; an empty variable is not set.
        profile: the profile's own table.
        profile_name: its name, for errors.

    Raises:
        InvalidInputError: a value is invalid.
    """
    values = {setting.name: _one(setting, flags, environ, profile, profile_name) for setting in SETTINGS}
    base, host = values["base_url"], values["host"]
    if base.value is not None and _RANK[host.source] < _RANK[base.source]:
        # a host of higher precedence overrides an address of lower precedence
        values["base_url"] = base._replace(unused=f"host from {host.where or host.source} comes first")
    return values


def _one(
    setting: Setting,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    profile: Mapping[str, Any],
    profile_name: str,
) -> Value:
    if flags.get(setting.name) is not None:
        return Value(parse(setting, flags[setting.name], setting.flag), "flag", setting.flag)
    if environ.get(setting.env, "").strip():
        return Value(parse(setting, environ[setting.env], setting.env), "environment", setting.env)
    if profile.get(setting.name) is not None:
        return Value(parse(setting, profile[setting.name], f"profile {profile_name}"), "profile", profile_name)
    if setting.name == "lang":
        found = locale_of(environ)
        if found is not None:
            return Value(found[0], "locale", found[1])
    return Value(setting.default, "default")
