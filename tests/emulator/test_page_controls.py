"""The page's journal, faults, clock and reset, in a real browser and by keyboard."""

from __future__ import annotations

import asyncio
import json
import re

import aiohttp
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

pytest_plugins = ["tests.emulator.browser"]

START = 1_800_000_000.0


def ask(emu, path="/api/v2/users/me", method="GET", body=None, token=None):
    """The emulator's answer: the HTTP status and the text; None without an answer."""

    async def send():
        headers = {} if token is None else {"Authorization": token}
        async with aiohttp.ClientSession() as session:
            try:
                async with session.request(method, emu.url + path, json=body, headers=headers) as response:
                    return response.status, await response.text()
            except aiohttp.ClientError:
                return None

    return asyncio.run(send())


def press(page, *keys):
    """Press *keys* wherever the focus is."""
    ActionChains(page.driver).send_keys(*keys).perform()


def focused(page):
    """The id of what has the focus."""
    return page.run("return document.activeElement.id")


def test_the_journal_shows_exact_json_and_is_filtered(emu, page):
    """Every request is listed with its outcome; the filter takes a path, a name or a code; failures can be singled out."""
    ann = emu.add_user(username="ann", password="pw")
    ask(emu, f"/api/v2/applications/{emu.app_id}/public-config")
    ask(emu, token=emu.issue_user_token(ann))
    ask(emu)
    ask(emu, "/api/v2/mfa/totp/verify", "POST", {"totp": "000000", "text": 'a "quoted" \\ 中文 <b>'}, "no token")
    ask(emu, "/nowhere")
    page.show("requests")
    page.wait_text(".outcome", "404", "200 · 2021", "200 · 2020", "200", "200")
    page.wait_text("#count-requests", "5")
    page.click("#journal li:nth-child(2) .entry")
    page.wait(lambda: len(page.texts(".json")) == 2)
    request, answer = page.texts(".json")
    assert (json.loads(request), json.loads(answer)) == (emu.requests[3].request, emu.requests[3].response)
    assert 'a \\"quoted\\" \\\\ 中文 <b>' in request
    page.click("#journal li:nth-child(2) .body:last-child .copy")
    page.wait(lambda: page.all(".body .copied"))
    assert json.loads(page.clipboard()) == emu.requests[3].response
    page.click("#journal li:nth-child(4) .entry")
    page.wait(lambda: "user ann" in page.texts(".meta")[-1])
    page.type("#requests-filter", "2020")
    page.wait_text(".entry-path", "/api/v2/users/me")
    page.type("#requests-filter", "public_config")
    page.wait_text(".entry-operation", "public_config")
    page.type("#requests-filter", "zzz")
    page.wait_text("#journal h1", "No request matches")
    page.type("#requests-filter", " ")
    page.click("#requests-failed")
    page.wait_text(".outcome", "404", "200 · 2021", "200 · 2020")


def test_a_fault_is_added_with_one_click_seen_and_deleted(emu, page):
    """A preset makes a rule; what it does shows in the rule's counts and in the journal; deleting it ends it."""
    page.show("faults")
    page.click("[data-preset=drop]")
    page.wait_text(".rule strong", "connection closed after the service acted")
    assert ask(emu, "/api/v2/mfa/totp/verify", "POST", {}) is None  # a GET would be sent again
    page.wait_text(".rule-counts", "matched 1, fired 1")
    assert [entry.status for entry in emu.requests] == [None]
    page.show("requests")
    page.wait_text(".entry .chip", "fault f1", "dropped")
    page.show("faults")
    page.click("[data-preset=limit]")
    page.wait_text("#count-faults", "2")
    assert ask(emu)[0] == 429
    page.click(".rule button")
    page.wait_text(".rule strong", "429, Retry-After 5 s")
    page.click("#clear-faults")
    page.wait_text("#rules h1", "Everything works")
    assert len(emu.faults) == 0


EFFECTS = [
    ("refuse", {"status": "503", "code": "1000", "message": "busy"}, {"status": 503, "code": 1000, "message": "busy"}),
    ("limit", {"seconds": "2.5"}, {"retry_after": 2.5}),
    ("latency", {"seconds": "0.25"}, {"latency": 0.25}),
    ("lognormal", {"mu": "-2", "sigma": "0.5"}, {"latency": {"lognormal": [-2, 0.5]}}),
    ("drop", {}, {"drop": "before"}),
    ("reset", {}, {"reset": "before"}),
    ("body", {"status": "502"}, {"body": "truncated", "status": 502}),
    ("slow_body", {"seconds": "1"}, {"slow_body": 1}),
]


HOLD = """
    const real = window.fetch;
    window.held = 0;
    window.fetch = async (address, options) => {
        const answer = await real(address, options);
        if (address.endsWith("faults") && options.method === "GET") {
            window.held += 1;
            await new Promise((resolve) => { window.release = resolve; });
        }
        return answer;
    };
"""
"""Holds back the answers to the question which rules there are."""


def test_an_answer_that_comes_late_does_not_undo_newer_news(emu, page):
    """A rule that was announced stays, though the answer to an older question does not know it."""
    page.show("faults")
    page.run(HOLD)
    page.click("[data-preset=limit]")
    page.wait(lambda: page.run("return window.held") == 1)
    emu.faults.add(latency=0)
    page.wait(lambda: len(page.texts(".rule")) == 2)
    page.driver.execute_async_script(
        "window.release(); const done = arguments[0];"
        "setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done())), 0)"
    )
    assert len(page.texts(".rule")) == 2


def test_every_effect_has_its_form(emu, page):
    """What is filled in is the rule the emulator has, and the list says it in words."""
    common = {"path": "mfa_verify_by_totp", "user": "ann", "nth": 2, "probability": 0.5, "count": 3}
    typed = {"path": "mfa_verify_by_totp", "user": "ann", "nth": "2", "share": "50", "count": "3"}
    page.show("faults")
    effects = page.run("return [...document.querySelectorAll('#fault-effect option')].map((option) => option.value)")
    assert effects == [effect for effect, _, _ in EFFECTS]
    for number, (effect, inputs, rule) in enumerate(EFFECTS, 1):
        page.click(f"#fault-effect option[value={effect}]")
        for name, text in (typed | inputs).items():
            page.type(f"#fault-form [name={name}]", text)
        page.click("#fault-form [type=submit]")
        page.wait(lambda number=number: len(emu.faults) == number)
        made = [one.as_json() for one in emu.faults][-1]
        assert made == common | rule | {"id": f"f{number}", "matched": 0, "fired": 0}
        page.wait(lambda: page.run("return document.querySelector('#fault-form [name=path]').value") == "")
    words = "mfa_verify_by_totp · user ann · from call 2 · 50 % · 3 times"
    page.wait_text("#rules .muted:not(.rule-counts)", *[words] * len(EFFECTS))


def test_a_rule_that_cannot_be_is_refused_in_words(emu, page):
    """The emulator's own sentence stands in the form."""
    page.show("faults")
    page.click("#fault-effect option[value=refuse]")
    page.click("#fault-form [type=submit]")
    page.wait(lambda: "exactly one effect" in page.texts("#fault-form .problem")[0])
    assert len(emu.faults) == 0


def test_the_clock_is_moved_and_reset(emu, page):
    """Buttons and the form move it, the page shows by how much, and codes grow older with it."""
    emu.send_code("13800138000")
    page.wait(lambda: re.fullmatch(r"just now|\d+ s ago", page.texts(".hero .age")[0]))
    page.show("controls")
    page.click("[data-advance='61']")
    page.wait_text("#clock-offset", "+1 min 1 s")
    assert emu.clock() == START + 61
    page.type("#clock-form [name=seconds]", "-3661")
    page.click("#clock-form [type=submit]")
    page.wait_text("#clock-offset", "−1 h")
    assert emu.clock() == START - 3600
    page.click("#clock-reset")
    page.wait_text("#clock-offset", "real time")
    emu.clock.advance(120)
    page.wait_text("#clock-offset", "+2 min")
    page.show("inbox")
    page.wait_text(".hero .age", "2 min ago")


def test_reset_forgets_everything_after_asking(emu, page):
    """Cancel keeps, yes clears every view and the clock."""
    emu.add_user(username="ann", password="pw", totp=True)
    emu.send_code("13800138000")
    emu.faults.add(latency=0)
    emu.clock.advance(100)
    ask(emu)
    page.show("controls")
    page.click("#reset")
    page.click("#reset-dialog [data-close]")
    assert len(emu.users) == 1
    page.click("#reset")
    page.click("#reset-yes")
    page.wait(lambda: emu.users == [])
    page.wait_text("#clock-offset", "real time")
    page.wait_text(".count")
    page.show("inbox")
    page.wait_text("#hero h1", "Nothing here yet")
    emu.send_code("13800138000")
    page.wait_text("#newest-code", emu.code_for("13800138000"))


def test_everything_is_reached_by_keyboard(emu, page):
    """Keys switch views, find the filter, copy, unfold a request and close a dialog; typing in a field does none of it."""
    emu.send_code("13800138000")
    ask(emu)
    page.wait_text("#newest-code", emu.code_for("13800138000"))
    press(page, "c")
    page.wait(lambda: page.all(".toast"))
    assert page.clipboard() == emu.code_for("13800138000")
    press(page, "/")
    assert focused(page) == "inbox-filter"
    press(page, "3c")
    assert page.attribute("#tab-inbox", "aria-selected") == "true"
    page.run("document.activeElement.blur()")
    press(page, "2")
    assert focused(page) == "tab-users"
    press(page, Keys.ARROW_RIGHT)
    assert focused(page) == "tab-requests"
    page.run("document.querySelector('#journal .entry').focus()")
    press(page, Keys.ENTER)
    page.wait(lambda: page.all(".json") or page.all(".body"))
    assert page.attribute(".entry", "aria-expanded") == "true"
    press(page, Keys.SPACE)
    page.wait(lambda: page.attribute(".entry", "aria-expanded") == "false")
    page.show("users")
    page.click("#add-user")
    assert page.run("return document.activeElement.name") == "username"
    press(page, "15")
    assert page.all("#user-dialog")
    press(page, Keys.ESCAPE)
    page.wait(lambda: not page.all("#user-dialog"))
    press(page, Keys.HOME)


def test_every_control_has_a_name_and_tabs_tell_their_panels(emu, page):
    """A screen reader has words for each button and field of each view."""
    emu.add_user(username="ann", password="pw", mfa=["SMS"], phone="13800138000", totp=True)
    emu.send_code("13800138000")
    ask(emu)
    nameless = """
        return [...document.querySelectorAll("button, input, select")].filter((node) => {
          const words = [node.getAttribute("aria-label"), node.textContent, ...[...(node.labels ?? [])].map((l) => l.textContent)];
          return !words.some((text) => text?.trim());
        }).map((node) => node.outerHTML)
    """
    for view in ("inbox", "users", "requests", "faults", "controls"):
        page.show(view)
        page.wait(lambda view=view: page.all(f"#{view}[aria-labelledby=tab-{view}]"))
    page.wait(lambda: page.run("return document.querySelectorAll('.person').length") == 1)
    assert page.run(nameless) == []
    assert page.run("return [...document.images].filter((i) => !i.hasAttribute('alt')).length") == 0


def test_the_inbox_knows_a_number_by_its_country(emu, page):
    """A foreign number is found with its country code; a code is replaced by the next one to the same number, however both are written."""
    for phone, country in (("7700900123", "+44"), ("7700900123", None), ("+86 77009 00123", None)):
        emu.state.send("sms", phone, country, None, force=True)
    british, old, new = (message.code for message in emu.outbox)
    page.wait_text("#newest-code", new)
    page.wait_text(".message-code", old, british)
    page.wait_text(".message.replaced .message-code", old)
    page.open(f"{emu.url}/?to=%2B44+7700+900123")
    page.wait_text("#newest-code", british)
    page.wait_text(".message-code")
