"""The texts of `batch`, in English and Chinese: its progress, its summary, and a few words for each code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from authing_mfa._language import in_language

if TYPE_CHECKING:
    from authing_mfa.batch.models import Finding

__all__ = ["TEXTS", "code_words", "finding_words", "row_words", "say_batch"]

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "row": ("Row {number}{name}: {message}", "第 {number} 行数据{name}：{message}"),
    "more_rows": ("More rows are invalid; the output lists all of them.", "还有更多无效行，输出中列出全部无效行。"),
    "input": ("Reading {source}: {detected}", "读取 {source}：{detected}"),
    "counts": (
        "{ok} ok, {rejected} rejected, {failed} failed, {unknown} unknown",
        "成功 {ok}，拒绝 {rejected}，失败 {failed}，未知 {unknown}",
    ),
    "done": ("Done: {done} rows in {seconds} s: {counts}.", "完成：{seconds} 秒内处理 {done} 行：{counts}。"),
    "cut": (
        "{how}: {done} of {total} rows in {seconds} s: {counts}.",
        "{how}：{seconds} 秒内处理 {done} 行（共 {total} 行）：{counts}。",
    ),
    "cut_unknown_total": (
        "{how}: {done} rows in {seconds} s: {counts}.",
        "{how}：{seconds} 秒内处理 {done} 行：{counts}。",
    ),
    "interrupted": ("Interrupted", "已中断"),
    "stopped": ("Stopped", "已停止"),
    "because": ("The reason: {reason}", "原因：{reason}"),
    "looked": (
        "Nothing was sent. {done} rows in {seconds} s: {ok} can be sent, {failed} cannot.",
        "未发送任何请求。{seconds} 秒内检查 {done} 行：{ok} 行可发送，{failed} 行不可。",
    ),
    "finding": (
        "Check the column {column}: the value {problem}. Rows: {count}{where}{example}.",
        "请检查列 {column}：{problem}。行数：{count}{where}{example}。",
    ),
    "first": ("; the first is {where}", "；首次出现：{where}"),
    "like": (", like {example}", "，形如 {example}"),
    "by_code": ("By code: {codes}", "按代码：{codes}"),
    "recovery_file": (
        "New recovery codes are in {path}: give them to their users.",
        "新的恢复代码在 {path} 中：请交给相应用户。",
    ),
    "resumable": (
        "To continue, run the same command with --resume.",
        "要续跑，请用相同的命令加上 --resume。",
    ),
    "unreadable": ("The batch cannot start: {reason}.", "批量验证无法开始：{reason}。"),
    "progress": (
        "{done}{total} rows, {rate}/s: {counts}{left}{pause}",
        "{done}{total} 行，{rate}/秒：{counts}{left}{pause}",
    ),
    "of": (" of {total}", "/{total}"),
    "left": (", {seconds} s left", "，剩余 {seconds} 秒"),
    "paused": (
        ", paused for {seconds} s: the service asks to slow down (429)",
        "，暂停 {seconds} 秒：服务要求降低速度（429）",
    ),
    "away": (", waiting: the service cannot be reached", "，等待中：无法连接服务"),
    "password_shown": (
        "The password in --journal can be read by everybody on this machine. Use AUTHING_JOURNAL, or --journal @FILE.",
        "本机所有用户都能看到 --journal 中的密码。请使用 AUTHING_JOURNAL 或 --journal @FILE。",
    ),
}

_CODES: Final[dict[int, tuple[str, str]]] = {
    200: ("verified", "已验证"),
    400: ("wrong code", "验证码错误"),
    401: ("not logged in", "未登录"),
    429: ("too many calls", "请求过于频繁"),
    1700: ("no such photo", "照片不存在"),
    1701: ("no face is bound", "未绑定人脸"),
    1702: ("the face does not match", "人脸不匹配"),
    2001: ("wrong code", "验证码错误"),
    2005: ("account locked", "账号已锁定"),
    2020: ("not logged in, or the login has expired", "未登录或登录已过期"),
    2021: ("mfaToken missing, expired or invalid", "mfaToken 缺失、过期或无效"),
    2080: ("too many calls", "请求过于频繁"),
    2300: ("code expired", "验证码已过期"),
    6001: ("wrong TOTP code", "TOTP 验证码错误"),
    6002: ("wrong recovery code", "恢复代码错误"),
    6003: ("TOTP code missing", "缺少 TOTP 验证码"),
    6004: ("recovery code missing", "缺少恢复代码"),
    10001: ("network error or time-out", "网络错误或超时"),
    10002: ("the application's configuration cannot be fetched", "无法获取应用配置"),
    10003: ("no token", "没有令牌"),
    10004: ("an answer that cannot be understood", "无法理解的响应"),
    10100: ("invalid row", "无效行"),
    10101: ("picture cannot be used", "图片无法使用"),
}


# The library's words for a problem, without parentheses, and their Chinese translation.
_PROBLEMS: Final[dict[str, str]] = {
    "has characters that cannot be seen": "含有不可见字符",
    "has bytes that are not of the file's encoding": "含有与文件编码不符的字节",
    "is not a phone number": "不是手机号",
    "is not an e-mail address": "不是邮箱地址",
    "is not a code": "不是验证码",
    "is a formula of a spreadsheet": "是电子表格公式",
    "begins with an apostrophe": "以撇号开头",
    "has full-width characters": "含有全角字符",
    "is not a country code": "不是国家或地区代码",
    "is empty: the row is verified for the user of the login": "为空：该行以登录用户的身份验证",
    "is an error of a spreadsheet": "是电子表格的错误值",
    "is a word like NULL, not an empty cell": "是 NULL 之类的词，而非空单元格",
    "is in quotes": "带有引号",
    "holds a space; write it without the word Bearer": "含有空格；请不要写 Bearer 一词",
    "was rounded to a number like 9.99E+99": "已被舍入为类似 9.99E+99 的数字",
    "is a decimal number": "是小数",
    "is a number or another type, not text: leading zeros may be lost": "是数字或其他类型而非文本：可能已丢失前导零",
    "is there more than once": "重复出现",
    "is missing": "缺失",
    "is missing: no row has the name that was given for it": "缺失：没有一行有为它指定的名称",
    "begins or ends with a space": "以空格开头或结尾",
    "or email is missing": "或 email 缺失",
    "or image is missing": "或 image 缺失",
    "is empty": "为空",
    "has a quote that is not closed, or that stands in the wrong place": "引号未闭合或位置错误",
    "is not JSON": "不是 JSON",
    "is JSON, but not an object": "是 JSON，但不是对象",
    "has an unknown value; it must be one of check, phone, email, totp, recovery, face": "值未知，应为 check、phone、email、totp、recovery、face 之一",
    "is missing; it must be one of check, phone, email, totp, recovery, face": "缺失，应为 check、phone、email、totp、recovery、face 之一",
}
_COUNTED: Final = (
    (
        re.compile(r"of (\w+) rows is shorter than the others \((\d+) of (\d+) digits\).*"),
        "{0} 行的验证码比其他行短（{1} 位，其他为 {2} 位），可能已丢失前导零",
    ),
    (re.compile(r"has more than (\d+) characters"), "超过 {0} 个字符"),
    (re.compile(r"has (\d+) fields, and the header (\d+)"), "有 {0} 个单元格，而表头有 {1} 个"),
)
_PLACE: Final = re.compile(r"(line|row|lines|sheet row) ([\d-]+)", re.IGNORECASE)


def _problem(text: str, lang: str) -> str:
    """Return the Chinese words for a problem, or the library's own words."""
    if in_language(lang, ("en", "zh")) == "en":
        return text
    text = text.rstrip(".")
    plain, _, detail = text.partition(" (")
    if plain in _PROBLEMS:
        return _PROBLEMS[plain] + (f"（{detail.rstrip(')')}）" if detail else "")
    for pattern, words in _COUNTED:
        if (match := pattern.fullmatch(text)) is not None:
            return words.format(*match.groups())
    return text


def _place(text: str, lang: str) -> str:
    match = _PLACE.fullmatch(text)
    sheet = "" if match is None or not match[1].lower().startswith("sheet") else "工作表"
    return text if match is None else in_language(lang, (text, f"{sheet}第 {match[2]} 行"))


def row_words(message: str, lang: str) -> str:
    """Return the message of an invalid row, "Line 4: code is missing.", in the language *lang*."""
    match = re.fullmatch(r"((?:Lines?|Row|Sheet row) [\d-]+)(:?) (?:(\w+) )?(.*)", message)
    if match is None or in_language(lang, ("en", "zh")) == "en":
        return message
    place, column, rest = _place(match[1], lang), match[3] or "", match[4]
    if not match[2]:  # a problem of the whole line
        return f"{place}：{_problem(f'{column} {rest}'.strip(), lang)}。"
    return f"{place}：{column} {_problem(rest, lang)}。"


def finding_words(finding: Finding, lang: str) -> str:
    """Return *finding* as a sentence."""
    return say_batch(
        "finding",
        lang,
        column=finding.column,
        problem=_problem(finding.problem, lang),
        count=finding.count,
        where=say_batch("first", lang, where=_place(finding.where, lang)) if finding.where else "",
        example=say_batch("like", lang, example=finding.example) if finding.example else "",
    )


def say_batch(key: str, lang: str, **fields: object) -> str:
    """Return the sentence *key* in the language *lang*."""
    return in_language(lang, TEXTS[key]).format(**fields)


def code_words(code: int, lang: str) -> str:
    """Return the meaning of *code* in a few words; empty for an unknown code."""
    if code in _CODES:
        return in_language(lang, _CODES[code])
    return in_language(lang, ("the service failed", "服务故障")) if 500 <= code < 600 else ""
