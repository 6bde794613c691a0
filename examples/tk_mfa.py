"""A sign-in window with all second factors, in Tk: `python examples/tk_mfa.py` tries it against the embedded emulator.

For a real application: `python examples/tk_mfa.py --app-id YOUR_APP_ID [--host your.host]`; for an emulator that runs already:
`--base-url http://127.0.0.1:8888`. Needs Python's own tkinter. The calls and the screens are in `mfa_sign_in.py`, the words in
`mfa_texts.py`: this file has the widgets, and the two lines that bring completions to Tk's thread (`dispatch.tk`).
"""

from __future__ import annotations

import io
import tkinter as tk
from tkinter import filedialog, ttk
from tkinter import font as tk_font
from typing import TYPE_CHECKING, Any

from mfa_demo import application, options
from mfa_sign_in import SignIn
from mfa_svg import draw_svg, is_svg
from mfa_widgets import GREEN, PASSWORDS, RED

from authing_mfa.compat import Authing, dispatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from mfa_demo import Demo, RunningEmulator

INK, SOFT, PAPER, SHADE, BLUE = "#1d2433", "#6b7385", "#ffffff", "#eef1f6", "#2456d6"
STYLES = {"main": "Main.TButton", "way": "Way.TButton", "link": "Link.TButton", "plain": "TButton"}


class MfaWindow(SignIn, tk.Tk):
    """The window."""

    def __init__(self, demo: Demo | RunningEmulator | None = None) -> None:
        super().__init__()
        self.entries: dict[str, tk.StringVar] = {}
        self.fields: dict[str, ttk.Entry] = {}
        self.buttons: dict[str, ttk.Button] = {}
        self.pictures: list[Any] = []  # Tk itself does not keep them
        Authing.setDispatcher(dispatch.tk(self))
        self.geometry("440x690")
        self.minsize(420, 690)
        self.configure(background=PAPER)
        self.protocol("WM_DELETE_WINDOW", self._close)
        self._dress()
        self._build()
        self.begin(demo)
        self._move_bar()

    # ─────────────────────── widgets of a screen ───────────────────────

    def clear(self) -> None:
        """Remove the screen's widgets."""
        for child in self.body.winfo_children():
            child.destroy()
        self.fields, self.buttons, self.pictures = {}, {}, []

    def label(self, words: str, style: str, *, centre: bool = False) -> None:
        """Add a text."""
        label = ttk.Label(self.body, text=words, style=f"{style.capitalize()}.TLabel", wraplength=370)
        label.pack(anchor="center" if centre else "w", pady={"title": (8, 2), "tick": (12, 0)}.get(style, (0, 12)))

    def field(self, name: str, words: str, on_return: str, *, secret: bool = False, readonly: bool = False) -> None:
        """Add a field."""
        ttk.Label(self.body, text=words, style="Field.TLabel").pack(anchor="w", pady=(6, 3))
        variable = self.entries.setdefault(name, tk.StringVar(self))
        entry = ttk.Entry(self.body, textvariable=variable, show="•" if secret else "", font="TkDefaultFont")
        if readonly:
            entry.configure(state="readonly", takefocus=False)
        entry.pack(fill="x", ipady=5, pady=(0, 6))
        entry.bind("<Return>", lambda _: self.buttons[on_return].invoke())
        entry.bind("<KP_Enter>", lambda _: self.buttons[on_return].invoke())
        self.fields[name] = entry

    def button(self, name: str, words: str, command: Callable[[], Any], style: str) -> None:
        """Add a button."""
        if style == "main":
            ttk.Frame(self.body, height=8).pack()
        self._add_button(ttk.Button(self.body, text=words, command=command, style=STYLES[style]), name).pack(
            fill="x", pady=4
        )

    def _add_button(self, button: ttk.Button, name: str) -> ttk.Button:
        button.bind("<Return>", lambda _: button.invoke())  # Tk itself knows only the space bar
        button.bind("<KP_Enter>", lambda _: button.invoke())
        self.buttons[name] = button
        return button

    def picture(self, content: bytes, side: int) -> None:
        """Add a picture."""
        from PIL import Image, ImageTk

        with draw_svg(content) if is_svg(content) else Image.open(io.BytesIO(content)) as opened:
            opened.thumbnail((side, side))
            picture = ImageTk.PhotoImage(opened, master=self)
        ttk.Label(self.body, image=picture).pack(pady=4)
        self.pictures.append(picture)

    def copyable(self, title: str, words: str) -> None:
        """Add a text with a button that copies it."""
        box = ttk.Frame(self.body, style="Box.TFrame", padding=12)
        box.pack(fill="x", pady=8)
        ttk.Label(box, text=title, style="Box.TLabel", wraplength=330).pack(anchor="w")
        row = ttk.Frame(box, style="Box.TFrame")
        row.pack(fill="x", pady=(6, 0))
        ttk.Label(row, text=words, style="Code.TLabel").pack(side="left")
        button = ttk.Button(row, text=self.text("copy"), command=lambda: self._copy(words), style="Copy.TButton")
        self._add_button(button, "copy").pack(side="right")

    def _copy(self, words: str) -> None:
        self.clipboard_clear()
        self.clipboard_append(words)
        self.say(self.text("copied"), GREEN)

    # ─────────────────────── widgets that are there ───────────────────────

    def give_focus(self, name: str) -> None:
        """Give the keyboard to a field or a button."""
        widget = self.fields.get(name) or self.buttons[name]
        widget.focus_set()

    def rest(self, names: set[str]) -> None:
        """Disable these buttons, and enable all others."""
        for name, button in self.buttons.items():
            button.state(["disabled" if name in names else "!disabled"])

    def rename(self, name: str, words: str) -> None:
        """Change the words of a button."""
        self.buttons[name].configure(text=words)

    def names(self) -> set[str]:
        """Return the names of the buttons."""
        return set(self.buttons)

    def get(self, name: str) -> str:
        """Return the text of a field."""
        words = self.entries[name].get() if name in self.entries else ""
        return words if name in PASSWORDS else words.strip()

    def put(self, name: str, words: str) -> None:
        """Set the text of a field."""
        self.entries.setdefault(name, tk.StringVar(self)).set(words)

    def say(self, words: str, colour: str = RED) -> None:
        """Show *words* below the screen."""
        self.status.configure(text=words, foreground=colour)

    def show_frame(self, title: str, other_language: str, hint: str, *, busy: bool) -> None:
        """Show the window's title, the language switch, and the hint."""
        self.title(title)
        self.switch.configure(text=other_language)
        self.switch.state(["disabled" if busy else "!disabled"])
        self.hint.configure(text=hint, background=SHADE if hint else PAPER)

    def pick_file(self) -> str:
        """Let the user pick a file."""
        return str(filedialog.askopenfilename(parent=self, title=self.text("choose")) or "")

    def _close(self) -> None:
        if self.may_close():
            self.destroy()

    # ─────────────────────── the frame around the screens ───────────────────────

    def _build(self) -> None:
        """Language on top; status, bar and hint below."""
        top = ttk.Frame(self, padding=(28, 16, 28, 0))
        top.pack(fill="x")
        self.switch = ttk.Button(top, command=self.translate, style="Link.TButton")
        self.switch.pack(side="right")
        self.hint = ttk.Label(self, style="Hint.TLabel", wraplength=384, padding=(28, 10), justify="left")
        self.hint.pack(side="bottom", fill="x")
        self.bar = tk.Canvas(self, height=3, background=PAPER, highlightthickness=0)
        self.bar.create_rectangle(-200, 0, -80, 4, fill=BLUE, width=0)
        self.bar.pack(side="bottom", fill="x")
        self.status = ttk.Label(self, padding=(28, 4, 28, 12), wraplength=384)
        self.status.pack(side="bottom", fill="x")
        self.body = ttk.Frame(self, padding=(28, 0))
        self.body.pack(fill="both", expand=True)

    def _move_bar(self, place: int = 0) -> None:
        """Move the bar while a call runs; update the countdown and the hint twice a second."""
        width = self.bar.winfo_width()
        left = (place * 9) % (width + 120) - 120 if self.busy else -200
        self.bar.coords("all", left, 0, left + 120, 4)
        if place % 16 == 0:
            self.tick()
        self.after(30, self._move_bar, place + 1)

    def _dress(self) -> None:
        """Colours and fonts."""
        default = tk_font.nametofont("TkDefaultFont", self)
        default.configure(size=11)
        self.option_add("*TEntry*Font", default)
        family = default.actual("family")
        style = ttk.Style(self)
        style.theme_use("clam")
        style.configure(".", background=PAPER, foreground=INK, font=default, bordercolor="#d4d9e3", lightcolor=PAPER)
        style.configure("TEntry", padding=4, fieldbackground=PAPER)
        style.map("TEntry", bordercolor=[("focus", BLUE)], fieldbackground=[("readonly", SHADE)])
        style.configure("Title.TLabel", font=(family, 19, "bold"))
        style.configure("Tick.TLabel", font=(family, 40), foreground=GREEN)
        style.configure("Soft.TLabel", foreground=SOFT)
        style.configure("Field.TLabel", font=(family, 10), foreground=SOFT)
        style.configure("Hint.TLabel", font=(family, 10), foreground=SOFT, background=SHADE)
        style.configure("Box.TFrame", background=SHADE)
        style.configure("Box.TLabel", background=SHADE, font=(family, 10))
        style.configure("Code.TLabel", background=SHADE, font=(tk_font.nametofont("TkFixedFont").actual("family"), 11))
        style.configure("TButton", padding=(12, 8), background=SHADE, borderwidth=0, relief="flat", focuscolor=BLUE)
        style.map(
            "TButton", background=[("disabled", SHADE), ("active", "#dfe5f0")], foreground=[("disabled", "#a9b0bf")]
        )
        style.configure("Way.TButton", anchor="w", padding=(16, 12))
        style.configure("Main.TButton", background=BLUE, foreground=PAPER, padding=(12, 11))
        style.map(
            "Main.TButton",
            background=[("disabled", "#a8bdf0"), ("active", "#1b46b3")],
            foreground=[("disabled", PAPER)],
        )
        style.configure("Link.TButton", background=PAPER, foreground=BLUE, padding=(4, 4), width=0)
        style.map("Link.TButton", background=[("disabled", PAPER), ("active", PAPER)])
        style.configure("Copy.TButton", background=PAPER, foreground=BLUE, padding=(10, 5), width=0)
        style.map("Copy.TButton", background=[("active", "#dfe5f0"), ("disabled", PAPER)])


def main() -> None:
    """Open the window and run until it is closed."""
    chosen = options()
    with application(chosen.app_id, chosen.host, chosen.base_url) as demo:
        MfaWindow(demo).mainloop()


if __name__ == "__main__":
    main()
