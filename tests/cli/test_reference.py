"""docs/cli.md agrees with the commands' help, and its pictures exist."""

import re
from pathlib import Path

from scripts.cli_reference import main, reference

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_up_to_date():
    """`python -m scripts.cli_reference docs/cli.md` writes exactly what stands there."""
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference()


def test_it_names_every_command_and_exit_code():
    """Nothing is left out."""
    text = reference()
    for name in ("mfa", "login", "check", "send", "verify", "totp", "face", "unbind", "whoami", "emulator", "batch"):
        assert f"### {name}\n" in text
    for name in ("verify recovery", "totp associate", "emulator exec", "config list", "face bind"):
        assert f"#### {name}\n" in text
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [*"01234567", "74", "75", "130", "141"]


def test_its_pictures_are_there():
    """Every picture it shows is in the docs."""
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", reference())
    assert len(pictures) == 3
    assert [name for name in pictures if not (DOCS / name).is_file()] == []


def test_it_can_be_written_and_printed(tmp_path, capsys):
    """With a path and without."""
    main([str(tmp_path / "cli.md")])
    main([])
    assert (tmp_path / "cli.md").read_text(encoding="utf-8") == capsys.readouterr().out
