"""Users are changed, locked, unbound and deleted on the page; photos are seen; the verdict on faces is chosen."""

from __future__ import annotations

import io
import json
import urllib.request

import pytest
from PIL import Image

from tests.emulator.conftest import face, jpeg

pytest_plugins = ["tests.emulator.browser"]

PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def upload(emu, content, query="folder=photos&private=true"):
    """Upload *content* as the iOS client does; returns its key."""
    body = (
        b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    request = urllib.request.Request(
        f"{emu.url}/api/v2/upload?{query}",
        body + content + b"\r\n--b--",
        {"Content-Type": "multipart/form-data; boundary=b"},
    )
    with PLAIN.open(request, timeout=60) as response:
        return json.load(response)["data"]["key"]


def test_a_user_is_changed_on_the_page(emu, page):
    """Name, phone, factors and password; an empty password stays as it was; what cannot be is said in the form."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS"])
    emu.add_user(username="bob", password="pw")
    page.show("users")
    page.click(f"[data-user='{ann.id}'] .person-actions button")
    assert page.one("#user-form [name=phone]").get_attribute("value") == "13800138000"
    page.type("#user-form [name=username]", "bob")
    page.click("#user-form [type=submit]")
    page.wait_text("#user-form .problem", "a user named 'bob' exists already")
    page.type("#user-form [name=username]", "anna")
    page.click("#user-form [value=EMAIL]")
    page.click("#user-form [type=submit]")
    page.wait_text(".person h2", "anna", "bob")
    assert (ann.username, ann.mfa, ann.phone) == ("anna", ("SMS", "EMAIL"), "13800138000")


def test_an_emptied_field_is_removed_on_the_page(emu, page):
    """A phone is; a user name cannot be, and the form says so."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000", email="ann@b.test")
    page.show("users")
    page.click(".person-actions button")
    page.type("#user-form [name=username]", "")
    page.click("#user-form [type=submit]")
    page.wait_text("#user-form .problem", "The user name cannot be removed.")
    page.type("#user-form [name=username]", "ann")
    page.type("#user-form [name=phone]", "")
    page.click("#user-form [type=submit]")
    page.wait(lambda: ann.phone is None)
    assert (ann.username, ann.email) == ("ann", "ann@b.test")


def test_a_factor_is_unbound_on_the_page(emu, page):
    """The dialog has a button for each bound factor."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS", "OTP"], totp=True)
    page.show("users")
    page.click(".person-actions button")
    page.click("[data-unbind=OTP]")
    page.wait(lambda: not page.all("[data-unbind=OTP]"))
    assert (ann.totp_enabled, ann.mfa_phone) == (False, "13800138000")


def test_a_user_is_locked_unlocked_and_deleted_on_the_page(emu, page):
    """Deleting asks first."""
    ann = emu.add_user(username="ann", password="pw")
    page.show("users")
    page.click(".person-actions button:nth-child(2)")
    page.wait_text(".person .chip.bad", "locked")
    assert ann.locked
    page.click(".person-actions button:nth-child(2)")
    page.wait(lambda: not page.all(".person .chip.bad"))
    assert not ann.locked
    page.click(".person-actions button:nth-child(3)")
    page.wait_text("#delete-title", "Delete ann?")
    page.click("#delete-yes")
    page.wait(lambda: not page.texts(".person h2"))
    assert emu.users == []


def test_uploaded_photos_are_seen_as_the_service_got_them(emu, page):
    """A private one too, the newest first, as they come; a file that is no picture is named as such."""
    page.show("controls")
    page.wait_text("#photos .muted", "No photo was uploaded yet.")
    upload(emu, jpeg(face(0, (320, 240))))
    upload(emu, b"no picture")
    page.wait(lambda: len(page.all("#photos .photo")) == 2)
    page.wait(lambda: page.run("return document.querySelector('#photos img')?.naturalWidth") == 320)
    page.wait_text("#photos .no-photo span", "cannot be read as a picture")
    address = page.attribute("#photos a", "href")
    with PLAIN.open(f"{emu.url}/{address}", timeout=60) as response:
        assert Image.open(io.BytesIO(response.read())).size == (320, 240)


@pytest.mark.parametrize("verdict", ["any", "none"])
def test_the_verdict_on_faces_is_chosen_on_the_page(emu, page, verdict):
    """At once, for every page that is open, and back after a reset."""
    page.show("controls")
    page.click(f"#face-verdict label:has([value={verdict}])")
    page.wait(lambda: emu.settings.face == verdict)
    page.wait(lambda: page.run("return document.querySelector('#face-verdict :checked').value") == verdict)
    emu.reset()
    page.wait(lambda: page.run("return document.querySelector('#face-verdict :checked').value") == "same-picture")


def test_the_base_url_is_the_one_by_which_the_page_was_opened(emu, page):
    """Opened as localhost, the page shows localhost."""
    local = emu.url.replace("127.0.0.1", "localhost")
    page.open(f"{local}/ns/w1/")
    page.wait(lambda: page.texts("#facts code")[0] == f"{local}/ns/w1")


def test_a_user_saved_without_a_change_stays_as_it_was(emu, page):
    """The country of the phone, the order of the factors, factors without a box, and spaces at the ends of a name."""
    ann = emu.add_user(
        username=" ann ", password="pw", phone="7700900123", phone_country_code="+44", mfa=["FACE", "DEVICE", "SMS"]
    )
    before = emu.snapshot()["users"]
    page.show("users")
    page.click(".person-actions button")
    page.click("#user-form [type=submit]")
    page.wait(lambda: not page.all("#user-dialog"))
    (user,), (then,) = emu.snapshot()["users"], before
    assert {**user, "updated_at": None} == {**then, "updated_at": None}
    page.click(".person-actions button")
    page.click("#user-form [value=EMAIL]")
    page.click("#user-form [value=FACE]")
    page.type("#user-form [name=email]", "ann@b.test")
    page.click("#user-form [type=submit]")
    page.wait(lambda: ann.email == "ann@b.test")
    assert (ann.mfa, ann.record.phone_country_code) == (("DEVICE", "SMS", "EMAIL"), "+44")


def test_a_form_takes_back_no_change_that_was_made_meanwhile(emu, page):
    """Only what was changed in the form is sent."""
    ann = emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS"])
    page.show("users")
    page.click(".person-actions button")
    page.one("#user-form [name=email]")
    emu.update_user(ann, phone="13900139000", mfa=["OTP"])
    page.type("#user-form [name=email]", "ann@b.test")
    page.click("#user-form [type=submit]")
    page.wait(lambda: ann.email == "ann@b.test")
    assert (ann.phone, ann.mfa) == ("13900139000", ("OTP",))
