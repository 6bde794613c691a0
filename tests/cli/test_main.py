"""How the command line starts: quickly, lazily, and with a sentence where its extra is missing."""

import os
import subprocess
import sys
import textwrap

import click
import pytest

from authing_mfa._version import __version__
from authing_mfa.cli.app import PROGRAM
from authing_mfa.cli.app import cli as root

HEAVY = (
    "aiohttp",
    "asyncio",
    "rich",
    "PIL",
    "cryptography",
    "keyring",
    "segno",
    "sqlalchemy",
    "platformdirs",
    "yaml",
    "cattrs",
    "attr",
    "json",
    "secrets",
    "tomllib",
)


def python(source, *arguments):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *arguments], capture_output=True, text=True, timeout=60
    )


def loaded_by(*arguments):
    """Which of the heavy modules a run imports."""
    done = python(
        f"""
        import sys
        sys.argv = ["authing-mfa", *sys.argv[1:]]
        from authing_mfa.__main__ import main
        try:
            main()
        finally:
            sys.stderr.write("loaded:" + ",".join(name for name in {HEAVY!r} if name in sys.modules))
        """,
        *arguments,
    )
    return set(done.stderr.rpartition("loaded:")[2].split(",")) - {""}


def test_help_imports_nothing_heavy():
    """`--help` is quick because it loads neither aiohttp nor anything else that takes its time."""
    assert loaded_by("--help") == set()


def test_a_commands_help_imports_nothing_heavy():
    """The help of a command is as quick."""
    assert loaded_by("verify", "sms", "--help") == set()


def test_a_command_imports_only_what_it_needs():
    """Computing a TOTP code needs no HTTP client."""
    assert "aiohttp" not in loaded_by("totp", "code", "--secret-stdin")


@pytest.mark.parametrize("present", [(), ("click",)], ids=["nothing", "click"])
def test_without_the_extra_it_says_how_to_install_it(present):
    """`python -m authing_mfa` without the extra exits with 2 and names the extra, also if Flask or uvicorn has brought click."""
    missing = {"click", "rich", "platformdirs", "keyring"}.difference(present)
    done = python(f"""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {missing!r}:
                    raise ModuleNotFoundError("No module named " + name, name=name)

        sys.meta_path.insert(0, Missing())
        sys.argv[1:] = ["config", "list"]
        import runpy
        runpy.run_module("authing_mfa", run_name="__main__")
    """)
    assert done.returncode == 2
    assert 'pip install "authing-mfa[cli]"' in done.stderr
    assert (done.stdout, "Traceback" in done.stderr) == ("", False)


def test_python_m_runs_it(bare):
    """`python -m authing_mfa` is the command line."""
    done = bare.run("--version")
    assert (done.code, done.out.strip()) == (0, f"{PROGRAM}, version {__version__}")


def test_with_nothing_it_shows_the_help(bare):
    """No command is an error of usage, answered with the help on stderr."""
    done = bare.run()
    assert (done.code, done.out) == (2, "")
    assert "verify" in done.err


def every_command(group, path=()):
    context = click.Context(group, info_name=PROGRAM)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


def test_the_table_says_what_the_commands_say():
    """The sentences in the lazy table are the first sentences of the commands' own help."""
    context = click.Context(root, info_name=PROGRAM)
    table = {name: text for name, (_, text) in root.entries.items()}
    own = {name: root.get_command(context, name).help.partition("\n")[0] for name in table}
    assert table == own


@pytest.mark.parametrize(("path", "command"), list(every_command(root)), ids=lambda value: str(value)[:40])
def test_every_command_has_help_json_and_no_secret_option(path, command, bare):
    """`--help` works, `--json` is there, and no option takes a secret as its value."""
    done = bare.invoke(*path, "--help")
    assert done.code == 0
    assert "--json" in done.out
    valued = [option for option in command.params if isinstance(option, click.Option) and not option.is_flag]
    names = {name for option in valued for name in option.opts}
    assert not names & {"--code", "--password", "--token", "--secret", "--recovery-code"}


@pytest.mark.parametrize("option", ["--code", "--token", "--password"])
def test_the_missing_secret_options_say_why(option, bare):
    """The error for `--code` says why there is no such option."""
    done = bare.invoke("verify", "totp", option, "246810")
    assert done.code == 2
    assert f"{option}-stdin" in done.err
    assert "246810" not in done.err + done.out


@pytest.mark.parametrize("arguments", [("login", "ada", "246810"), ("verify", "totp", "246810"), ("whoami", "246810")])
@pytest.mark.parametrize("output", [(), ("--json",)])
def test_surplus_arguments_are_not_shown(arguments, output, bare):
    """Somebody typed a password or a code as an argument: logs must not hold it as well."""
    done = bare.invoke(*arguments, *output)
    assert (done.code, "Too many arguments: 1 more" in done.err) == (2, True)
    assert "246810" not in done.err + done.out


def test_the_help_of_verify_says_why_there_is_no_code_option(bare):
    """The help explains it too."""
    assert "There is no --code option" in " ".join(bare.invoke("verify", "--help").out.split())


@pytest.mark.parametrize(
    ("shell", "words"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef authing-mfa"), ("fish", "complete --no-files --command")],
)
def test_completion_prints_the_script(shell, words, bare):
    """Each shell gets its script on stdout."""
    done = bare.invoke("completion", shell)
    assert done.code == 0
    assert words in done.out
    assert "_AUTHING_MFA_COMPLETE" in done.out


def test_bash_completes_commands(bare, tmp_path):
    """The script works in a real bash: `authing-mfa ver<TAB>` gives `verify`."""
    program = tmp_path / "authing-mfa"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m authing_mfa "$@"\n')
    program.chmod(0o755)
    script = f"""
        PATH={tmp_path}:$PATH
        source <(authing-mfa completion bash)
        COMP_WORDS=(authing-mfa verify re); COMP_CWORD=2
        _authing_mfa_completion authing-mfa
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=bare.environ, timeout=60)
    assert done.stdout.split() == ["recovery"]


@pytest.mark.parametrize(("shell", "found"), [("zsh", "plain\nwhoami"), ("fish", "plain,whoami")])
def test_zsh_and_fish_ask_for_completions(shell, found, bare):
    """What the scripts of the other two shells call answers in their form."""
    asking = bare.with_env(_AUTHING_MFA_COMPLETE=f"{shell}_complete", COMP_WORDS="authing-mfa who", COMP_CWORD="1")
    if shell == "fish":
        asking = asking.with_env(COMP_CWORD="who")
    assert asking.run().out.startswith(found)


@pytest.mark.parametrize("arguments", [("completion", "bash"), ("--version",), ("demo", "--json"), ("batch", "-")])
def test_a_reader_that_is_gone_is_never_1(arguments, bare):
    """1 means that the service says no. A pipe whose other end is closed ends the run quietly, as it does for other programs."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "authing_mfa", *arguments],
            input="kind,phone\nnonsense,1\n",
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env={**bare.environ, "AUTHING_APP_ID": "a"},
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (done.returncode, "Traceback" in done.stderr) == (141, False)


def test_a_reader_that_goes_away_is_no_error(bare):
    """`authing-mfa … | head` ends quietly."""
    done = subprocess.run(
        f'"{sys.executable}" -m authing_mfa completion bash | true',
        shell=True,
        capture_output=True,
        text=True,
        env=bare.environ,
        timeout=60,
    )
    assert done.stderr == ""
