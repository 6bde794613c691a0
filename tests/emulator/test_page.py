"""The inbox page in a real browser: messages arrive, codes are copied, users are shown, and nothing in them is believed.

More than 300 lines: the tests share one browser.
"""

from __future__ import annotations

import asyncio
import io
import json
import re

import pytest
import zxingcpp
from PIL import Image
from selenium.webdriver.common.keys import Keys

from authing_mfa import AuthClient, MfaRequiredError
from authing_mfa.emulator import Emulator
from authing_mfa.emulator.crypto import totp

pytest_plugins = ["tests.emulator.browser"]

NASTY = "<img src=x onerror=\"window.hacked='%s'\">"


def client_of(emu):
    """The package's own client, speaking HTTP to *emu*."""
    return AuthClient(emu.app_id, base_url=emu.url, public_key=emu.public_key)


def test_a_whole_login_with_the_code_copied_from_the_page(emu, page):
    """The code that a login sends appears without a reload, is copied, verifies, and the journal shows it all."""
    emu.add_user(username="ann", password="pw", phone="13800138000", mfa=["SMS"])

    async def first_factor():
        async with client_of(emu) as client:
            with pytest.raises(MfaRequiredError) as due:
                await client.login_by_account("ann", "pw")
            await client.send_sms(due.value.challenge.phone)
            return due.value.challenge.token

    token = asyncio.run(first_factor())
    page.wait_text("#newest-code", emu.code_for("13800138000"))
    page.wait_text(".hero .recipient strong", "13800138000")
    page.click(".hero .copy")
    page.wait(lambda: page.all(".hero .copied"))
    copied = page.clipboard()

    async def second_factor():
        async with client_of(emu) as client:
            return await client.as_user(token).mfa_verify_by_phone("13800138000", copied)

    assert asyncio.run(second_factor()).username == "ann"
    page.show("requests")
    names = ["mfa_verify_by_phone", "send_sms", "login_by_account"]
    page.wait_text(".entry-operation", *names)
    page.wait_text(".outcome", "200", "200", "200 · 1636")
    page.click(".entry")
    page.wait(lambda: len(page.texts(".json")) == 2)
    asked, answered = (json.loads(text) for text in page.texts(".json"))
    assert asked == {"phone": "13800138000", "code": copied}
    assert answered == emu.requests[-1].response
    assert page.problems() == []


def test_an_empty_inbox_says_what_to_do(emu, page):
    """Each empty view says how to fill it, and the inbox how to connect."""
    page.wait_text("#hero h1", "Nothing here yet")
    page.wait_text("#facts code", emu.url, emu.app_id, emu.user_pool_id, emu.public_key)
    page.show("users")
    page.wait_text("#people h1", "No users yet")
    page.show("requests")
    page.wait_text("#journal h1", "No requests yet")
    page.wait(lambda: emu.app_id in page.texts("#journal code")[0])
    page.show("faults")
    page.wait_text("#rules h1", "Everything works")


def test_the_inbox_is_filtered_by_recipient_and_channel(emu, page):
    """The filter and the channel choose the newest code as well as the list."""
    for target in ("13800138000", "ann@example.com", "bob@example.com", "13800138000"):
        emu.send_code(target)
    codes = [message.code for message in emu.outbox]
    page.wait_text("#newest-code", codes[3])
    page.wait_text(".message-code", codes[2], codes[1], codes[0])
    page.wait_text(".message.replaced .message-code", codes[0])
    page.type("#inbox-filter", "ANN")
    page.wait_text("#newest-code", codes[1])
    page.wait_text(".message-code")
    page.type("#inbox-filter", Keys.BACKSPACE)
    page.click("#inbox-channel label:nth-child(3)")
    page.wait_text("#newest-code", codes[2])
    page.wait_text(".message-code", codes[1])
    page.type("#inbox-filter", "nobody")
    page.wait_text("#hero h1", "No message matches")
    page.open(f"{emu.url}/?to=138")
    page.wait_text("#newest-code", codes[3])
    page.wait_text(".message-code", codes[0])


def test_a_thousand_messages_at_once_do_not_hold_up_the_page(emu, page):
    """The newest one is shown, the list and the count are bounded."""
    for number in range(1000):
        emu.send_code(f"user{number}@example.com")
    page.wait_text("#newest-code", emu.code_for("user999@example.com"))
    page.wait_text("#count-inbox", "500+")
    page.wait(lambda: len(page.texts(".message-code")) == 99)


def test_a_test_code_is_sent_from_the_page(emu, page):
    """The form sends a random code or a chosen one, and shows what the emulator says against it."""
    page.type("[name=to]", "13900139000")
    page.type("[name=code]", "424242")
    page.click("#send-form [type=submit]")
    page.wait_text("#newest-code", "424242")
    assert (emu.outbox[-1].to, emu.outbox[-1].code) == ("13900139000", "424242")
    page.type("[name=to]", " ")
    page.click("#send-form [type=submit]")
    page.wait_text("#send-form .problem", "Say whom to send it to.")


def scanned(element):
    """What a phone reads off the picture on the screen."""
    picture = Image.open(io.BytesIO(element.screenshot_as_png)).convert("L")
    found = zxingcpp.read_barcodes(picture.resize((picture.width * 3, picture.height * 3)))
    return [code.text for code in found]


def test_the_qr_on_the_page_is_scanned_and_its_codes_are_taken(emu, page):
    """The picture as Chromium draws it holds the secret; the code beside it and an app's own are the same."""
    ann = emu.add_user(username="ann", password="pw", totp=True)
    page.show("users")
    page.wait(lambda: page.run("return document.querySelector('.qr')?.naturalWidth > 0"))
    assert scanned(page.one("img.qr")) == [ann.totp_uri]
    page.click(".qr-button")
    page.wait(lambda: page.run("return document.querySelector('#qr-large').complete"))
    (uri,) = scanned(page.one("#qr-large"))
    page.click("#qr-copy")
    page.wait(lambda: page.clipboard() == uri)
    page.click("#qr-dialog [data-close]")
    secret = re.search("secret=([A-Z2-7]+)", uri).group(1)
    code = totp.code_at(secret, totp.step_of(emu.clock()))
    page.wait_text(".totp-code", code)

    async def verify():
        async with client_of(emu) as client:
            return await client.as_user(emu.issue_mfa_token(ann)).mfa_verify_by_totp(code)

    assert asyncio.run(verify()).username == "ann"
    emu.clock.advance(30)
    page.wait_text(".totp-code", ann.totp_code)
    assert ann.totp_code != code
    page.click(".totp .copy")
    page.wait(lambda: page.all(".totp .copied"))
    assert page.clipboard() == ann.totp_code


def test_a_user_is_added_from_the_page(emu, page):
    """The form makes a user with the factors that were ticked; what cannot be is said in the form."""
    emu.add_user(username="ann", password="pw")
    page.show("users")
    page.wait_text(".person h2", "ann")
    page.click("#add-user")
    page.click("#user-form [type=submit]")
    page.wait_text("#user-form .problem", "A user needs a name and a password.")
    page.type("#user-form [name=username]", "ann")
    page.type("#user-form [name=password]", "secret")
    page.type("#user-form [name=phone]", "13800138000")
    page.click("#user-form [value=SMS]")
    page.click("#user-form [name=totp]")
    page.click("#user-form [type=submit]")
    page.wait_text("#user-form .problem", "a user named 'ann' exists already")
    page.type("#user-form [name=username]", "bea")
    page.click("#user-form [type=submit]")
    page.wait_text(".person h2", "ann", "bea")
    bea = emu.user("bea")
    assert (bea.mfa, bea.mfa_phone, bea.totp_enabled) == (("SMS",), "13800138000", True)
    page.wait_text(".totp-code", bea.totp_code)
    page.click(".secret:last-child .copy")
    page.wait(lambda: page.all(".secret .copied"))
    assert page.clipboard().count(".") == 2


def test_many_users_are_found_and_paged(emu, page):
    """Twelve are shown at first, more on demand, and the search asks the emulator, not the page."""
    for number in range(30):
        emu.add_user(username=f"user{number:02}", password="pw")
    page.show("users")
    page.wait(lambda: len(page.texts(".person h2")) == 12)
    page.wait_text("#count-users", "30")
    page.click("#users-more")
    page.wait(lambda: len(page.texts(".person h2")) == 24)
    page.type("#users-filter", "r29")
    page.wait_text(".person h2", "user29")
    page.type("#users-filter", "nobody")
    page.wait_text("#people h1", "Nobody matches")


def test_a_user_changes_before_ones_eyes(emu, page):
    """Binding a TOTP, binding another and deleting it show at once, each with its own picture."""
    ann = emu.add_user(username="ann", password="pw", mfa=["OTP"])
    page.show("users")
    page.wait_text(".person .chip", "Authenticator: asked for, not bound yet")

    async def bind():
        async with client_of(emu) as client:
            user = client.as_user(emu.issue_user_token(ann))
            enrolled = await user.mfa_associate_by_totp()
            await user.mfa_confirm_totp(totp.code_at(enrolled.secret, totp.step_of(emu.clock())))

    async def delete():
        async with client_of(emu) as client:
            await client.as_user(emu.issue_user_token(ann)).mfa_delete_totp()

    for _ in range(2):
        asyncio.run(bind())
        page.wait_text(".person .chip", "Authenticator: bound")
        page.wait_text(".totp-code", ann.totp_code)
        page.wait(lambda: scanned(page.one("img.qr")) == [ann.totp_uri])
    asyncio.run(delete())
    page.wait_text(".totp-code")


@pytest.mark.parametrize("width", [1280, 700, 360])
def test_a_recipient_that_fits_stands_in_one_line_beside_its_icon(emu, page, width):
    """An address is broken only where its line is full."""
    page.size(width, 800)
    emu.send_code("ann@example.com")
    page.wait_text(".hero .recipient strong", "ann@example.com")
    icon, words = (
        page.run(
            "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", f".hero .recipient {part}"
        )
        for part in (".icon", "strong")
    )
    assert words["height"] < 1.9 * icon["height"]
    assert icon["right"] <= words["left"]
    assert words["top"] <= icon["top"] + icon["height"] / 2 <= words["bottom"]


def test_names_and_recipients_are_never_taken_for_html(emu, page):
    """Whatever a user, a recipient, a scene, a request or a rule is called, it is shown as text."""
    user = emu.add_user(
        username=NASTY % "name",
        password="pw",
        phone="1380013800<b>",
        email=f"{NASTY % 'mail'}@x.y",
        mfa=["SMS"],
        totp=True,
    )
    emu.send_code(f"{NASTY % 'to'}@x.y", scene=NASTY % "scene")
    emu.send_code(f"{NASTY % 'newest'}@x.y")
    emu.faults.add(path="/" + NASTY % "path", user=NASTY % "user", status=503, message=NASTY % "rule")

    async def ask():
        async with client_of(emu) as client:
            with pytest.raises(MfaRequiredError):
                await client.login_by_account(user.username, "pw")

    asyncio.run(ask())
    page.wait_text("#newest-code", emu.outbox[-1].code)
    page.wait_text(".hero .recipient strong", emu.outbox[-1].to)
    page.wait_text(".message-to > span:first-child", emu.outbox[0].to)
    page.show("users")
    page.wait_text(".person h2", user.username)
    page.click(".qr-button")
    page.wait_text("#qr-title", user.username)
    page.click("#qr-dialog [data-close]")
    page.show("requests")
    page.click(".entry")
    page.wait(lambda: NASTY % "name" in json.loads(page.texts(".json")[0])["account"])
    page.show("faults")
    page.wait_text(".rule strong", f"HTTP 503, {NASTY % 'rule'}")
    strangers = "img[src='x'], main script, main b, svg[onload], [onerror]"
    assert page.run("return [window.hacked ?? null, document.querySelectorAll(arguments[0]).length]", strangers) == [
        None,
        0,
    ]
    assert page.problems() == []


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(emu, page):
    """Everything came from the emulator, and the policy stops an inline script even if one got in."""
    origins = page.run(
        "return [...new Set(performance.getEntriesByType('resource').map((e) => new URL(e.name).origin))]"
    )
    assert origins == [emu.url]
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.inline = 1'; document.body.append(s);"
        "const i = document.createElement('img'); i.src = 'http://127.0.0.2:9/x.png'; document.body.append(i);"
    )
    page.may_complain = True
    page.wait(lambda: len(page.problems()) >= 1)
    assert page.run("return window.inline ?? null") is None


def test_a_namespace_has_a_page_of_its_own(emu, page):
    """Under /ns/{name}/ only that namespace's messages and users are shown, and what is sent goes there."""
    alpha = emu.namespace("alpha")
    emu.send_code("13800138000")
    page.open(emu.namespace_url("alpha") + "/")
    page.wait_text("#hero h1", "Nothing here yet")
    page.wait(lambda: page.texts("#where")[0].endswith("namespace alpha"))
    page.wait(lambda: page.texts("#facts code")[0] == emu.namespace_url("alpha"))
    page.type("[name=to]", "ann@example.com")
    page.click("#send-form [type=submit]")
    page.wait(lambda: alpha.outbox)
    page.wait_text("#newest-code", alpha.code_for("ann@example.com"))
    assert len(emu.outbox) == 1
    alpha.add_user(username="ann", password="pw", totp=True)
    page.show("users")
    page.wait(lambda: page.run("return document.querySelector('.qr')?.naturalWidth > 0"))
    assert scanned(page.one("img.qr")) == [alpha.user("ann").totp_uri]


def test_the_page_comes_back_by_itself(emu, page):
    """When the emulator is stopped the page says so, and when another takes the port it shows that one's messages."""
    page.may_complain = True
    emu.send_code("13800138000")
    page.wait_text("#newest-code", emu.code_for("13800138000"))
    port = int(emu.url.rpartition(":")[2])
    emu.stop()
    page.wait(lambda: page.attribute("#status", "data-state") == "lost")
    page.wait_text("#status-text", "Reconnecting")
    with Emulator(port=port, seed=8) as other:
        other.send_code("ann@example.com")
        page.wait(lambda: page.attribute("#status", "data-state") == "live")
        page.wait_text("#newest-code", other.code_for("ann@example.com"))
        page.wait_text(".message-code")
        page.wait(lambda: other.app_id in page.texts("#facts code"))
        other.send_code("bob@example.com")
        page.wait_text("#newest-code", other.code_for("bob@example.com"))
        page.driver.get("about:blank")
