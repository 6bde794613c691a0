"""Drives the Qt example's real window: types, clicks, closes. `qt_window.py WAY [FOLDER FOR PICTURES]`."""

import gc
import sys
import threading
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThread, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from sign_in_driver import SignInDriver, silent_server

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
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, [w.status.text() for w in app.topLevelWidgets() if hasattr(w, "status")]
        app.processEvents()
        time.sleep(0.005)
    app.processEvents()


class QtDriver(SignInDriver):
    def until(self, window, condition):
        until(condition)

    def type_into(self, window, name, words):
        field = window.fields[name]
        field.clear()
        QTest.keyClicks(field, words)
        assert field.text() == words

    def click(self, window, name):
        button = window.buttons[name]
        app.processEvents()
        assert button.isVisible()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def press_return(self, window):
        app.processEvents()
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
        app.processEvents()

    def text(self, widget):
        return widget.text()

    def enabled(self, button):
        return button.isEnabled()

    def focus(self, window):
        return window.focusWidget()

    def clipboard(self, window):
        return app.clipboard().text()

    def switch_language(self, window):
        window.switch.click()

    def sizes_of_pictures(self, window):
        found = [label.pixmap() for label in window.body.findChildren(QLabel)]
        return [(picture.width(), picture.height()) for picture in found if not picture.isNull()]

    def picture(self, window, name):
        if pictures is not None:
            for _ in range(5):
                app.processEvents()
            window.grab().save(str(pictures / f"{name}.png"))

    def check_layout(self, window, last):
        pass  # Qt's layouts make the window large enough

    def close(self, window):
        window.close()


driver = QtDriver()

if way == "journey":
    with qt_mfa.application() as demo:
        window = qt_mfa.MfaWindow(demo)
        window.show()
        driver.journey(window, demo)
        app.processEvents()
elif way == "close with a recovery code":
    with qt_mfa.application() as demo:
        window = qt_mfa.MfaWindow(demo)
        closed = []
        window.destroyed.connect(lambda: closed.append(True))
        window.show()
        driver.closing_with_a_recovery_code(window, demo)
        until(lambda: closed)
        print("closed")
elif way == "running emulator":  # of another program, which knows its own users
    with Emulator() as emulator, qt_mfa.application(base_url=emulator.url) as demo:
        emulator.add_user(username="eve", password="secret")
        window = qt_mfa.MfaWindow(demo)
        window.show()
        hint = window.hint.text()
        assert hint == f"The emulator's page shows every code: {emulator.url}/", hint
        driver.sign_in(window, "eve")
        until(lambda: window.screen_name == "done")
        window.close()
elif way == "alive":  # the window lives on while a call runs
    silent_server()
    window = qt_mfa.MfaWindow()
    window.show()
    driver.sign_in(window, "ada")
    assert window.busy
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) == 20:
            timer.stop()  # the window is deleted before app.exec() ends
            window.close()

    timer = QTimer()
    timer.timeout.connect(tick)
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
    driver.sign_in(window, "ada")
    QTimer.singleShot(50, window.close)
    app.exec()
    until(lambda: calls[0].done)
    print("done", calls[0].done)
elif way == "close and leave":  # the same, and the program ends at once
    silent_server()
    window = qt_mfa.MfaWindow()
    window.show()
    driver.sign_in(window, "ada")
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
