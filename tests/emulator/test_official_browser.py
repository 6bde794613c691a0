"""The browser build of the service's own JavaScript client, in Chromium, on a web page of another origin than the emulator's.

These are the two methods that need a browser (a picture from a file dialog, a Blob), and with them what a browser adds: CORS
with credentials. Bug 38 of docs/wire.md: a local file is sent as both photos.
"""

from __future__ import annotations

import base64
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest_plugins = ["tests.emulator.browser", "tests.emulator.official_clients"]
pytestmark = pytest.mark.timeout(400)  # the first run installs the client

PAGE = "<!DOCTYPE html><title>An application</title><script src='/index.min.js'></script>"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *args):
        """Nothing."""


@pytest.fixture(scope="session")
def site(js_folder, tmp_path_factory):
    """The address of a web page with the client's own bundle."""
    folder = tmp_path_factory.mktemp("site")
    bundle = js_folder / "node_modules" / "authing-js-sdk" / "build" / "browser" / "index.min.js"
    (folder / "index.min.js").symlink_to(bundle)
    (folder / "index.html").write_text(PAGE, "utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join(60)
    server.server_close()


@pytest.fixture
def application(emu, page, site):
    """The web page, with a client of `emu` as ``window.client``."""
    page.driver.get(site)
    page.wait(lambda: page.run("return typeof window.Authing?.AuthenticationClient") == "function")
    options = {"appId": emu.app_id, "appHost": emu.url, "userPoolId": emu.user_pool_id}
    page.run("window.client = new Authing.AuthenticationClient(arguments[0])", options)
    yield page
    page.run("localStorage.clear()")


def call(page, name, *arguments):
    """What the client's method *name* returns, or throws; a picture in base64 becomes a Blob."""
    script = """
        const [name, args, done] = arguments;
        const blob = (text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: "image/jpeg" });
        const ready = args.map((value) => value?.baseFace
            ? { ...value, baseFace: blob(value.baseFace), compareFace: value.compareFace && blob(value.compareFace) } : value);
        const path = name.split("."), method = path.pop();
        const owner = path.reduce((object, part) => object[part], window.client);
        owner[method](...ready).then((value) => done({ value }), (error) => done({ error: error.code ?? String(error), data: error.data }));
    """
    return page.driver.execute_async_script(script, name, arguments)


def test_a_face_is_bound_from_blobs_and_verified(emu, application, pictures):
    """A login across origins, two uploads, associate, and a verification with a third picture's key."""
    ann = emu.add_user(username="ann", password="pw", mfa=["FACE"])
    due = call(application, "loginByUsername", "ann", "pw")
    assert (due["error"], due["data"]["faceMfaEnabled"]) == (1636, False)
    token = due["data"]["mfaToken"]
    faces = [
        base64.b64encode(pictures(person, quality=quality)).decode() for person, quality in ((0, 90), (0, 60), (1, 90))
    ]
    other = {"baseFace": faces[0], "compareFace": faces[2], "mfaToken": token}
    assert call(application, "mfa.associateFaceByBlob", other)["error"] == 1707
    order = {"baseFace": faces[0], "compareFace": faces[1], "mfaToken": token}
    assert call(application, "mfa.associateFaceByBlob", order)["value"]["id"] == ann.id
    uploads = [entry for entry in emu.requests if entry.operation == "upload_face_image"]
    assert len(uploads) == 4
    assert call(application, "mfa.verifyFaceMfa", uploads[-1].response["data"]["key"], token)["value"]["id"] == ann.id
    assert call(application, "mfa.verifyFaceMfa", uploads[1].response["data"]["key"], token)["error"] == 1702


def test_a_face_is_bound_from_a_local_file(emu, application, pictures, tmp_path):
    """The person picks a file; bug 38: its one key is sent as both photos, which of course match."""
    ann = emu.add_user(username="ann", password="pw", mfa=["FACE"])
    token = call(application, "loginByUsername", "ann", "pw")["data"]["mfaToken"]
    file = tmp_path / "ann.jpg"
    file.write_bytes(pictures(0))
    # The dialog that a person would see opens on click; here the client's own input is put on the page and given the file.
    application.run("HTMLInputElement.prototype.click = function () { document.body.append(this); };")
    application.run(
        "window.done = null;"
        'window.client["mfa"]["associateFaceByLocalFile"](arguments[0])'
        ".then((value) => { window.done = value; }, (error) => { window.done = error; })",
        token,
    )
    application.wait(lambda: application.run("return document.querySelector('input[type=file]') !== null"))
    application.driver.find_element("css selector", "input[type=file]").send_keys(str(file))
    application.wait(lambda: application.run("return window.done") is not None)
    assert application.run("return window.done")["id"] == ann.id
    asked = emu.requests[-1].request
    assert asked["photoA"] == asked["photoB"]
    assert ann.face_enabled
