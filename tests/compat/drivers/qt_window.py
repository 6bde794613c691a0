"""Drives the Qt example's real window: types, clicks, closes. `qt_window.py WAY [FOLDER FOR PICTURES]`.

More than 300 lines: one way through the window for each test.
"""

import gc
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import attrs
from PIL import Image
from PySide6.QtCore import QObject, Qt, QThread, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from authing_mfa.compat import AuthClient, Authing, dispatch
from authing_mfa.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))
import qt_mfa  # as the program itself imports its neighbours

way = sys.argv[1]
pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
main_thread = threading.current_thread()
app = QApplication([])


def until(condition):
    """Let Qt run until *condition* holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, [w.status.text() for w in app.topLevelWidgets() if hasattr(w, "status")]
        app.processEvents()
        time.sleep(0.005)
    app.processEvents()


def type_into(window, name, words):
    field = window.fields[name]
    field.clear()
    QTest.keyClicks(field, words)
    assert field.text() == words


def click(window, name):
    button = window.buttons[name]
    app.processEvents()
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def press_return(window):
    """Press the key where the keyboard is."""
    app.processEvents()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    app.processEvents()


def size_of_picture(window):
    [picture] = [label.pixmap() for label in window.body.findChildren(QLabel) if not label.pixmap().isNull()]
    return picture.width(), picture.height()


def picture(window, name):
    if pictures is not None:
        for _ in range(5):
            app.processEvents()
        window.grab().save(str(pictures / f"{name}.png"))


def sign_in(window, account, password="secret"):
    type_into(window, "account", account)
    type_into(window, "password", password)
    click(window, "login")


def by_sms(window, demo):
    emulator = demo.emulator
    picture(window, "1-login")
    sign_in(window, "ada", "wrong")
    assert window.busy
    assert not window.buttons["login"].isEnabled()
    until(lambda: not window.busy)
    assert window.status.text() == "The account or the password is wrong."
    sign_in(window, "ada")
    until(lambda: window.screen_name == "factors")
    picture(window, "2-factors")
    click(window, "SMS")
    press_return(window)  # the keyboard is on "Send code"
    until(lambda: emulator.outbox and not window.busy)
    assert window.buttons["send"].text().startswith("Send again (")
    assert not window.buttons["send"].isEnabled()
    type_into(window, "code", "000000")
    click(window, "verify")
    until(lambda: not window.busy)
    assert window.status.text() == "The code is wrong."
    assert window.focusWidget() is window.fields["code"]
    until(lambda: emulator.code_for("13800138000") in window.hint.text())
    picture(window, "3-sms")
    type_into(window, "code", emulator.code_for("13800138000"))
    click(window, "verify")
    until(lambda: window.screen_name == "done")
    assert Authing.getCurrentUser().username == "ada"
    click(window, "logout")


def by_recovery_code(window, demo):
    window.switch.click()
    sign_in(window, "ada")
    until(lambda: window.screen_name == "factors")
    click(window, "RECOVERY")
    type_into(window, "code", demo.ada.recovery_code)
    click(window, "verify")
    until(lambda: window.screen_name == "save")
    click(window, "copy")
    assert app.clipboard().text() == demo.ada.recovery_code
    assert window.status.text() == "已复制。"
    picture(window, "5-save-zh")
    click(window, "saved")
    assert window.screen_name == "done"
    window.switch.click()
    picture(window, "6-done")
    click(window, "logout")


def refused_photos(window):
    """A picture that cannot be read, then a face of somebody else: the reason stands there, another choice is offered."""
    with tempfile.TemporaryDirectory() as folder:
        broken, portrait = Path(folder, "broken.heic"), Path(folder, "portrait.jpg")
        broken.write_bytes(b"%PDF-1.7")
        window.add_photo(str(broken))
        assert "a PDF document" in window.status.text()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.linear_gradient("L").resize((400, 200)).save(portrait, exif=exif)
        window.add_photo(str(portrait))
        width, height = size_of_picture(window)
        assert (width, height) == (60, 120)  # upright
        picture(window, "4-photo")
        click(window, "verify")
        until(lambda: not window.busy)
    assert window.status.text() == "The face was not recognised. Please try another photo."
    assert window.photos == []
    assert "choose" in window.buttons


def by_face(window):
    sign_in(window, "ada")
    until(lambda: window.screen_name == "factors")
    click(window, "FACE")
    refused_photos(window)
    click(window, "demo-photo")
    click(window, "verify")
    until(lambda: window.screen_name == "done")
    click(window, "logout")


def bind_an_app(window, demo):
    sign_in(window, "bob")
    until(lambda: window.screen_name == "factors")
    click(window, "EMAIL")
    type_into(window, "target", "ada@example.com")
    click(window, "send")
    until(lambda: not window.busy)
    assert window.status.text() == "Somebody else uses this already."
    click(window, "back")
    click(window, "OTP")
    until(lambda: window.screen_name == "ENROL")
    assert any(label.pixmap().width() > 100 for label in window.findChildren(QLabel))
    picture(window, "4-enrol")
    until(window.hint.text)
    type_into(window, "code", window.hint.text().split()[-1])
    press_return(window)
    until(lambda: window.screen_name == "save")
    assert demo.emulator.user("bob").recovery_code == window.recovery_code
    press_return(window)  # copies: it must not be lost by pressing Return once too often
    assert window.screen_name == "save"
    click(window, "saved")
    until(lambda: window.screen_name == "done")
    assert demo.emulator.user("bob").totp_enabled
    click(window, "logout")


def forced_password_change(window, demo):
    """First log-in: a new password; expired: the old one too. Then the log-in goes on with the new one."""
    demo.ada.require_password_change(1639)
    sign_in(window, "ada")
    until(lambda: window.screen_name == "password")
    type_into(window, "new-password", "n3w-secret")
    picture(window, "7-password")
    press_return(window)
    until(lambda: window.screen_name == "factors")
    click(window, "cancel")
    demo.ada.require_password_change(2058)
    sign_in(window, "ada", "n3w-secret")
    until(lambda: window.screen_name == "password")
    type_into(window, "password", "n3w-secret")
    type_into(window, "new-password", "secret")
    click(window, "change")
    until(lambda: window.screen_name == "factors")
    click(window, "cancel")


def without_a_way_out(window, demo):
    """A challenge with no factor that the window knows still has a button."""
    sign_in(window, "ada")
    until(lambda: window.screen_name == "factors")
    window.challenge = attrs.evolve(window.challenge, factors=(), totp_enabled=False)
    window.show_screen("factors")
    press_return(window)
    assert window.screen_name == "login"
    window.close()


def journey(window, demo):
    by_sms(window, demo)
    by_recovery_code(window, demo)
    by_face(window)
    bind_an_app(window, demo)
    forced_password_change(window, demo)
    without_a_way_out(window, demo)


def silent_server():
    """Takes connections and never answers: every call stays in flight."""
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    server.detach()  # left open to the end
    Authing.start("APP", base_url=f"http://127.0.0.1:{address[1]}")


if way == "journey":
    with qt_mfa.application() as demo:
        window = qt_mfa.MfaWindow(demo)
        window.show()
        journey(window, demo)
        app.processEvents()
elif way == "running emulator":  # of another program, which knows its own users
    with Emulator() as emulator, qt_mfa.application(base_url=emulator.url) as demo:
        emulator.add_user(username="eve", password="secret")
        window = qt_mfa.MfaWindow(demo)
        window.show()
        hint = window.hint.text()
        assert hint == f"The emulator's page shows every code: {emulator.url}/", hint
        sign_in(window, "eve")
        until(lambda: window.screen_name == "done")
        window.close()
elif way == "alive":  # the window lives on while a call runs
    silent_server()
    window = qt_mfa.MfaWindow()
    window.show()
    sign_in(window, "ada")
    assert window.busy
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: (ticks.append(1), len(ticks) >= 20 and window.close()))
    timer.start(10)
    app.exec()
    print("ticks", len(ticks))
elif way == "close":  # closed while a call runs
    silent_server()
    window = qt_mfa.MfaWindow()
    window.show()
    calls = []
    real = AuthClient.loginByAccount
    AuthClient.loginByAccount = lambda *a, **k: calls.append(real(*a, **k)) or calls[0]
    sign_in(window, "ada")
    QTimer.singleShot(50, window.close)
    app.exec()
    until(lambda: calls[0].done)
    print("done", calls[0].done)
elif way == "close and leave":  # the same, and the program ends at once
    silent_server()
    window = qt_mfa.MfaWindow()
    window.show()
    sign_in(window, "ada")
    QTimer.singleShot(50, window.close)
    app.exec()
elif way == "main":  # as a user starts it, closed at once
    sys.argv = ["qt_mfa"]
    qt_mfa.QApplication = lambda arguments: app
    QTimer.singleShot(200, app.closeAllWindows)
    qt_mfa.main()
elif way == "dispatcher":
    told = []

    def completion(*arguments):
        label.setText(str(arguments[0]))
        told.append((arguments[0], threading.current_thread() is main_thread))
        if len(told) == 3:
            app.quit()

    label = QLabel()
    Authing.setDispatcher(dispatch.qt())
    calls = [AuthClient().mfaVerifyByOTP("", completion) for _ in range(3)]
    try:
        calls[0].wait()
    except RuntimeError:
        print("refused to wait")
    app.exec()
    print(told)
elif way == "made elsewhere":  # the dispatcher is made on another thread than the application's
    made = []
    maker = threading.Thread(target=lambda: made.append(dispatch.qt()))
    maker.start()
    maker.join()
    print("here", made[0].runs_here())
    AuthClient().mfaVerifyByOTP(
        "", lambda *_: (print("told", threading.current_thread() is main_thread), app.quit()), dispatcher=made[0]
    )
    app.exec()
    print("here", made[0].runs_here())
elif way == "raising":  # what a dispatched function raises must not reach Qt
    deliver = dispatch.qt()
    deliver(lambda: sys.exit(3))
    deliver(lambda: (print("still here"), app.quit()))
    app.exec()
elif way == "exit without a loop":
    AuthClient().mfaVerifyByOTP(
        "", lambda code, *_: print(code, threading.current_thread() is main_thread), dispatcher=dispatch.qt()
    )
elif way == "owner destroyed":  # its Python object lives on
    silent_server()
    Authing.setDispatcher(dispatch.qt())
    owner = QWidget()
    call = AuthClient().sendSms("1", lambda *_: print("told"), owner=owner)
    other = AuthClient().sendSms("1", lambda *_: print("told"), owner=owner)
    owner.deleteLater()
    QTimer.singleShot(0, app.quit)
    app.exec()
    until(lambda: call.done and other.done)
    late = AuthClient().mfaVerifyByOTP("", lambda *_: print("told"), owner=owner)
    until(lambda: late.done)
    print("dropped")
elif way == "owner collected":  # a QObject that Python owns
    silent_server()
    Authing.setDispatcher(dispatch.qt())
    owner = QObject()
    call = AuthClient().sendSms("1", lambda *_: print("told"), owner=owner)
    del owner
    gc.collect()
    until(lambda: call.done)
    print("dropped")
elif way == "as PyQt6":  # its names, on PySide6's classes: PyQt6 is tried by hand
    import types

    import shiboken6
    from PySide6 import QtCore

    riverbank, core, sip = types.ModuleType("PyQt6"), types.ModuleType("PyQt6.QtCore"), types.ModuleType("PyQt6.sip")
    for name in ("QObject", "QThread", "QCoreApplication", "Qt"):
        setattr(core, name, getattr(QtCore, name))
    core.pyqtSignal, core.pyqtSlot = QtCore.Signal, QtCore.Slot
    sip.isdeleted = lambda widget: not shiboken6.isValid(widget)
    riverbank.QtCore, riverbank.sip = core, sip
    sys.modules.update({"PyQt6": riverbank, "PyQt6.QtCore": core, "PyQt6.sip": sip})
    del sys.modules["PySide6.QtCore"].QObject  # so that only the other name is found
    told, owner = [], QWidget()
    Authing.setDispatcher(dispatch.qt())
    AuthClient().mfaVerifyByOTP("", lambda *_: told.append("told"))
    until(lambda: told)
    owner.deleteLater()
    QTimer.singleShot(0, app.quit)
    app.exec()
    late = AuthClient().mfaVerifyByOTP("", lambda *_: told.append("told again"), owner=owner)
    until(lambda: late.done)
    print(told)
elif way == "bridge deleted":  # the object behind the dispatcher is gone before the application
    import shiboken6

    deliver = dispatch.qt()
    shiboken6.delete(deliver._bridge)
    told = []
    AuthClient().mfaVerifyByOTP("", lambda *_: told.append(threading.current_thread().name), dispatcher=deliver)
    until(lambda: told)
    print(told)
elif way == "no application":
    from PySide6.QtCore import QCoreApplication

    QCoreApplication.instance().shutdown()
    try:
        dispatch.qt()
    except RuntimeError as error:
        print(error)
else:
    raise SystemExit(f"no such way: {way}")
assert QThread.currentThread() is not None
