"""Passwords travel so that only the holder of the private key can read them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authing_mfa import InvalidInputError
from authing_mfa.passwords import CLOUD_PUBLIC_KEY, encrypt


@pytest.fixture(scope="module")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def _spki(key) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _pem(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _folded(key) -> str:
    text = _spki(key)
    return "\n " + "\n".join(text[i : i + 40] for i in range(0, len(text), 40)) + " \n"


@pytest.mark.parametrize("write", [_spki, _pem, _folded], ids=["base64", "pem", "folded base64"])
@pytest.mark.parametrize("password", ["hunter2", "x", " leading and trailing ", "пароль 密码 🙂", "a" * 117])
def test_the_private_key_reads_it(private_key, write, password):
    """RSA PKCS#1 v1.5 of the UTF-8 text in base64, for each way to write the key, up to the longest that fits."""
    sealed = encrypt(password, write(private_key))
    assert private_key.decrypt(base64.b64decode(sealed, validate=True), padding.PKCS1v15()).decode() == password


def test_the_padding_is_random(private_key):
    """The same password never looks the same twice, so nothing can be learnt by comparing."""
    key = _spki(private_key)
    assert encrypt("hunter2", key) != encrypt("hunter2", key)


def test_the_clouds_key_is_the_published_one():
    """Without a key of one's own the cloud's 1024-bit key is used."""
    assert len(base64.b64decode(encrypt("hunter2", CLOUD_PUBLIC_KEY))) == 128


@pytest.mark.parametrize("password", ["a" * 118, "密" * 40])
def test_too_long_a_password_is_refused(private_key, password):
    """What the key cannot take is said in bytes, without showing it."""
    with pytest.raises(InvalidInputError, match="at most 117 bytes") as caught:
        encrypt(password, _spki(private_key))
    assert password not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "key",
    ["", "not base64 !", "AAAA", "密钥", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----"],
)
def test_what_is_no_key_is_refused(key):
    """A key that cannot be read is bad input, not a crash and not a password in clear."""
    with pytest.raises(InvalidInputError, match="neither base64 nor PEM"):
        encrypt("hunter2", key)


@pytest.mark.parametrize("write", [_spki, _pem])
def test_another_kind_of_key_is_refused(write):
    """An elliptic key is a key, but not for this."""
    with pytest.raises(InvalidInputError, match="not an RSA key"):
        encrypt("hunter2", write(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(
    ("bits", "message"),
    [(64, "too short"), (512, "too short"), (1023, "too short"), (1024, "cannot encrypt")],
)
def test_a_key_that_protects_nothing_is_refused(bits, message):
    """A short key is broken in hours, and an even number is no product of two primes. Neither is an error of a library."""
    key = rsa.RSAPublicNumbers(e=65537, n=1 << (bits - 1)).public_key()
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(InvalidInputError, match=message) as caught:
        encrypt("hunter2", text)
    assert caught.value.__context__ is None
