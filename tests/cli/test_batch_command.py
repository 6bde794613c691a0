"""`batch`: the shell around the engine: options, progress, summary, exit codes."""

import json
import re
import socket
import sqlite3

import pytest

from authing_mfa.batch.models import Progress
from authing_mfa.cli.output import Output
from authing_mfa.cli.progress import shown, words


def rows_of(emulator, tmp_path, count=3, *, wrong=0):
    """A CSV file: *count* TOTP rows of which the last *wrong* have a wrong code."""
    lines = ["kind,key,token,code"]
    for number in range(count):
        user = emulator.add_user(mfa=["OTP"], totp=True)
        code = "000000" if number >= count - wrong else emulator.totp_of(user)
        lines.append(f"totp,row{number},{emulator.mfa_token_of(user)},{code}")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def rows_for_a_day(emulator, tmp_path, count):
    """A CSV file: *count* recovery codes, with tokens that are valid for a day. A code that is sent twice is refused."""
    ordinary = emulator.admin("GET", "settings")["mfa_token_ttl"]
    emulator.admin("POST", "settings", {"mfa_token_ttl": 86400})
    lines = ["kind,key,token,code"]
    for number in range(count):
        user = emulator.add_user(mfa=["OTP"], totp=True)
        lines.append(f"recovery,row{number},{emulator.mfa_token_of(user)},{user['recovery_code']}")
    emulator.admin("POST", "settings", {"mfa_token_ttl": ordinary})
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_all_verified_is_0_and_every_row_has_an_object(cli, emulator, tmp_path):
    """Rows in, one object per row out, the summary on stderr."""
    out = tmp_path / "out.jsonl"
    done = cli.run("batch", str(rows_of(emulator, tmp_path)), "--out", str(out), "--journal", str(tmp_path / "run.db"))
    assert (done.code, done.out) == (0, "")
    assert "3 rows" in done.err
    assert "3 ok, 0 rejected, 0 failed, 0 unknown" in done.err
    assert sorted(row["key"] for row in read(out)) == ["row0", "row1", "row2"]
    assert {row["status"] for row in read(out)} == {"ok"}
    with sqlite3.connect(tmp_path / "run.db") as journal:
        assert journal.execute("select count(*) from sqlite_master").fetchone()[0] > 0
    journal.close()


def test_what_an_invalid_row_lacks_is_said_in_the_language_of_the_user(cli, tmp_path):
    """The columns are named as the file may name them; a Chinese sentence has Chinese words, and one full stop."""
    path = tmp_path / "rows.csv"
    longest = "k" * 513
    lines = [
        "kind,key,phone,code",
        "phone,,13800138000,",
        "face,,,",
        "check,,,",
        "odd,,,",
        ",,1,",
        f"totp,{longest},,123456",
    ]
    path.write_text("\n".join([*lines, "totp,,,1,2"]) + "\n")
    said = [cli.invoke("--lang", lang, "batch", str(path), "--dry-run").err.splitlines()[1:8] for lang in ("en", "zh")]
    kinds = "check, phone, email, totp, recovery, face"
    assert said[0][:5] == [
        "Row 1: Line 2: code is missing.",
        "Row 2: Line 3: photo_key or image is missing.",
        "Row 3: Line 4: phone or email is missing.",
        f"Row 4: Line 5: kind has an unknown value; it must be one of {kinds}.",
        f"Row 5: Line 6: kind is missing; it must be one of {kinds}.",
    ]
    for english, chinese in zip(*said, strict=True):
        assert re.search(r"[^。.]。$", chinese), chinese
        words = re.findall(r"[a-z_]+", chinese.replace("、", " "))
        assert set(words) <= {"kind", "key", "code", "phone", "email", "photo_key", "image", "k", *kinds.split(", ")}, (
            english
        )


def test_some_rejected_is_1_and_the_summary_counts_by_code(cli, emulator, tmp_path):
    """With --json and an output file the summary is the one object on stdout."""
    out = tmp_path / "out.jsonl"
    done = cli.invoke("batch", str(rows_of(emulator, tmp_path, wrong=1)), "--out", str(out), "--json")
    told = done.json
    assert (done.code, told["exit"], told["ok"], told["command"]) == (1, 1, False, "batch")
    assert told["data"]["codes"] == {"200": 2, "6001": 1}


def test_pipes_both_ways(cli, emulator, tmp_path):
    """- reads stdin, and outcomes go to stdout where no file is named; --json does not get between them."""
    text = rows_of(emulator, tmp_path, count=2).read_text()
    done = cli.run("batch", "-", "--ordered", "--json", stdin=text)
    assert done.code == 0
    assert [json.loads(line)["key"] for line in done.out.splitlines()] == ["row0", "row1"]
    assert json.loads(done.err.splitlines()[-1])["data"]["ok"] == 2


def test_some_unknown_is_3(cli, emulator, tmp_path):
    """A connection that breaks after the service acted leaves the row unknown."""
    path = rows_of(emulator, tmp_path, count=1)
    emulator.fault(path="mfa_verify_by_totp", drop="after", count=1)
    done = cli.invoke("batch", str(path), "--out", str(tmp_path / "out.jsonl"))
    assert (done.code, "1 unknown" in done.err) == (3, True)


def test_the_summary_names_the_file_of_new_recovery_codes(cli, emulator, tmp_path):
    """They are in a separate file, which the summary names."""
    user = emulator.add_user(mfa=["OTP"], totp=True)
    path = tmp_path / "rows.csv"
    path.write_text(f"kind,token,code\nrecovery,{emulator.mfa_token_of(user)},{user['recovery_code']}\n")
    codes = tmp_path / "codes.jsonl"
    arguments = ("--out", str(tmp_path / "out.jsonl"), "--recovery-file", str(codes))
    done = cli.invoke("batch", str(path), *arguments)
    assert (done.code, str(codes) in done.err) == (0, True)
    assert emulator.admin("GET", f"users/{user['id']}")["recovery_code"] in codes.read_text()


def test_the_summary_names_no_file_if_there_is_no_new_recovery_code(cli, emulator, tmp_path):
    """The service refused the only recovery code, so the file is empty, and the summary does not name it."""
    user = emulator.add_user(mfa=["OTP"], totp=True)
    path = tmp_path / "rows.csv"
    path.write_text(f"kind,token,code\nrecovery,{emulator.mfa_token_of(user)},wrong\n")
    done = cli.invoke("batch", str(path), "--out", str(tmp_path / "out.jsonl"))
    assert (done.code, "recovery codes" in done.err) == (1, False)


def test_a_service_that_is_down_stops_the_run(cli, emulator, tmp_path):
    """After so many failures in a row: 75, with the command to go on."""
    path = rows_of(emulator, tmp_path, count=12)
    arguments = ("--out", str(tmp_path / "out.jsonl"), "--journal", str(tmp_path / "run.db"), "--concurrency", "1")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = cli.with_env(AUTHING_BASE_URL=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        done = dead.invoke("batch", str(path), *arguments, "--stop-after-failures", "2", "--max-outage", "0")
    assert (done.code, "Stopped:" in done.err, "--resume" in done.err) == (75, True, True)


def test_ctrl_c_is_130_and_can_be_resumed(cli, emulator, tmp_path):
    """What was sent is recorded; the same command with --resume does the rest, and no row is sent twice."""
    path = rows_for_a_day(emulator, tmp_path, count=40)
    arguments = ("batch", str(path), "--out", str(tmp_path / "out.jsonl"), "--journal", str(tmp_path / "run.db"))
    terminal = cli.terminal(*arguments, "--rate", "4")
    terminal.expect(" 1 ok")
    terminal.press_ctrl_c()
    assert terminal.end() == 130
    assert "--resume" in terminal.text
    assert cli.invoke(*arguments, "--resume").code == 0
    assert sorted(row["index"] for row in read(tmp_path / "out.jsonl")) == list(range(40))


def test_in_chinese(cli, tmp_path):
    """The summary too."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,phone\ncheck,1\n")
    assert "1 行可发送" in cli.with_env(LANG="zh_CN.UTF-8").invoke("batch", str(path), "--dry-run").err


def test_a_dry_run_sends_nothing(cli, emulator, tmp_path):
    """Every row is looked at; the broken one is named."""
    path = rows_of(emulator, tmp_path)
    path.write_text(path.read_text() + "totp,broken,,\n")
    before = emulator.admin("GET", "requests?limit=1")["total"]
    done = cli.invoke("batch", str(path), "--dry-run")
    assert (done.code, "Row 4 (broken)" in done.err) == (7, True)
    assert emulator.admin("GET", "requests?limit=1")["total"] == before


def test_many_broken_rows_are_not_all_listed(cli, tmp_path):
    """The first twenty are, then it says that there are more."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,phone\n" + "nonsense,1\n" * 30)
    done = cli.invoke("batch", str(path), "--dry-run", "--json")
    assert (done.err.count("Row "), "More rows are invalid" in done.err) == (20, True)
    assert done.json["data"]["failed"] == 30


def test_columns_and_kind_can_be_given(cli, tmp_path):
    """A file with other names, of one kind; rows without a token use the login's token."""
    path = tmp_path / "rows.csv"
    path.write_text("mobile\n19912345678\n")
    arguments = ("batch", str(path), "--kind", "check", "--column", "phone=mobile")
    assert cli.invoke(*arguments, "--dry-run").code == 0
    assert cli.invoke("batch", str(path), "--column", "nonsense").code == 2
    assert cli.invoke("batch", str(path), "--column", "x=mobile", "--kind", "check").code == 2


def test_rows_without_a_token_use_the_stored_login(cli, emulator, tmp_path):
    """check rows need one token, which the login has."""
    cli.log_in(emulator.add_user())
    path = tmp_path / "rows.csv"
    path.write_text("kind,phone\ncheck,19912345678\n")
    done = cli.invoke("batch", str(path))
    assert (done.code, json.loads(done.out)["value"]) == (0, True)


def test_resuming_takes_the_journal(cli, emulator, tmp_path):
    """A journal that is there is refused without --resume; with it nothing is sent again; another input is refused."""
    path, out, journal = rows_of(emulator, tmp_path), tmp_path / "out.jsonl", tmp_path / "run.db"
    arguments = ("batch", str(path), "--out", str(out), "--journal", str(journal))
    assert cli.invoke(*arguments).code == 0
    before = emulator.admin("GET", "requests?limit=1")["total"]
    assert cli.invoke(*arguments, "--json").json["exit"] != 0
    assert cli.invoke(*arguments, "--resume").code == 0
    assert emulator.admin("GET", "requests?limit=1")["total"] == before
    assert len(read(out)) == 3
    path.write_text("kind,key,phone\ncheck,another,1\n")
    changed = cli.invoke(*arguments, "--resume")
    assert changed.code in (2, 7)
    assert "Traceback" not in changed.err


@pytest.mark.parametrize(
    "arguments",
    [("--resume",), ("--rate", "0"), ("--concurrency", "0"), ("--concurrency", "65536"), ("--format", "xml")],
)
def test_wrong_options_are_usage_errors(arguments, cli, tmp_path):
    """Nothing is sent for an option that cannot be right."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,phone\ncheck,1\n")
    assert cli.invoke("batch", str(path), *arguments).code == 2


def test_a_file_that_is_not_there(cli, tmp_path):
    """A usage error."""
    assert cli.invoke("batch", str(tmp_path / "none.csv")).code == 2


def test_a_bar_on_a_terminal(cli, emulator, tmp_path):
    """rate, ok, failed and unknown beside a bar that ends full."""
    path = rows_of(emulator, tmp_path)
    terminal = cli.terminal("batch", str(path), "--out", str(tmp_path / "out.jsonl"))
    assert terminal.end() == 0
    assert "3/3" in terminal.text
    assert "3 ok, 0 rejected, 0 failed, 0 unknown" in terminal.text
    assert "\x1b[" in terminal.text


def progress(done, **more):
    return Progress(**{"done": done, "total": 100, "ok": done, "failed": 0, "rate": 2.0, "elapsed": 1.0, **more})


def test_a_line_every_ten_seconds_without_a_terminal(capsys):
    """Not more often, however often the engine reports."""
    now = 0.0
    with shown(Output({}), clock=lambda: now) as tell:
        for second in range(31):
            now = float(second)
            tell(progress(second))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" rows")[0] for line in lines] == ["10 of 100", "20 of 100", "30 of 100"]
    assert lines[0].endswith("45 s left")


def test_failed_is_what_is_neither_rejected_nor_unknown():
    """The engine counts all three as failed; a person wants them apart."""
    told = words(progress(10, ok=4, failed=6, rejected=3, unknown=2))
    assert told == "4 ok, 3 rejected, 1 failed, 2 unknown"


def test_an_unknown_total(capsys):
    """The number of rows of a pipe is unknown."""
    now = 0.0
    with shown(Output({}), clock=lambda: now) as tell:
        now = 11.0
        tell(progress(7, total=None, rate=0.0))
    assert capsys.readouterr().err == "7 rows, 0/s: 7 ok, 0 rejected, 0 failed, 0 unknown\n"


def test_chinese_is_complete(cli, tmp_path):
    """What is wrong with rows and columns, too: no English sentence is left."""
    path = tmp_path / "rows.csv"
    cells = ["1.39E+10,1", '138,="1"', "138\u202d,1", "138,1.0", "x,1", "138,?", "１３８,1", "138,'1", ",1", '138,"1']
    path.write_text("phone,code\n" + "\n".join(cells) + "\n" + "138,123456\n" * 9, encoding="utf-8")
    done = cli.with_env(LANG="zh_CN.UTF-8").invoke("batch", str(path), "--kind", "phone", "--dry-run")
    assert "第 2 行：phone 已被舍入为类似 9.99E+99 的数字。" in done.err
    assert '请检查列 code：是电子表格公式。行数：1；首次出现：第 3 行，形如 ="9"。' in done.err
    assert "第 11 行：引号未闭合或位置错误。" in done.err
    said = done.err.replace(str(path), "")
    assert not re.findall(r"\b(?:is|was|has|row|rows|line|lines|first|like)\b", said, re.IGNORECASE)


def test_a_file_without_tokens_needs_a_login_before_it_starts(bare, emulator, tmp_path):
    """4, before the first row and before an output is made; dry runs need neither login nor application."""
    path = tmp_path / "rows.csv"
    path.write_text("kind,phone\ncheck,19912345678\ncheck,19912345679\n")
    out = tmp_path / "out.jsonl"
    cli = bare.with_env(AUTHING_BASE_URL=emulator.url, AUTHING_APP_ID=emulator.ready["app_id"])
    done = cli.invoke("batch", str(path), "--out", str(out))
    assert (done.code, out.exists()) == (4, False)
    assert bare.invoke("batch", str(path), "--dry-run").code == 0
