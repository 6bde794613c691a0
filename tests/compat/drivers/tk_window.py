"""Drives the Tk example's real window: types, clicks, closes. `tk_window.py WAY [FOLDER FOR PICTURES]`.

More than 300 lines: one way through the window for each test.
"""

import socket
import sys
import tempfile
import threading
import time
import tkinter as tk
from pathlib import Path

import attrs
from PIL import Image

from authing_mfa.compat import AuthClient, Authing, dispatch
from authing_mfa.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))
import tk_mfa  # as the program itself imports its neighbours

way = sys.argv[1]
pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
main_thread = threading.current_thread()


def until(window, condition):
    """Let the window live until *condition* holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, (window.screen_name, window.status.cget("text"))
        window.update()
        time.sleep(0.005)
    window.update()


def type_into(window, name, words):
    """Type on the keyboard, as X sends it."""
    field = window.fields[name]
    field.focus_force()
    window.update()
    field.delete(0, "end")
    for letter in words:
        field.event_generate("<Key>", keysym={"-": "minus", "@": "at", ".": "period"}.get(letter, letter))
    window.update()
    assert field.get() == words, (name, field.get())


def click(window, name):
    """Press and release the mouse in the middle of the button."""
    button = window.buttons[name]
    window.update()
    at = {"x": button.winfo_width() // 2, "y": button.winfo_height() // 2}
    assert button.winfo_ismapped(), name
    for event in ("<Enter>", "<ButtonPress-1>", "<ButtonRelease-1>"):
        button.event_generate(event, **at)
    window.update()


def press_return(window):
    """Press the key where the keyboard is."""
    window.update()
    window.focus_get().event_generate("<Return>")
    window.update()


def size_of_picture(window):
    return window.pictures[0].width(), window.pictures[0].height()


def picture(window, name):
    if pictures is not None:
        from PIL import ImageGrab

        window.update()
        time.sleep(0.1)
        window.update()
        left, top = window.winfo_rootx(), window.winfo_rooty()
        box = (left, top, left + window.winfo_width(), top + window.winfo_height())
        ImageGrab.grab(bbox=box, xdisplay="").save(pictures / f"{name}.png")


def sign_in(window, account, password="secret"):
    type_into(window, "account", account)
    type_into(window, "password", password)
    click(window, "login")


def by_sms(window, demo):
    emulator = demo.emulator
    window.geometry("+0+0")
    until(window, lambda: window.screen_name == "login")
    picture(window, "1-login")
    sign_in(window, "ada", "wrong")
    assert window.busy
    assert window.buttons["login"].instate(["disabled"])
    until(window, lambda: not window.busy)
    assert window.status.cget("text") == "The account or the password is wrong."
    sign_in(window, "ada")
    until(window, lambda: window.screen_name == "factors")
    picture(window, "2-factors")
    click(window, "SMS")
    press_return(window)  # the keyboard is on "Send code"
    until(window, lambda: emulator.outbox and not window.busy)
    assert window.buttons["send"].cget("text").startswith("Send again (")
    assert window.buttons["send"].instate(["disabled"])
    type_into(window, "code", "000000")
    click(window, "verify")
    until(window, lambda: not window.busy)
    assert window.status.cget("text") == "The code is wrong."
    assert window.focus_get() is window.fields["code"]
    until(window, lambda: emulator.code_for("13800138000") in window.hint.cget("text"))
    picture(window, "3-sms")
    type_into(window, "code", emulator.code_for("13800138000"))
    click(window, "verify")
    until(window, lambda: window.screen_name == "done")
    assert Authing.getCurrentUser().username == "ada"
    click(window, "logout")


def by_recovery_code(window, demo):
    window.switch.invoke()
    sign_in(window, "ada")
    until(window, lambda: window.screen_name == "factors")
    click(window, "RECOVERY")
    type_into(window, "code", demo.ada.recovery_code)
    click(window, "verify")
    until(window, lambda: window.screen_name == "save")
    click(window, "copy")
    assert window.clipboard_get() == demo.ada.recovery_code
    assert window.status.cget("text") == "已复制。"
    picture(window, "5-save-zh")
    click(window, "saved")
    assert window.screen_name == "done"
    window.switch.invoke()
    picture(window, "6-done")
    click(window, "logout")


def refused_photos(window):
    """A picture that cannot be read, then a face of somebody else: the reason stands there, another choice is offered."""
    with tempfile.TemporaryDirectory() as folder:
        broken, portrait = Path(folder, "broken.heic"), Path(folder, "portrait.jpg")
        broken.write_bytes(b"%PDF-1.7")
        window.add_photo(str(broken))
        assert "a PDF document" in window.status.cget("text")
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.linear_gradient("L").resize((400, 200)).save(portrait, exif=exif)
        window.add_photo(str(portrait))
        width, height = size_of_picture(window)
        assert (width, height) == (60, 120)  # upright
        picture(window, "4-photo")
        click(window, "verify")
        until(window, lambda: not window.busy)
    assert window.status.cget("text") == "The face was not recognised. Please try another photo."
    assert window.photos == []
    assert "choose" in window.buttons


def by_face(window):
    sign_in(window, "ada")
    until(window, lambda: window.screen_name == "factors")
    click(window, "FACE")
    refused_photos(window)
    click(window, "demo-photo")
    click(window, "verify")
    until(window, lambda: window.screen_name == "done")
    click(window, "logout")


def bind_an_app(window, demo):
    sign_in(window, "bob")
    until(window, lambda: window.screen_name == "factors")
    click(window, "EMAIL")
    type_into(window, "target", "ada@example.com")
    click(window, "send")
    until(window, lambda: not window.busy)
    assert window.status.cget("text") == "Somebody else uses this already."
    click(window, "back")
    click(window, "OTP")
    until(window, lambda: window.screen_name == "ENROL")
    assert window.pictures[0].width() > 100
    assert window.buttons["back"].winfo_y() + window.buttons["back"].winfo_height() <= window.body.winfo_height()
    picture(window, "4-enrol")
    until(window, lambda: window.hint.cget("text"))
    type_into(window, "code", window.hint.cget("text").split()[-1])
    press_return(window)
    until(window, lambda: window.screen_name == "save")
    assert demo.emulator.user("bob").recovery_code == window.recovery_code
    press_return(window)  # copies: it must not be lost by pressing Return once too often
    assert window.screen_name == "save"
    click(window, "saved")
    until(window, lambda: window.screen_name == "done")
    assert demo.emulator.user("bob").totp_enabled
    click(window, "logout")


def forced_password_change(window, demo):
    """First log-in: a new password; expired: the old one too. Then the log-in goes on with the new one."""
    demo.ada.require_password_change(1639)
    sign_in(window, "ada")
    until(window, lambda: window.screen_name == "password")
    type_into(window, "new-password", "n3w-secret")
    picture(window, "7-password")
    press_return(window)
    until(window, lambda: window.screen_name == "factors")
    click(window, "cancel")
    demo.ada.require_password_change(2058)
    sign_in(window, "ada", "n3w-secret")
    until(window, lambda: window.screen_name == "password")
    type_into(window, "password", "n3w-secret")
    type_into(window, "new-password", "secret")
    click(window, "change")
    until(window, lambda: window.screen_name == "factors")
    click(window, "cancel")


def without_a_way_out(window, demo):
    """A challenge with no factor that the window knows still has a button."""
    sign_in(window, "ada")
    until(window, lambda: window.screen_name == "factors")
    window.challenge = attrs.evolve(window.challenge, factors=(), totp_enabled=False)
    window.show_screen("factors")
    press_return(window)
    assert window.screen_name == "login"
    window.destroy()


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
    with tk_mfa.application() as demo:
        journey(tk_mfa.MfaWindow(demo), demo)
elif way == "running emulator":  # of another program, which knows its own users
    with Emulator() as emulator, tk_mfa.application(base_url=emulator.url) as demo:
        emulator.add_user(username="eve", password="secret")
        window = tk_mfa.MfaWindow(demo)

        hint = window.hint.cget("text")
        assert hint == f"The emulator's page shows every code: {emulator.url}/", hint
        sign_in(window, "eve")
        until(window, lambda: window.screen_name == "done")
        window.destroy()
elif way == "alive":  # the window lives on while a call runs
    silent_server()
    window = tk_mfa.MfaWindow()
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) < 20:
            window.after(10, tick)
        else:
            window.destroy()

    sign_in(window, "ada")
    assert window.busy
    tick()
    window.mainloop()
    print("ticks", len(ticks))
elif way == "close":  # closed by the window manager while a call runs
    silent_server()
    window = tk_mfa.MfaWindow()
    calls = []
    real = AuthClient.loginByAccount
    AuthClient.loginByAccount = lambda *a, **k: calls.append(real(*a, **k)) or calls[0]
    sign_in(window, "ada")
    window.after(50, lambda: window.tk.eval(window.protocol("WM_DELETE_WINDOW")))
    window.mainloop()
    print("done", calls[0].wait(20))
elif way == "main":  # as a user starts it, closed at once
    sys.argv = ["tk_mfa"]
    start = tk_mfa.MfaWindow.mainloop
    tk_mfa.MfaWindow.mainloop = lambda self: (self.after(100, self.destroy), start(self))
    tk_mfa.main()
elif way == "dispatcher":
    root = tk.Tk()
    told = []

    def completion(*arguments):
        label.configure(text=str(arguments[0]))  # would block, then raise, on another thread
        told.append((arguments[0], threading.current_thread() is main_thread))
        if len(told) == 3:
            root.destroy()

    label = tk.Label(root)
    Authing.setDispatcher(dispatch.tk(root))
    calls = [AuthClient().mfaVerifyByOTP("", completion) for _ in range(3)]
    try:
        calls[0].wait()
    except RuntimeError:
        print("refused to wait")
    root.mainloop()
    print(told)
    late = AuthClient().mfaVerifyByOTP("", lambda code, *_: print("late", code, threading.current_thread().name))
    print("waited", late.wait(20))
elif way == "shutdown before mainloop":  # completions whose loop never runs again run in shutdown, here
    root = tk.Tk()
    Authing.setDispatcher(dispatch.tk(root))
    AuthClient().mfaVerifyByOTP("", lambda code, *_: print(code, threading.current_thread() is main_thread))
    Authing.shutdown(20)
    root.destroy()
elif way == "exit before mainloop":  # the same at the interpreter's exit
    root = tk.Tk()
    Authing.setDispatcher(dispatch.tk(root))
    AuthClient().mfaVerifyByOTP("", lambda code, *_: print(code, threading.current_thread() is main_thread))
elif way == "owner destroyed":  # a child window goes, the application stays
    silent_server()
    root = tk.Tk()
    child = tk.Toplevel(root)
    label = tk.Label(child)
    label.pack()
    Authing.setDispatcher(dispatch.tk(root))
    call = AuthClient().sendSms("1", lambda *_: print("told"), owner=child)
    other = AuthClient().sendSms("1", lambda *_: print("told"), owner=child)
    root.update()
    label.destroy()  # a part of the owner is not the owner
    root.update()
    time.sleep(0.1)
    print(call.done, other.done)
    child.destroy()
    print(call.dispatcher.runs_here(), child.winfo_exists())
    end = time.monotonic() + 20
    while not (call.done and other.done) and time.monotonic() < end:
        root.update()
    print(call.done, other.done)
    late = AuthClient().mfaVerifyByOTP("", lambda *_: print("told"), owner=child)
    while not late.done and time.monotonic() < end:
        root.update()
    print("late", late.done)
    never = tk.Frame(root)
    never.destroy()
    late = AuthClient().mfaVerifyByOTP(
        "", lambda *_: print("told"), owner=never
    )  # gone before any call was made for it
    while not late.done and time.monotonic() < end:
        root.update()
    print("late", late.done)
    other = []  # an owner whose calls are made on another thread: Tk must not be spoken to there
    frame = tk.Frame(root)
    thread = threading.Thread(
        target=lambda: other.append(AuthClient().sendSms("1", lambda *_: print("told"), owner=frame))
    )
    thread.start()
    thread.join()
    frame.destroy()
    other[0].cancel()
    while not other[0].done and time.monotonic() < end:
        root.update()
    print("other", other[0].done)
    root.destroy()
else:
    raise SystemExit(f"no such way: {way}")
