"""Photos and the stand-in for face recognition."""

from __future__ import annotations

import io

import pytest
from PIL import Image

UPLOAD, ASSOCIATE, VERIFY = "/api/v2/upload", "/api/v2/mfa/face/associate", "/api/v2/mfa/face/verify"


@pytest.fixture
def ann(emu):
    """A user who must pass a face and has not bound one."""
    return emu.add_user(username="ann", password="pw", mfa=["FACE"])


@pytest.fixture
def token(emu, ann):
    """Ann's mfaToken."""
    return emu.issue_mfa_token(ann)


async def test_binding_and_verifying_a_face(emu, api, ann, token, pictures):
    """Two takes of one face bind it and are the login; another take verifies, another face is 1702."""
    keys = [await api.upload(pictures(0)), await api.upload(pictures(0, (300, 400), 70))]
    bound = await api.post(ASSOCIATE, {"photoA": keys[0], "photoB": keys[1], "isExternalPhoto": False}, token)
    assert (bound["code"], bound["data"]["id"], ann.face_enabled) == (200, ann.id, True)
    same, other = await api.upload(pictures(0, (960, 1280), 60)), await api.upload(pictures(1))
    assert (await api.post(VERIFY, {"type": "face", "photo": same}, token))["data"]["id"] == ann.id
    assert (await api.post(VERIFY, {"photo": other}, token))["code"] == 1702


@pytest.mark.parametrize("colour", ["red", "blue"])
async def test_plain_pictures_differ_by_colour(emu, api, colour):
    """A picture of one colour matches itself only; `face=` of a new user takes a picture object, bytes or a path."""
    red = Image.new("RGB", (200, 100), "red")
    user = emu.add_user(username="ann", password="pw", mfa=["FACE"], face=red)
    out = io.BytesIO()
    Image.new("RGB", (320, 160), colour).save(out, "PNG")
    answer = await api.post(VERIFY, {"photo": await api.upload(out.getvalue())}, emu.issue_mfa_token(user))
    assert answer["code"] == (200 if colour == "red" else 1702)


def test_a_face_may_come_as_file_or_bytes(emu, tmp_path, pictures):
    """Every kind of picture source is accepted, and other values are refused."""
    path = tmp_path / "face.jpg"
    path.write_bytes(pictures(0))
    for name, source in (("a", path), ("b", str(path)), ("c", pictures(0)), ("d", path.open("rb"))):
        assert emu.add_user(username=name, password="pw", face=source).face_enabled
        if hasattr(source, "close"):
            source.close()
    with pytest.raises(OSError, match="cannot identify"):
        emu.add_user(username="e", password="pw", face=b"no picture")


async def test_a_turned_photo_is_the_same_photo(emu, api, ann, pictures):
    """The EXIF orientation of a phone's photo is applied, transparency is laid on white."""
    upright = Image.open(io.BytesIO(pictures(0)))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, clear = io.BytesIO(), io.BytesIO()
    upright.rotate(90, expand=True).save(turned, "JPEG", exif=exif)
    upright.convert("RGBA").save(clear, "PNG")
    user = emu.add_user(username="bob", password="pw", face=pictures(0))
    for photo in (turned, clear):
        answer = await api.post(VERIFY, {"photo": await api.upload(photo.getvalue())}, emu.issue_mfa_token(user))
        assert answer["code"] == 200


async def test_what_can_be_wrong_with_photos(emu, api, ann, token, pictures):
    """1700 and 1701 for missing photos, 1707 for two faces, 1706 for a second binding, 1702 for no picture at all."""
    face, other, junk = await api.upload(pictures(0)), await api.upload(pictures(1)), await api.upload(b"junk")
    assert (await api.post(ASSOCIATE, {"photo": face}, token))["code"] == 1700
    assert (await api.post(ASSOCIATE, {"photoA": face}, token))["code"] == 1701
    assert (await api.post(ASSOCIATE, {"photoA": face, "photoB": "photos/none.jpg"}, token))["code"] == 1701
    assert (await api.post(ASSOCIATE, {"photoA": face, "photoB": junk}, token))["code"] == 1702
    assert (await api.post(ASSOCIATE, {"photoA": face, "photoB": other}, token))["code"] == 1707
    assert (await api.post(VERIFY, {"photo": face}, token))["code"] == 1701
    assert (await api.post(VERIFY, {}, token))["code"] == 1700
    assert (await api.post(VERIFY, {"photo": "photos/none.jpg"}, token))["code"] == 1700
    assert not ann.face_enabled
    assert (await api.post(ASSOCIATE, {"photoA": face, "photoB": face}, token))["code"] == 200
    assert (await api.post(ASSOCIATE, {"photoA": face, "photoB": face}, token))["code"] == 1706


async def test_an_address_of_the_emulator_names_a_photo_too(emu, api, token, pictures, session):
    """Clients that send addresses (`isExternal`) may use the one the upload answered."""
    async with session.post(
        f"{emu.url}{UPLOAD}?folder=face-photo&private=true", data={"file": io.BytesIO(pictures(0))}
    ) as response:
        url = (await response.json())["data"]["url"]
    assert (await api.post(ASSOCIATE, {"photoA": url, "photoB": url, "isExternal": True}, token))["code"] == 200


@pytest.mark.parametrize(("private", "bare_status"), [("true", 404), ("false", 200)])
async def test_private_photos_are_shown_by_their_own_address_only(emu, session, pictures, private, bare_status):
    """The address that the upload answers shows the photo; without its signature only a public one is shown."""
    async with session.post(
        f"{emu.url}{UPLOAD}?folder=photos&private={private}", data={"file": io.BytesIO(pictures(0))}
    ) as response:
        data = (await response.json())["data"]
    async with session.get(data["url"]) as response:
        assert (response.status, await response.read()) == (200, pictures(0))
    async with session.get(data["url"].partition("?")[0]) as response:
        assert response.status == bare_status
    assert data["key"].startswith("photos/")


async def test_the_ios_form_is_read(emu, session, pictures):
    """A line break in front of the first boundary, as the iOS client sends it, and a second part do no harm."""
    body = b"\r\n".join(
        (
            b"",
            b"--b0undary",
            b'Content-Disposition: form-data; name="folder"',
            b"",
            b"photos",
            b"--b0undary",
            b'Content-Disposition: form-data; name="file"; filename="personal.png"',
            b"Content-Type: image/png",
            b"",
            pictures(0),
            b"--b0undary--",
            b"",
        )
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b0undary"}
    async with session.post(f"{emu.url}{UPLOAD}?folder=photos&private=false", data=body, headers=headers) as response:
        url = (await response.json())["data"]["url"]
    async with session.get(url) as response:
        assert (await response.read(), response.content_type) == (pictures(0), "image/png")


@pytest.mark.parametrize(
    "body", [b"", b"x", b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n']
)
async def test_an_upload_without_a_file_is_a_bad_request(emu, session, body):
    """Nothing, nonsense, or another part: code 400."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with session.post(f"{emu.url}{UPLOAD}", data=body, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, 400)
    async with session.post(f"{emu.url}{UPLOAD}", json={}) as response:
        assert response.status == 400
