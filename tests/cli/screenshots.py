"""Makes docs/images: real runs on a pseudo-terminal, drawn as SVG.

``python -m tests.cli.screenshots`` from the repository's folder.
"""

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.cli.conftest import Cli, EmulatorProcess, clean_environ
from tests.cli.test_mfa import number_of

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PROMPT = "\x1b[1;32m$\x1b[0m "
WIDTH = 96
WIDE = 124  # of a batch's table
WIDEST = 142  # of the demo's lines


def as_seen(output: str) -> str:
    """*output* as a terminal shows it in the end: lines that were drawn over are gone, cursor commands too."""
    lines = [re.split(r"\r|\x1b\[2K", line)[-1] for line in output.split("\n")]
    return re.sub(r"\x1b\[\?25[lh]|\x1b\[\d*[A-HJK]", "", "\n".join(lines)).rstrip()


def draw(name: str, title: str, text: str, width: int) -> None:
    """Write *text* with its colours as an SVG picture."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text), soft_wrap=False)
    console.print()  # the last line is cut off otherwise
    IMAGES.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title=title, unique_id=name)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # a picture must not load a font from another host
    (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")


def mfa(cli: Cli, emulator: EmulatorProcess) -> None:
    user = emulator.add_user(username="ada", phone="13800138001", email="ada@example.com", totp=True)
    cli.environ["COLUMNS"] = str(WIDTH)
    terminal = cli.terminal("mfa")
    terminal.expect("e-mail):")
    terminal.type(user["username"])
    terminal.expect("Password:")
    terminal.type(user["password"])
    shown = terminal.expect("Choose a factor")
    terminal.type(number_of(shown, "SMS"))
    terminal.expect("Code:")
    terminal.type("000000")
    terminal.expect("Tries left")
    terminal.expect("Code:")
    terminal.type(emulator.code_for(user["phone"]))
    terminal.end()
    kept = re.sub(r"/\S+/tokens/", "~/.config/authing-mfa/tokens/", terminal.text)
    draw("mfa", "authing-mfa mfa", f"{PROMPT}authing-mfa mfa\n{as_seen(kept)}", WIDTH)


def batch(cli: Cli, emulator: EmulatorProcess, folder: Path) -> None:
    lines = ["kind,key,token,phone,code"]
    for number in range(400):
        user = emulator.add_user(mfa=["OTP"], totp=True)
        code = "000000" if number % 57 == 3 else emulator.totp_of(user)
        lines.append(f"totp,customer-{number:04d},{emulator.mfa_token_of(user)},,{code}")
    lines.append("nonsense,customer-0400,,,")
    emulator.fault(path="mfa_verify_by_totp", nth=200, drop="after")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    command = "batch rows.csv --out results.jsonl --journal run.db --rate 200"
    cli.environ["COLUMNS"] = str(WIDE)
    terminal = cli.terminal(*command.split())
    terminal.end()
    draw("batch", "authing-mfa batch", f"{PROMPT}authing-mfa {command}\n{as_seen(terminal.text)}", WIDE)


def demo(cli: Cli) -> None:
    terminal = cli.terminal("demo")
    terminal.end()
    draw("demo", "authing-mfa demo", f"{PROMPT}authing-mfa demo\n{as_seen(terminal.text)}", WIDEST)


def main() -> None:
    emulator = EmulatorProcess()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            environ = clean_environ(
                AUTHING_CONFIG_DIR=name,
                AUTHING_BASE_URL=emulator.url,
                AUTHING_APP_ID=emulator.ready["app_id"],
                AUTHING_USER_POOL_ID=emulator.ready["user_pool_id"],
                AUTHING_PUBLIC_KEY=emulator.ready["public_key"],
                TERM="xterm-256color",
                PYTHONPATH=str(IMAGES.parents[1]),
            )
            cli = Cli(environ, folder)
            import os

            os.chdir(folder)
            mfa(cli, emulator)
            batch(cli, emulator, folder)
            demo(cli)
            os.chdir("/")
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
