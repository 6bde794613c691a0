"""Options of a run and of the emulator: each is accepted, or refused by its name before anything starts."""

import errno
import pathlib

import attrs
import pytest

from authing_mfa import AuthClient
from authing_mfa.batch import verify_many
from authing_mfa.batch.options import BatchOptions, RunOptions
from authing_mfa.batch.run_file import run_file
from authing_mfa.emulator import Emulator
from authing_mfa.errors import InvalidInputError
from authing_mfa.operations import MfaCheck
from tests.hostile.test_input import NASTY

OPTIONS = {field.name: field for field in attrs.fields(BatchOptions)}
FLAGS = [name for name, field in OPTIONS.items() if field.type == "bool"]


@pytest.mark.parametrize("name", OPTIONS)
async def test_each_nasty_value_in_each_option_of_a_run(name, tmp_path, monkeypatch):
    """It is refused by its name, or the rows are checked with it (a dry run)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("kind,phone\ncheck,13800000000\n")
    for value in NASTY:
        try:
            options = BatchOptions(**{"source": "rows.csv", name: value})
        except InvalidInputError as error:
            assert name in str(error)  # noqa: PT017 - options that are made are fine as well
            continue
        try:
            summary = await run_file(attrs.evolve(options, dry_run=True), {})
        except InvalidInputError as error:
            assert str(error).strip()  # noqa: PT017 - a run is fine as well
        except OSError as error:
            assert (name, error.errno) == ("source", errno.ENAMETOOLONG)  # noqa: PT017 - the same
        else:
            assert summary.statuses["ok"] == 1


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("value", ["false", "", 0, 1, None])
def test_only_true_and_false_are_flags_of_a_run(name, value):
    """The text "false" counts as true, and resend_unknown would send codes again."""
    with pytest.raises(InvalidInputError, match=f"{name} must be True or False"):
        BatchOptions(**{"source": "rows.csv", name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("concurrency", 65536),
        ("processes", 1025),
        ("partition_rows", 1_000_001),
        ("rate", 1e300),
        ("rate", "5"),
        ("rate", True),
        ("max_outage", 10**400),
        ("resend_rejected", "2021"),
        ("resend_rejected", 2021),
        ("resend_rejected", ["2021"]),
        ("run_name", "a\0b"),
        ("run_name", "\ud800"),
        ("journal", "a\0b"),
        ("recovery_file", "\ud800"),
        ("columns", {"phone": 5}),
    ],
)
def test_an_option_that_no_run_can_have(name, value):
    """A mistyped number would take all memory; the others would end the run later with another error, or count as something else."""
    with pytest.raises(InvalidInputError, match=name):
        BatchOptions(**{"source": "rows.csv", name: value})


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(RunOptions)])
async def test_verify_many_refuses_an_option_at_once(name):
    """Not at the first row."""
    async with AuthClient("app", base_url="http://127.0.0.1:9") as client:
        with pytest.raises(InvalidInputError, match=name):
            verify_many(client, [], **{name: object()})


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
async def test_a_number_of_tries_that_no_call_can_have(value):
    """It is not taken for the client's own number, and nothing is sent."""
    async with AuthClient("app", base_url="http://127.0.0.1:9") as client:
        with pytest.raises(InvalidInputError, match="max_attempts") as caught:
            await client.perform(MfaCheck(phone="1"), max_attempts=value)
    assert caught.value.delivery == "not_sent"


def test_paths_are_paths_whatever_their_class():
    """`pathlib.Path` as well as text, for each file of a run."""
    made = BatchOptions(source=pathlib.Path("rows.csv"), out=pathlib.Path("out.jsonl"))
    assert (made.source, made.out) == ("rows.csv", "out.jsonl")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allow_remote", "false"),
        ("allow_remote", 1),
        ("tls", "false"),
        ("tls", None),
        ("allowed_hosts", "app.example.com"),
        ("allowed_hosts", 5),
        ("allowed_hosts", [5]),
        ("host", None),
        ("port", -1),
        ("port", 65536),
        ("port", "80"),
        ("port", True),
    ],
)
def test_an_option_that_no_emulator_can_have(name, value):
    """The text "false" would open it to other machines; one name as text would allow hosts of one character."""
    with pytest.raises((TypeError, ValueError), match=name):
        Emulator(**{name: value})
