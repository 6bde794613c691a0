"""A mistake in a seed file is a sentence with its place."""

from __future__ import annotations

import pytest

from authing_mfa.emulator import Emulator

MISTAKES = [
    ("users: 5", "users: must be a list"),
    ("users: {username: ann}", "users: must be a list"),
    ("users: [{password: pw}]", "users, entry 1: a user needs a username"),
    ("users: [{username: ann}]", "users, entry 1: a user needs a password"),
    ("users: [{username: ann, password: pw, colour: red}]", "users, entry 1: a user has no 'colour'"),
    ("users: [{username: a, password: p}, {username: a, password: p}]", "users, entry 2: a user named 'a' exists"),
    ("users: [{username: a, password: p, mfa: SMS}]", "users, entry 1: mfa is a list"),
    ("users: [{username: a, password: p, mfa: 5}]", "users, entry 1: mfa is a list of policy words, not 5"),
    ("users: [{username: a, password: p, face: none.jpg}]", "users, entry 1, face: No such file"),
    ("users: [{username: a, password: p, face: 5}]", "users, entry 1, face: a face is a picture"),
    ("users: [{username: a, password: p, custom: {d: 2024-01-01}}]", "users, entry 1: custom: a date is no JSON"),
    ("users: [{username: a, password: p, custom: {1: 2}}]", "users, entry 1: custom must map names"),
    ("users: [{username: a, password: p, totp_secret: '1'}]", "users, entry 1: totp_secret must be base32"),
    ("users: [{username: a, password: p, 1: 2}]", "users, entry 1: a user has no 1"),
    ("codes: [1]", "codes: must map"),
    ("codes: {nobody: '1'}", "codes, nobody: target must be a phone"),
    ("faults: [{path: /x, status: 5}]", "faults, entry 1: status is a number from 200"),
    ("faults: [{path: /x, status: '500'}]", "faults, entry 1: status is a whole number"),
    ("faults: [{speed: 1}]", "faults, entry 1: a fault has no 'speed'"),
    ("settings: [1]", "settings: must map"),
    ("settings: {1: 2}", "settings: there is no setting"),
    ("settings: {face: ugly}", "settings: face must be one of"),
    ("a: [\n", "line 2, column 1: not YAML"),
    ("\t- x", "line 1, column 1: not YAML"),
    ("{" * 1000, "not YAML"),
    ("users: [{username: a, password: 2024-13-45}]", "seeds.yaml"),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_a_mistake_in_a_seed_file_is_a_sentence_with_its_place(tmp_path, text, sentence):
    """Of YAML, and of its content; nothing is a traceback from the depths."""
    path = tmp_path / "seeds.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="seeds") as told:
        Emulator(seed_file=path)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "sentence"), [(b'{"users": [}', "line 1, column 12"), (b"\xff\xfe", "cannot"), (b'{"a": NaN}', "JSON")]
)
def test_the_same_of_json(tmp_path, content, sentence):
    """With line and column."""
    path = tmp_path / "seeds.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"seeds\.json"):
        Emulator(seed_file=path)
