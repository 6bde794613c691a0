"""The code on the pages runs as pasted, and the two languages keep in step."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from authing_mfa import AuthClient, errors
from authing_mfa.batch import errors as batch_errors
from authing_mfa.errors import api_error_class
from authing_mfa.operations import OPERATIONS
from tests.needs import require_module

ROOT = Path(__file__).parent.parent
RUN_ELSEWHERE = {
    "docs/batch.md",
    "docs/emulator.md",
    "docs/porting-from-swift.md",
    "docs/wire.md",
    "docs/cli.md",
    "CONTRIBUTING.md",
}
NOT_FOR_USERS = {"from_core"}  # how the other faces make a client
PAGES = [
    path
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    if str(path.relative_to(ROOT)) not in RUN_ELSEWHERE
    and "zh" not in path.relative_to(ROOT).parts  # the same programs: see `structure`
]


def blocks(path: Path, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def output_after(path: Path, number: int) -> str | None:
    """The text block that stands right behind the code block *number*, with at most one sentence between."""
    pattern = r"^```python\n(?:.*?)^```\n(?:\n[^\n`#]+\n)?\n?(?:```text\n(.*?)^```)?"
    return re.findall(pattern, path.read_text("utf-8"), re.DOTALL | re.MULTILINE)[number] or None


BLOCKS = [
    pytest.param(path, number, id=f"{path.relative_to(ROOT)}-{number + 1}")
    for path in PAGES
    for number in range(len(blocks(path)))
]


@pytest.mark.parametrize(("path", "number"), BLOCKS)
def test_every_python_block_runs_as_pasted(path: Path, number: int, tmp_path: Path) -> None:
    """A block is a whole program, or a whole test file; it prints what the page says."""
    block = blocks(path)[number]
    script = tmp_path / ("test_pasted.py" if re.search(r"^(async )?def test_", block, re.MULTILINE) else "pasted.py")
    script.write_text(block, "utf-8")
    if script.name.startswith("test_"):
        options = [
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "-c",
            "/dev/null",
            "--rootdir",
            str(tmp_path),
        ]
        command = [sys.executable, *options, str(script)]
    else:
        command = [sys.executable, "-W", "error", "-X", "utf8", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = output_after(path, number)
    if expected is not None:
        assert done.stdout == expected


TRANSLATED = {"README.md": "README.zh-CN.md", "SECURITY.md": "SECURITY.zh-CN.md"} | {
    f"docs/{path.name}": f"docs/zh/{path.name}" for path in sorted((ROOT / "docs" / "zh").glob("*.md"))
}

IN_ENGLISH_ONLY = {"index", "cli", "api", "wire", "fidelity", "performance", "architecture"}


def without_texts(code: str) -> str:
    """The program without its comments and texts, which a translation may change."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "x"
        if " " in text or not text.isascii():
            node.value = "translated"
    return ast.dump(tree)


def structure(path: Path) -> list[str]:
    """What the two languages must share: headings, code, tables by their shape and the code in them, lists, pictures."""
    text = path.read_text("utf-8")
    found = []
    for part in re.split(r"(^```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE):
        if part.startswith("```"):
            language, _, code = part[3:-3].partition("\n")
            found.append(f"code {language}")
            if language == "python":
                found.append(without_texts(code))
            continue
        for line in part.splitlines():
            if match := re.match(r"#+ ", line):
                found.append(match.group())
            elif line.startswith("|"):
                cells = re.split(r"(?<!\\)\|", line)
                found.append(f"row of {len(cells) - 2}: {sorted(re.findall('`[^`]*`', line))}")
            elif match := re.match(r"(- |\d+\. )", line):
                found.append(match.group())
            found += ["picture"] * len(re.findall(r"!\[[^\]]*\]\(", line))
    return found


@pytest.mark.parametrize("name", TRANSLATED)
def test_english_and_chinese_keep_in_step(name: str) -> None:
    """Both pages have the same headings, code, tables, lists and pictures in the same order."""
    assert structure(ROOT / name) == structure(ROOT / TRANSLATED[name])


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def figures(path: Path) -> list[list[str]]:
    """The numbers in digits of each heading with its text, and of each row of a table, sorted: word order differs."""
    text = re.sub(r"\]\([^)]*\)", "]", path.read_text("utf-8"))  # where a link leads is another page
    text = re.sub(r"(\d+ 年) (\d+) 月", lambda date: f"{date[1]} {MONTHS[int(date[2]) - 1]}", text)
    return [sorted(re.findall(r"\d+(?:[.,]\d+)*", part)) for part in re.split(r"^(?=#+ |\|)", text, flags=re.MULTILINE)]


@pytest.mark.parametrize("name", TRANSLATED)
def test_english_and_chinese_have_the_same_figures(name: str) -> None:
    """A figure that changes in one language changes in the other."""
    assert figures(ROOT / name) == figures(ROOT / TRANSLATED[name])


def test_the_pages_for_users_are_translated() -> None:
    """README and all pages but the references exist in Chinese."""
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - IN_ENGLISH_ONLY
    assert {f"docs/{name}.md" for name in pages} == set(TRANSLATED) - {"README.md", "SECURITY.md"}


@pytest.mark.parametrize("name", TRANSLATED.values())
def test_bold_words_of_a_chinese_page_are_bold(name: str) -> None:
    """Beside Chinese punctuation Markdown takes `**` for two asterisks: no page shows any."""
    require_module("markdown_it")
    from markdown_it import MarkdownIt

    tokens = MarkdownIt().enable("table").parse((ROOT / name).read_text("utf-8"))
    texts = [child.content for token in tokens for child in token.children or () if child.type == "text"]
    assert [text for text in texts if "**" in text] == []


def test_the_figures_of_speed_in_the_readme_are_those_that_were_measured() -> None:
    """Each figure of the short table is in the table of the goals."""
    short = (ROOT / "README.md").read_text("utf-8").partition("### Speed")[2].partition("\n## ")[0]
    goals = (ROOT / "docs" / "performance.md").read_text("utf-8").partition("## The goals")[2].partition("\n## ")[0]
    rows = [line.rpartition(" | ")[2] for line in short.splitlines() if "÷" in line]
    told = {figure for row in rows for figure in re.findall(r"\d+(?:\.\d+)?", row)}
    assert len(rows) == 3
    assert told <= set(re.findall(r"\d+(?:\.\d+)?", goals))


def named_in_tables(path: Path) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", path.read_text("utf-8"), re.MULTILINE)


def test_the_client_guide_names_every_method_and_option_once() -> None:
    """Each public name and each option of `AuthClient` has exactly one row."""
    rows = named_in_tables(ROOT / "docs" / "client.md")
    options = set(inspect.signature(AuthClient.__init__).parameters) - {"self"}
    members = {name for name in vars(AuthClient) if not name.startswith("_")} - NOT_FOR_USERS
    assert {
        name for name in options | members if rows.count(name) != 1 + (name in options and name in members)
    } == set()


@pytest.mark.parametrize("folder", ["docs", "docs/zh"])
def test_the_client_guide_names_every_call_that_is_retried(folder: str) -> None:
    """The paragraph behind the table of retries lists the retryable operations and no other."""
    text = (ROOT / folder / "client.md").read_text("utf-8")
    paragraph = text.partition("| HTTP 5xx |")[2].split("\n\n")[1]
    assert set(re.findall(r"`(\w+)`", paragraph)) == {cls.python_name for cls in OPERATIONS if cls.retryable}


CODES = re.findall(
    r"^\| (\d+) \|[^|]*\| ([^|]*) \|",
    (ROOT / "docs" / "codes.md").read_text("utf-8").partition("## HTTP")[0],
    re.MULTILINE,
)


def test_the_code_table_has_every_code_of_the_wire_reference() -> None:
    """No code that the wire reference knows is missing, and none stands twice."""
    wire = (
        (ROOT / "docs" / "wire.md").read_text("utf-8").partition("### Server codes")[2].partition("### Client codes")[0]
    )
    known = {code for row in re.findall(r"^\| ([\d, ]+) \|", wire, re.MULTILINE) for code in row.split(", ")}
    listed = [code for code, _ in CODES]
    assert known - {"200"} - set(listed) == set()
    assert sorted(set(listed)) == sorted(listed)


def test_the_code_table_names_the_class_that_the_package_raises() -> None:
    """The class in a code's row is the one that `api_error_class` or the class's own code gives."""
    for number, named in CODES:
        code = int(number)
        classes = [getattr(errors, name, None) or getattr(batch_errors, name) for name in re.findall(r"`(\w+)`", named)]
        if 10000 <= code < 11000:
            assert {each.default_code for each in classes} == {code}
        else:
            assert [api_error_class(code, 200, {})] == classes, code


def test_the_client_guide_gives_the_true_defaults() -> None:
    """The default of each option stands in its row."""
    text = (ROOT / "docs" / "client.md").read_text("utf-8")
    for name, parameter in list(inspect.signature(AuthClient).parameters.items())[1:]:
        default = (
            f"`{parameter.default}`"
            if isinstance(parameter.default, str)
            else f"{parameter.default:g}"
            if isinstance(parameter.default, float)
            else str(parameter.default)
        )
        assert f"| `{name}` | {default} |" in text, name


def test_the_api_reference_has_every_public_module() -> None:
    """Each face, the models, the errors and the operations stand on the page."""
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    modules = re.findall(r"^\.\. auto(?:module|class):: ([\w.]+)", page, re.MULTILINE)
    expected = (
        "AuthClient",
        "CallRecord",
        "sync.AuthClient",
        "models",
        "errors",
        "batch",
        "compat",
        "emulator",
        "otel",
        "operations",
    )
    assert {f"authing_mfa.{name}" for name in expected} <= set(modules)
