"""A real Chromium, one per test process, and the page of an emulator in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    JavascriptException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.needs import require_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 60.0
"""Seconds until something that must happen has failed to happen; only failures take so long."""

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Page:
    """The page as a person sees it: texts, clicks, keys."""

    VIEWS = ("inbox", "users", "requests", "faults", "controls")

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver
        self.may_complain = False  # True in a test that refuses it something, or takes its server away

    def open(self, url: str, view: str = "inbox") -> Page:
        """Show *view* of the page at *url*, and wait until it is connected."""
        self.driver.get("about:blank")
        base, _, query = url.partition("?")
        self.driver.get(f"{base}{'?' if query else ''}{query}#{view}")
        self.wait(lambda: self.attribute("#status", "data-state") == "live")
        return self

    def wait(self, happened: Callable[[], Any]) -> Any:
        """What *happened* answers, once that is true."""
        ignored = (StaleElementReferenceException, ElementClickInterceptedException, IndexError, JavascriptException)
        return WebDriverWait(self.driver, PATIENCE, 0.05, ignored).until(lambda _: happened())

    def all(self, selector: str) -> list[WebElement]:
        """The elements that are to be seen."""
        return [found for found in self.driver.find_elements(By.CSS_SELECTOR, selector) if found.is_displayed()]

    def one(self, selector: str) -> WebElement:
        """The first element that is to be seen, waited for."""
        element: WebElement = self.wait(lambda: self.all(selector)[0])
        return element

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements that are to be seen, white space in codes left out."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].filter((n) => n.checkVisibility())"
            ".map((n) => n.textContent)"
        )
        return list(self.driver.execute_script(script, selector))

    def wait_text(self, selector: str, *texts: str) -> None:
        """Wait until the elements of *selector* say *texts*."""
        try:
            self.wait(lambda: self.texts(selector) == list(texts))
        except Exception:
            assert self.texts(selector) == list(texts)
            raise

    def attribute(self, selector: str, name: str) -> str | None:
        """An attribute of the first element."""
        script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1])"
        value: str | None = self.driver.execute_script(script, selector, name)
        return value

    def click(self, selector: str) -> None:
        """Click the first element that is to be seen."""
        self.wait(lambda: [element.click() for element in self.all(selector)[:1]])

    def type(self, selector: str, text: str) -> None:
        """Clear the input and type *text*."""
        element = self.one(selector)
        element.clear()
        element.send_keys(text)

    def show(self, view: str) -> None:
        """Go to a view by its tab."""
        self.click(f"#tab-{view}")
        self.wait(lambda: self.all(f"#{view}"))

    def clipboard(self) -> str:
        """What was copied."""
        script = (
            "const done = arguments[0]; navigator.clipboard.readText().then(done, (error) => done(`no text: ${error}`))"
        )
        return str(self.driver.execute_async_script(script))

    def run(self, script: str, *values: Any) -> Any:
        """What the script returns in the page."""
        return self.driver.execute_script(script, *values)

    def problems(self) -> list[str]:
        """What the browser complained of since it was last asked: errors of scripts, refused loads."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]  # selenium's

    def size(self, width: int, height: int) -> None:
        """Make the window so large, in CSS pixels; the phone's narrowness as well."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Let the system prefer ``dark`` or ``light``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One Chromium for all tests of this process; it looks nothing up and downloads nothing."""
    options = webdriver.ChromeOptions()
    options.binary_location = require_program("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.add_experimental_option("prefs", {"intl.accept_languages": "en-US"})
    os.environ["SE_OFFLINE"] = "true"
    driver = webdriver.Chrome(options=options, service=Service(require_program("chromedriver")))
    try:
        driver.set_page_load_timeout(PATIENCE)
        driver.set_script_timeout(PATIENCE)
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def page(chromium: WebDriver, emu: Any) -> Iterator[Page]:
    """The page of `emu` in a window of 1280 by 860, nothing remembered from before; it must not have complained."""
    chromium.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": emu.url, "storageTypes": "all"})
    permissions = {"origin": emu.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    chromium.execute_cdp_cmd("Browser.grantPermissions", permissions)
    shown = Page(chromium)
    shown.size(1280, 860)
    shown.prefer("light")
    shown.problems()
    shown.open(f"{emu.url}/")
    yield shown
    refusal = "Failed to load resource: the server responded with a status of 4"  # of what a test enters
    left = [problem for problem in shown.problems() if refusal not in problem]
    chromium.get("about:blank")
    assert shown.may_complain or left == []
