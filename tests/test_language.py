"""English comes first in every table of texts: a pair in the other order shows the wrong language."""

import re

from authing_mfa._language import in_language
from authing_mfa.cli import error_messages, texts
from authing_mfa.emulator.rules import messages

CHINESE = re.compile("[\u4e00-\u9fff]")
TABLES = {
    "emulator/rules/messages": messages._TEXTS,
    "cli/texts": texts.TEXTS,
    "cli/error_messages": {
        **error_messages._TEXTS,
        **{str(code): pair for code, pair in error_messages._BY_CODE.items()},
    },
}


def test_every_pair_is_english_and_chinese():
    """No Chinese in the first text. (The second may be English too: a message of a database, a placeholder.)"""
    pairs = [(table, key, *pair) for table, rows in TABLES.items() for key, pair in rows.items()]
    assert len(pairs) > 150
    assert [(table, key) for table, key, english, _ in pairs if CHINESE.search(english)] == []
    assert sum(CHINESE.search(chinese) is not None for _, _, _, chinese in pairs) > 0.9 * len(pairs)


def test_the_language_is_chosen_in_one_way():
    """zh in any spelling is Chinese, everything else English."""
    chosen = [in_language(lang, ("English", "Chinese")) for lang in ("zh", "zh-CN", "ZH_tw", "en-US", "ja", "")]
    assert chosen == ["Chinese"] * 3 + ["English"] * 3
