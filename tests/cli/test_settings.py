"""Where a setting comes from, and the commands that show and change it."""

import stat
import tomllib

import pytest

from authing_mfa._loopback import is_loopback_url
from authing_mfa.cli.settings import SETTINGS, locale_of, normal_lang, resolve
from authing_mfa.errors import InvalidInputError


def listed(done):
    return {row["key"]: row for row in done.json["data"]["settings"]}


def test_a_flag_beats_the_environment_beats_the_profile_beats_the_default(bare):
    """One step after the other is taken away."""
    bare.invoke("config", "set", "app_id", "from-profile")
    set_ = bare.with_env(AUTHING_APP_ID="from-environment")
    found = listed(set_.run("--app-id", "from-flag", "config", "list", "--json"))["app_id"]
    assert (found["value"], found["source"], found["where"]) == ("from-flag", "flag", "--app-id")
    found = listed(set_.invoke("config", "list", "--json"))["app_id"]
    assert (found["value"], found["source"], found["where"]) == ("from-environment", "environment", "AUTHING_APP_ID")
    found = listed(bare.invoke("config", "list", "--json"))["app_id"]
    assert (found["value"], found["source"], found["where"]) == ("from-profile", "profile", "default")
    bare.invoke("config", "unset", "app_id")
    found = listed(bare.invoke("config", "list", "--json"))["app_id"]
    assert (found["value"], found["source"]) == (None, "default")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_can_be_given_in_all_three_ways(setting, bare):
    """Each has its flag, its variable and its key in a profile."""
    texts = {"on_premise": "true", "scheme": "http", "timeout": "7", "lang": "zh", "base_url": "https://a.example"}
    text = texts.get(setting.name, "some-text")
    flag = [setting.flag] if setting.name == "on_premise" else [setting.flag, text]
    by_flag = listed(bare.invoke(*flag, "--json", "config", "list"))[setting.name]
    by_env = listed(bare.with_env(**{setting.env: text}).invoke("--json", "config", "list"))[setting.name]
    bare.invoke("config", "set", setting.name, text)
    by_profile = listed(bare.invoke("--json", "config", "list"))[setting.name]
    assert [row["source"] for row in (by_flag, by_env, by_profile)] == ["flag", "environment", "profile"]
    assert by_flag["value"] == by_env["value"] == by_profile["value"] == setting.read(text)


def test_profiles_are_chosen_by_flag_or_environment(bare):
    """Two profiles, two applications."""
    bare.invoke("--profile", "work", "config", "set", "app-id", "at-work")
    bare.invoke("config", "set", "app_id", "at-home")
    get = ("config", "get", "app_id")
    assert bare.invoke(*get).out == "at-home\n"
    assert bare.invoke("--profile", "work", *get).out == "at-work\n"
    assert bare.with_env(AUTHING_PROFILE="work").invoke(*get).out == "at-work\n"
    assert bare.with_env(AUTHING_PROFILE="work").invoke("--profile", "default", *get).out == "at-home\n"


def test_a_profile_that_is_not_there_is_a_usage_error(bare):
    """A misspelt profile must not silently be the default one."""
    done = bare.invoke("--profile", "workk", "config", "list")
    assert (done.code, "no profile workk" in done.err) == (2, True)


def test_the_file_is_where_config_path_says(bare):
    """The file is TOML, readable by hand, and keeps numbers and booleans as such."""
    bare.run("config", "set", "timeout", "5")
    bare.invoke("config", "set", "on-premise", "yes")
    bare.invoke("config", "set", "host", 'quo"ted\\host')
    path = bare.invoke("config", "path").out.strip()
    assert path == str(bare.folder / "config.toml")
    text = (bare.folder / "config.toml").read_text()
    assert "timeout = 5.0" in text
    assert "on_premise = true" in text
    assert bare.invoke("config", "get", "host").out == 'quo"ted\\host\n'


def test_a_change_keeps_what_else_the_file_holds(bare):
    """Tables in tables, lists, dates, numbers without end and texts with control characters are read as before."""
    bare.folder.mkdir()
    path = bare.folder / "config.toml"
    path.write_text("""
        [work]
        app_id = "a\\u007f\\n"
        timeout = inf
        since = 2026-11-29T12:00:00Z
        names = ["x", {y = 1}, [true]]
        [work.proxy.office]
        url = "http://proxy"
        [other]
        "two words" = -1e-7
        """)
    before = tomllib.loads(path.read_text())
    assert bare.invoke("config", "set", "lang", "zh").code == 0
    assert tomllib.loads(path.read_text()) == before | {"default": {"lang": "zh-CN"}}


def test_a_change_keeps_a_link_and_the_files_mode(bare, tmp_path):
    """Many people keep such files in one folder, with links to them."""
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("[default]\n")
    kept.chmod(0o600)
    bare.folder.mkdir()
    (bare.folder / "config.toml").symlink_to(kept)
    assert bare.invoke("config", "set", "app_id", "a").code == 0
    assert tomllib.loads(kept.read_text()) == {"default": {"app_id": "a"}}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert (bare.folder / "config.toml").is_symlink()


@pytest.mark.parametrize("text", ["app_id = ", "app_id = 'outside'", "[default]\ntimeout = 'soon'", "\xff"])
def test_a_broken_file_is_a_usage_error_that_names_it(text, bare):
    """Nothing is guessed from a file that is not right."""
    bare.folder.mkdir()
    (bare.folder / "config.toml").write_bytes(text.encode("latin-1"))
    done = bare.invoke("config", "list")
    assert done.code == 2
    assert "profile" in done.err
    assert "Traceback" not in done.err


def test_a_key_that_means_nothing_is_warned_of(bare):
    """A typing mistake in the file is reported, the other settings are used."""
    bare.folder.mkdir()
    (bare.folder / "config.toml").write_text('[default]\napp_id = "a"\nhots = "b"\n')
    done = bare.invoke("config", "list")
    assert (done.code, "hots" in done.err) == (0, True)


@pytest.mark.parametrize("key", ["token", "password", "code"])
def test_a_secret_is_not_kept_in_a_profile(key, bare):
    """`config set` refuses secrets, and does not repeat them."""
    done = bare.invoke("config", "set", key, "s3cret")
    assert (done.code, "s3cret" in done.err + done.out) == (2, False)
    assert not (bare.folder / "config.toml").exists()


def test_config_list_masks_secrets(bare):
    """Secrets in the environment are named, not shown."""
    secrets = {"AUTHING_TOKEN": "tok-abcdef", "AUTHING_PASSWORD": "pw-abcdef", "AUTHING_CODE": "135791"}
    done = bare.with_env(**secrets).run("config", "list")
    assert done.code == 0
    assert not any(secret in done.out + done.err for secret in secrets.values())
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in done.out.splitlines()}
    assert lines["token"] == ["********", "environment AUTHING_TOKEN"]
    assert lines["password"] == ["********", "environment AUTHING_PASSWORD"]


def test_config_list_says_which_login_is_stored(cli, emulator):
    """Whose it is and until when it is good, but not the token."""
    user = emulator.add_user()
    cli.log_in(user)
    row = listed(cli.invoke("config", "list", "--json"))["token"]
    assert row["source"] == "kept"
    assert row["value"].startswith(f"******** (mfaToken of {user['username']}, until ")
    expiring = cli.with_env(AUTHING_TOKEN=emulator.token_of(user))
    assert listed(expiring.invoke("config", "list", "--json"))["token"]["value"].startswith("******** (until ")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("//localhost", True),
        ("https://app.localhost:1", True),
        ("http://[::1]:5", True),
        ("https://authing.cn", False),
        ("//10.0.0.1", False),
    ],
)
def test_a_proxy_of_the_environment_is_not_meant_for_this_machine(url, local):
    """An emulator is asked directly, whatever http_proxy says."""
    assert is_loopback_url(url) is local


def test_an_authority_that_cannot_be_read_is_a_usage_error(cli):
    """Nothing is sent without the certificates that were asked for."""
    done = cli.with_env(AUTHING_TOKEN="t").invoke("--ca-file", "/no/such/file.pem", "whoami")
    assert (done.code, "/no/such/file.pem" in done.err) == (2, True)


def test_a_nearer_host_switches_off_a_farther_base_url(bare):
    """`--host` on the command line means that service, whatever AUTHING_BASE_URL says."""
    set_ = bare.with_env(AUTHING_BASE_URL="https://a.example")
    rows = listed(set_.invoke("--host", "b.example", "config", "list", "--json"))
    assert rows["base_url"]["unused"] == "host from --host comes first"
    assert set_.invoke("--host", "b.example", "config", "get", "base_url").out == ""
    rows = listed(set_.with_env(AUTHING_HOST="b.example").invoke("config", "list", "--json"))
    assert rows["base_url"]["unused"] is None


def test_no_application_id_says_how_to_give_one(bare):
    """The one setting that has no default."""
    done = bare.with_env(AUTHING_TOKEN="t").run("whoami")
    assert (done.code, "AUTHING_APP_ID" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"LANG": "zh_CN.UTF-8"}, ("zh-CN", "LANG")),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, None),
        ({"LC_MESSAGES": "zh_TW", "LANG": "C"}, ("zh-CN", "LC_MESSAGES")),
        ({"LANG": "C"}, None),
        ({}, None),
    ],
)
def test_the_locale_means_chinese(environ, found):
    """LC_ALL comes before LC_MESSAGES before LANG."""
    assert locale_of(environ) == found


@pytest.mark.parametrize(
    ("given", "normal"), [("zh", "zh-CN"), ("EN", "en-US"), ("zh_CN.UTF-8", "zh-CN"), ("ja-JP", "ja-JP")]
)
def test_languages_are_taken_in_many_spellings(given, normal):
    """As people and locales write them."""
    assert normal_lang(given) == normal


@pytest.mark.parametrize(
    ("name", "text"), [("timeout", "0"), ("timeout", "nan"), ("scheme", "ftp"), ("on_premise", "maybe"), ("lang", "?!")]
)
def test_a_value_that_cannot_be_one_names_its_source(name, text):
    """The sentence says which variable to look at."""
    variable = f"AUTHING_{name.upper()}"
    with pytest.raises(InvalidInputError, match=variable):
        resolve({}, {variable: text}, {}, "default")


def test_the_language_of_a_usage_error_is_right_even_with_a_broken_setting(bare):
    """A wrong time-out is reported in Chinese if the language is Chinese, and --lang works."""
    done = bare.with_env(AUTHING_TIMEOUT="soon").invoke("--lang", "zh", "verify", "totp")
    assert done.code == 2
    assert "timeout" in done.err
