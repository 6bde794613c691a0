"""`totp code` and `totp qr`: what an authenticator app does, checked against the standard and a real scanner."""

import pytest
from PIL import Image

from authing_mfa.cli.totp_codes import read_secret
from authing_mfa.errors import InvalidInputError
from tests import needs

RFC = {
    "SHA1": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "SHA256": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA",
    "SHA512": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA",
}
URI = "otpauth://totp/Authing%20Emulator:ada?secret=GEZDGNBVGY3TQOJQ&period=30&digits=6&algorithm=SHA1&issuer=Authing"


@pytest.mark.parametrize(
    ("algorithm", "now", "code"),
    [
        ("SHA1", 59, "94287082"),
        ("SHA256", 59, "46119246"),
        ("SHA512", 59, "90693936"),
        ("SHA1", 1111111109, "07081804"),
        ("SHA256", 2000000000, "90698825"),
        ("SHA512", 20000000000, "47863826"),
    ],
)
def test_the_vectors_of_rfc_6238(algorithm, now, code):
    """Appendix B of the standard."""
    uri = f"otpauth://totp/a?secret={RFC[algorithm]}&algorithm={algorithm}&digits=8"
    assert read_secret(uri).code(now) == code


def test_secrets_are_taken_as_people_copy_them():
    """Spaces, dashes, small letters and missing padding do not matter."""
    assert read_secret("gezd gnbv-GY3T qojq").key == read_secret("GEZDGNBVGY3TQOJQ").key == b"1234567890"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1!",
        "otpauth://hotp/a?secret=GEZDGNBV",
        "otpauth://totp/a",
        "otpauth://totp/a?secret=GEZDGNBV&digits=x",
        "otpauth://totp/a?secret=GEZDGNBV&digits=99",
        "otpauth://totp/a?secret=GEZDGNBV&algorithm=MD5",
        "otpauth://totp/a?secret=GEZDGNBV&period=0",
    ],
)
def test_what_is_no_secret_is_refused_without_showing_it(text):
    """The sentence does not repeat what was given."""
    with pytest.raises(InvalidInputError) as caught:
        read_secret(text)
    assert "GEZDGNBV" not in str(caught.value)


def test_an_address_is_made_from_what_was_read():
    """Reading the address that was written gives the same secret."""
    secret = read_secret(URI)
    assert (secret.account, secret.issuer) == ("ada", "Authing")
    assert read_secret(secret.uri()) == secret


def test_totp_code_prints_the_code_and_says_how_long(bare):
    """Digits on stdout, the rest of the time on stderr; from stdin or the environment."""
    done = bare.run("totp", "code", "--secret-stdin", stdin="GEZDGNBVGY3TQOJQ\n")
    assert (done.code, len(done.out.strip()), "s more" in done.err) == (0, 6, True)
    told = bare.with_env(AUTHING_TOTP_SECRET=URI).invoke("totp", "code", "--json").json["data"]
    assert (len(told["code"]), 1 <= told["seconds_left"] <= 30, told["period"]) == (6, True, 30)
    assert bare.invoke("totp", "code").code == 2
    assert bare.invoke("totp", "code", "--secret-stdin", stdin="1!").code == 2


def scanned(lines):
    """What a scanner reads from *lines* of block characters, or of ##."""
    needs.require_module("zxingcpp")
    import zxingcpp

    if any("#" in line for line in lines):
        rows = [
            [0 if pair == "  " else 255 for pair in map("".join, zip(line[::2], line[1::2], strict=True))]
            for line in lines
        ]
    else:
        halves = {" ": (0, 0), "▄": (0, 255), "▀": (255, 0), "█": (255, 255)}
        rows = []
        for line in lines:
            rows.append([halves[letter][0] for letter in line])
            rows.append([halves[letter][1] for letter in line])
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    image = image.resize((image.width * 6, image.height * 6), Image.Resampling.NEAREST)
    return [found.text for found in zxingcpp.read_barcodes(image)]


def test_totp_qr_can_be_scanned(bare):
    """The picture in a pipe, of block characters on a dark ground, holds the address."""
    done = bare.run("totp", "qr", "--secret-stdin", stdin=URI + "\n")
    assert done.code == 0
    assert scanned(done.out.splitlines()) == [read_secret(URI).uri()]


def test_totp_qr_of_a_bare_secret(bare):
    """--account and --issuer make it an address."""
    arguments = ("totp", "qr", "--account", "ada@example.com", "--issuer", "My App")
    told = bare.with_env(AUTHING_TOTP_SECRET="GEZDGNBVGY3TQOJQ").invoke(*arguments, "--json").json["data"]
    secret = read_secret(told["uri"])
    assert (secret.account, secret.issuer, secret.key) == ("ada@example.com", "My App", b"1234567890")


def test_totp_qr_where_there_are_no_block_characters(bare):
    """On an ASCII terminal it is drawn with ##, and can still be scanned."""
    ascii_only = bare.with_env(PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    done = ascii_only.run("totp", "qr", "--secret-stdin", stdin=URI + "\n")
    assert done.out.isascii()
    assert scanned(done.out.splitlines()) == [read_secret(URI).uri()]


def test_totp_qr_with_colours_says_both(bare):
    """On a terminal the colours are given, so that it is right on a light ground too."""
    terminal = bare.with_env(AUTHING_TOTP_SECRET=URI).terminal("totp", "qr")
    assert terminal.end() == 0
    assert "\x1b[97m\x1b[40m" in terminal.text


def test_without_segno_it_says_what_to_install(bare, monkeypatch):
    """The extra is named."""
    import sys

    monkeypatch.setitem(sys.modules, "segno", None)
    done = bare.with_env(AUTHING_TOTP_SECRET=URI).invoke("totp", "qr")
    assert (done.code, 'pip install "authing-mfa[cli]"' in done.err) == (2, True)
