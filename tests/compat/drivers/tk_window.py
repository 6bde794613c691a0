"""Drives the Tk example's real window: types, clicks, closes. `tk_window.py WAY [FOLDER FOR PICTURES]`."""

import sys
import threading
import time
import tkinter as tk
from pathlib import Path

from PIL import ImageGrab
from sign_in_driver import SignInDriver, silent_server

from authing_mfa.compat import AuthClient, Authing, dispatch
from authing_mfa.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))
import tk_mfa  # as the program itself imports its neighbours

way = sys.argv[1]
pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
main_thread = threading.current_thread()


KEYS = {"-": "minus", "@": "at", ".": "period", "+": "plus", " ": "space"}


class TkDriver(SignInDriver):
    def until(self, window, condition):
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, (window.screen_name, window.status.cget("text"))
            window.update()
            time.sleep(0.005)
        window.update()

    def type_into(self, window, name, words):
        """Type on the keyboard, as X sends it."""
        field = window.fields[name]
        field.focus_force()
        window.update()
        field.delete(0, "end")
        for letter in words:
            field.event_generate("<Key>", keysym=KEYS.get(letter, letter))
        window.update()
        assert field.get() == words, (name, field.get())

    def click(self, window, name):
        """Press and release the mouse in the middle of the button."""
        button = window.buttons[name]
        window.update()
        at = {"x": button.winfo_width() // 2, "y": button.winfo_height() // 2}
        assert button.winfo_ismapped(), name
        for event in ("<Enter>", "<ButtonPress-1>", "<ButtonRelease-1>"):
            button.event_generate(event, **at)
        window.update()

    def press_return(self, window):
        window.update()
        window.focus_get().event_generate("<Return>")
        window.update()

    def text(self, widget):
        return widget.cget("text")

    def enabled(self, button):
        return not button.instate(["disabled"])

    def focus(self, window):
        return window.focus_get()

    def clipboard(self, window):
        return window.clipboard_get()

    def switch_language(self, window):
        window.switch.invoke()

    def sizes_of_pictures(self, window):
        return [(picture.width(), picture.height()) for picture in window.pictures]

    def picture(self, window, name):
        if pictures is not None:
            window.update()
            time.sleep(0.1)
            window.update()
            left, top = window.winfo_rootx(), window.winfo_rooty()
            box = (left, top, left + window.winfo_width(), top + window.winfo_height())
            ImageGrab.grab(bbox=box, xdisplay="").save(pictures / f"{name}.png")

    def check_layout(self, window, last):
        window.update()
        button = window.buttons[last]
        assert button.winfo_y() + button.winfo_height() <= window.body.winfo_height()

    def close(self, window):
        """As the window manager does it."""
        window.tk.eval(window.protocol("WM_DELETE_WINDOW"))


driver = TkDriver()

if way == "journey":
    with tk_mfa.application() as demo:
        window = tk_mfa.MfaWindow(demo)
        window.geometry("+0+0")
        driver.until(window, lambda: window.screen_name == "login")
        driver.journey(window, demo)
elif way == "close with a recovery code":
    with tk_mfa.application() as demo:
        window = tk_mfa.MfaWindow(demo)
        window.geometry("+0+0")
        driver.closing_with_a_recovery_code(window, demo)
        try:
            window.winfo_exists()
        except tk.TclError:
            print("closed")
elif way == "running emulator":  # of another program, which knows its own users
    with Emulator() as emulator, tk_mfa.application(base_url=emulator.url) as demo:
        emulator.add_user(username="eve", password="secret")
        window = tk_mfa.MfaWindow(demo)

        hint = window.hint.cget("text")
        assert hint == f"The emulator's page shows every code: {emulator.url}/", hint
        driver.sign_in(window, "eve")
        driver.until(window, lambda: window.screen_name == "done")
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

    driver.sign_in(window, "ada")
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
    driver.sign_in(window, "ada")
    window.after(50, lambda: window.tk.eval(window.protocol("WM_DELETE_WINDOW")))
    window.mainloop()
    print("done", calls[0].wait(60))
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
    root.bind("<Destroy>", lambda event: None)  # the program's own binding takes nothing away
    calls = [AuthClient().mfaVerifyByOTP("", completion) for _ in range(3)]
    try:
        calls[0].wait()
    except RuntimeError:
        print("refused to wait")
    root.mainloop()
    print(told)
    late = AuthClient().mfaVerifyByOTP("", lambda code, *_: print("late", code, threading.current_thread().name))
    print("waited", late.wait(60))
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
    child.bind("<Destroy>", lambda event: None)  # the program's own binding takes nothing away
    other = AuthClient().sendSms("1", lambda *_: print("told"), owner=child)
    root.update()
    label.destroy()  # a part of the owner is not the owner
    root.update()
    time.sleep(0.1)
    print(call.done, other.done)
    child.destroy()
    print(call.dispatcher.runs_here(), child.winfo_exists())
    end = time.monotonic() + 60
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
