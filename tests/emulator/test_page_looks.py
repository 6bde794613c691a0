"""How the page looks: dark and light, English and Chinese, on a phone; and its pictures in the documentation."""

from __future__ import annotations

import asyncio
import io
import os
import re
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from authing_mfa.emulator import Emulator

pytest_plugins = ["tests.emulator.browser"]

START = 1_800_000_000.0
PAGE = files("authing_mfa.emulator") / "page"
IMAGES = Path(__file__).parents[2] / "docs" / "images"
MADE_OF_PARTS = (
    "face_", "factor_", "step_", "effect_", "preset_", "moment_", "body_", "theme_", "inbox_", "users_", "requests_",
)  # fmt: skip
USED_BY_NAME = {
    "all", "sms", "live", "connecting", "lost", "base_url", "app_id", "user_pool", "public_key", "request", "answer",
}  # fmt: skip
SAVE = os.environ.get("AUTHING_MFA_SCREENSHOTS") == "1"
"""Set to draw the documentation's pictures anew: AUTHING_MFA_SCREENSHOTS=1 pytest tests/emulator/test_page_looks.py -k picture"""


PICTURES = [
    ("light", "inbox", "light", (1280, 800)),
    ("dark", "requests", "dark", (1280, 800)),
    ("phone", "inbox", "dark", (390, 844)),
    ("phone_zh", "users", "light", (390, 844)),
    ("users", "users", "light", (1280, 800)),
    ("faults", "faults", "dark", (1280, 800)),
    ("controls", "controls", "light", (1280, 620)),
]
"""Each picture's name, view, theme and size; the first ones are drawn in every run."""

CALM = """
    return [...document.images].every((image) => image.complete)
        && document.getAnimations().every((animation) => animation.effect.target.closest(".ring"))
"""
"""Whether nothing moves any more but the countdowns."""


def background(page):
    """The page's colour."""
    return page.run("return getComputedStyle(document.body).backgroundColor")


def test_dark_and_light_follow_the_system_and_the_switch(page):
    """The system's preference is taken until one is chosen; the choice outlives a reload."""
    light = background(page)
    page.prefer("dark")
    dark = page.wait(lambda: background(page) if background(page) != light else None)
    page.click("#theme")
    assert (background(page), page.attribute("#theme", "aria-label")) == (light, "Theme: light")
    page.click("#theme")
    page.prefer("light")
    assert (background(page), page.attribute("#theme", "aria-label")) == (dark, "Theme: dark")
    page.open(page.driver.current_url.partition("#")[0])
    assert background(page) == dark
    page.click("#theme")
    assert (background(page), page.attribute("#theme", "aria-label")) == (light, "Theme: as the system")


def contrast(one, other):
    """The contrast of two colours, as WCAG counts it."""

    def luminance(color):
        parts = [part / 255 for part in color]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_can_be_read_on_their_grounds(scheme):
    """Each text colour has a contrast of at least 4.5 to 1 on each ground it stands on."""
    css = (PAGE / "base.css").read_text("utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)", css)
    colors = {name: tuple(bytes.fromhex(pair[scheme])) for name, *pair in pairs}
    grounds = ("ground", "surface", "raised", "sunken")
    stands_on = dict.fromkeys(("text", "muted", "accent", "good", "warn", "bad"), grounds)
    stands_on |= {"accent-strong": ("accent-soft",), "on-accent": ("accent", "accent-strong")}
    stands_on |= {name: (*grounds, f"{name}-soft") for name in ("good", "warn", "bad")}
    poor = {
        (name, ground): round(contrast(colors[name], colors[ground]), 2)
        for name, all_grounds in stands_on.items()
        for ground in all_grounds
        if contrast(colors[name], colors[ground]) < 4.5
    }
    assert poor == {}


def test_chinese_at_a_click(emu, page):
    """Every word changes, the choice outlives a reload, and a Chinese browser starts in Chinese."""
    emu.send_code("13800138000")
    page.wait_text(".tabs [data-t]", "Inbox", "Users", "Requests", "Faults", "Controls")
    page.click("#language")
    page.wait_text(".tabs [data-t]", "收件箱", "用户", "请求", "故障", "控制")
    page.wait(lambda: re.fullmatch(r"最新验证码(刚刚|\d+ 秒前)", page.texts(".hero .eyebrow")[0]))
    assert page.run("return document.documentElement.lang") == "zh-CN"
    english = r"[A-Za-z]{3,}"
    for view in page.VIEWS:
        page.show(view)
        words = page.run(f"return document.getElementById('{view}').innerText")
        known = (
            "Authing",
            "JSON",
            "mfaToken",
            "HTTP",
            "HTML",
            "TCP",
            "Retry",
            "After",
            "add",
            "user",
            "MIGf",
            "curl",
            emu.url,
        )
        left = [word for word in re.findall(english, words) if not any(part in word for part in known)]
        if view in ("users", "faults", "controls"):
            assert left == [], view
    page.open(page.driver.current_url.partition("#")[0])
    page.wait_text(".tabs [data-t]", "收件箱", "用户", "请求", "故障", "控制")


def test_every_word_is_there_in_both_languages():
    """Each key that the page uses has an English and a Chinese text with the same places in it, and none is left over."""
    scripts = {path.name: path.read_text("utf-8") for path in PAGE.iterdir() if path.name.endswith((".js", ".html"))}
    table = scripts.pop("texts.js")
    texts = {
        key: (english, chinese)
        for key, english, chinese in re.findall(
            r'^  (\w+): \[\s*"(.*?)",\s*"(.*?)",?\s*\],$', table, re.MULTILINE | re.DOTALL
        )
    }
    rest = "\n".join(scripts.values()) + table.partition("\n};\n")[2]
    used = set(re.findall(r'\bt\("(\w+)"', rest)) | set(re.findall(r'data-t(?:-\w+)?="(\w+)"', rest))
    used |= set(re.findall(r'"((?:d|key|factor|effect|preset)_\w+)"', rest))
    used |= set(re.findall(r'\bbutton\("(\w+)"', rest))
    used |= {key for pair in re.findall(r'\bt\([^()"]*\? "(\w+)" : "(\w+)"', rest) for key in pair}
    missing = used - texts.keys()
    assert missing == set()
    unused = {key for key in texts.keys() - used if not key.startswith(MADE_OF_PARTS)}
    assert unused <= USED_BY_NAME
    places = {key: [set(re.findall(r"\{(\w+)\}", text)) for text in pair] for key, pair in texts.items()}
    assert {key for key, (english, chinese) in places.items() if english != chinese} == set()


async def ask(emu, path, body=None, token=None, method="POST"):
    """Make a request and ignore its result."""
    headers = {"x-authing-lang": "en-US"} | ({"Authorization": token} if token else {})
    async with aiohttp.ClientSession() as session:
        with suppress(aiohttp.ClientError):
            async with session.request(method, emu.url + path, json=body, headers=headers):
                pass


PEOPLE = (
    {
        "username": "ann",
        "phone": "13800138000",
        "email": "ann@example.com",
        "mfa": ["SMS", "EMAIL", "OTP", "FACE"],
        "totp": True,
    },
    {"username": "陈小明", "phone": "13900139000", "mfa": ["SMS", "OTP"], "totp": True},
    {"username": "bob", "totp": True},
    {"username": "dora", "email": "dora@example.com"},
    {
        "username": "a-name-that-is-much-longer-than-anyone-expects-a-name-to-be",
        "email": f"{'very-' * 12}long@example.com",
    },
)


def filled(emu):
    """Everything the page can show, always the same."""
    made = [emu.add_user(password="pw", **user) for user in PEOPLE]
    emu.clock.advance(-338)

    async def use():
        token = emu.issue_mfa_token(made[0])
        await ask(emu, f"/api/v2/applications/{emu.app_id}/public-config", method="GET")
        await ask(emu, "/api/v2/email/send", {"email": "dora@example.com", "scene": "VERIFY_CODE"})
        emu.clock.advance(95)
        await ask(emu, "/api/v2/sms/send", {"phone": "13800138000", "scene": "mfa-verify"})
        emu.clock.advance(65)
        await ask(emu, "/api/v2/sms/send", {"phone": "13900139000"})
        emu.clock.advance(100)
        await ask(emu, "/api/v2/email/send", {"email": "ann@example.com", "scene": "MFA_VERIFY"}, token)
        emu.clock.advance(42)
        await ask(emu, "/api/v2/applications/mfa/email/verify", {"email": "ann@example.com", "code": "111111"}, token)
        await ask(
            emu,
            "/api/v2/applications/mfa/email/verify",
            {"email": "ann@example.com", "code": emu.code_for("ann@example.com")},
            token,
        )
        emu.faults.add(path="mfa_verify_by_totp", drop="after", count=1)
        emu.faults.add(path="/api/v2/mfa/*", probability=0.1, seed=7, status=503)
        await ask(emu, "/api/v2/mfa/totp/verify", {"totp": made[0].totp_code}, token)
        emu.clock.advance(36)
        await ask(emu, "/api/v2/sms/send", {"phone": "13800138000", "scene": "mfa-verify"}, token)

    asyncio.run(use())


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_sticks_out_on_a_small_screen(emu, page, width):
    """No view is wider than the window, whatever the names' lengths, in either language."""
    filled(emu)
    page.size(width, 800)
    for _ in range(2):
        for view in page.VIEWS:
            page.show(view)
            page.wait(lambda view=view: page.all(f"#{view}"))
            if view == "requests":
                page.wait(lambda: page.all(".entry"))
                page.run("document.querySelector('.entry').click()")
            if view == "users":
                page.wait(lambda: len(page.texts(".person h2")) == 5)
            assert page.run("return document.documentElement.scrollWidth - innerWidth") <= 0, view
        page.click("#language")


@pytest.mark.parametrize(("name", "view", "scheme", "size"), PICTURES if SAVE else PICTURES[:3])
def test_a_picture_of_each_view(page, name, view, scheme, size):
    """The view is drawn in its theme; the pictures of the documentation are these."""
    with Emulator(seed=7, clock=lambda: START + 9, port=8600 if SAVE else 0) as emu:
        filled(emu)
        page.size(*size)
        page.prefer(scheme)
        page.open(f"{emu.url}/")
        page.run("localStorage.clear()")
        page.open(f"{emu.url}/", view)
        if name == "phone_zh":
            page.click("#language")
        ready = {
            "inbox": ".message-code",
            "users": "img.qr",
            "requests": ".entry",
            "faults": ".rule",
            "controls": ".step",
        }[view]
        page.wait(lambda: page.all(ready))
        if view == "requests":
            page.click("#journal li:nth-child(3) .entry")
            page.wait(lambda: page.all(".json"))
            page.run("document.activeElement.blur()")
        page.wait_text("#count-inbox", "5")
        page.wait(lambda: page.run(CALM))
        png = page.driver.get_screenshot_as_png()
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        assert picture.size == size
        corner = picture.getpixel((3, size[1] // 2))
        assert (sum(corner) < 200) == (scheme == "dark")
        assert len(picture.getcolors(1 << 24)) > 100
        if SAVE:
            IMAGES.mkdir(exist_ok=True)
            picture.save(IMAGES / f"emulator_{name}.png", optimize=True)
        page.driver.get("about:blank")
