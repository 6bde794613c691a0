"""A sign-in window with all second factors, in Qt: `python examples/qt_mfa.py` tries it against the embedded emulator.

For a real application: `python examples/qt_mfa.py --app-id YOUR_APP_ID [--host your.host]`; for an emulator that runs already:
`--base-url http://127.0.0.1:8888`. Needs PySide6 (or PyQt6). The calls and the screens are in `mfa_sign_in.py`, the words in
`mfa_texts.py`: this file has the widgets, and the line that brings completions to Qt's thread (`dispatch.qt`).
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mfa_demo import application, options
from mfa_sign_in import SignIn
from mfa_widgets import GREEN, PASSWORDS, RED

from authing_mfa.compat import Authing, dispatch

if TYPE_CHECKING or find_spec("PySide6") is not None:
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QPixmap
    from PySide6.QtWidgets import (
        QApplication,
        QFileDialog,
        QFrame,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QProgressBar,
        QPushButton,
        QVBoxLayout,
        QWidget,
    )
else:
    from PyQt6.QtCore import Qt, QTimer
    from PyQt6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QPixmap
    from PyQt6.QtWidgets import (
        QApplication,
        QFileDialog,
        QFrame,
        QHBoxLayout,
        QLabel,
        QLineEdit,
        QProgressBar,
        QPushButton,
        QVBoxLayout,
        QWidget,
    )

if TYPE_CHECKING:
    from collections.abc import Callable

    from mfa_demo import Demo, RunningEmulator

INK, SOFT, PAPER, SHADE, BLUE = "#1d2433", "#6b7385", "#ffffff", "#eef1f6", "#2456d6"
STYLE = f"""
QWidget {{ background: {PAPER}; color: {INK}; font-size: 14px; }}
QLabel#title {{ font-size: 25px; font-weight: bold; }}
QLabel#tick {{ font-size: 54px; color: {GREEN}; }}
QLabel#soft, QLabel#field {{ color: {SOFT}; }}
QLabel#field {{ font-size: 13px; padding-top: 6px; }}
QLabel#hint {{ background: {SHADE}; color: {SOFT}; font-size: 13px; padding: 10px 28px; }}
QLabel#code {{ font-family: monospace; font-size: 14px; background: transparent; }}
QFrame#box {{ background: {SHADE}; border-radius: 8px; }}
QFrame#box QLabel {{ background: transparent; }}
QLineEdit {{ border: 1px solid #d4d9e3; border-radius: 6px; padding: 9px 10px; selection-background-color: {BLUE}; }}
QLineEdit:focus {{ border-color: {BLUE}; }}
QLineEdit[readOnly="true"] {{ background: {SHADE}; }}
QPushButton {{ background: {SHADE}; border: none; border-radius: 6px; padding: 10px 14px; }}
QPushButton:hover {{ background: #dfe5f0; }}
QPushButton:focus {{ border: 1px solid {BLUE}; }}
QPushButton:disabled {{ color: #a9b0bf; }}
QPushButton#way {{ text-align: left; padding: 13px 16px; }}
QPushButton#main {{ background: {BLUE}; color: {PAPER}; padding: 12px; font-weight: bold; }}
QPushButton#main:hover {{ background: #1b46b3; }}
QPushButton#main:disabled {{ background: #a8bdf0; color: {PAPER}; }}
QPushButton#link {{ background: transparent; color: {BLUE}; padding: 5px; }}
QPushButton#copy {{ background: {PAPER}; color: {BLUE}; padding: 6px 12px; }}
QProgressBar {{ border: none; background: {PAPER}; max-height: 3px; }}
QProgressBar::chunk {{ background: {BLUE}; }}
"""


class MfaWindow(SignIn, QWidget):
    """The window."""

    def __init__(self, demo: Demo | RunningEmulator | None = None) -> None:
        QWidget.__init__(self)
        self.entered: dict[str, str] = {}
        self.fields: dict[str, QLineEdit] = {}
        self.buttons: dict[str, QPushButton] = {}
        self.body = QWidget()
        self.column = QVBoxLayout(self.body)
        Authing.setDispatcher(dispatch.qt())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setStyleSheet(STYLE)
        self.resize(440, 690)
        self._build()
        self.begin(demo)
        timer = QTimer(self)
        timer.timeout.connect(self.tick)
        timer.start(500)

    # ─────────────────────── widgets of a screen ───────────────────────

    def clear(self) -> None:
        """Remove the screen's widgets."""
        self.fields, self.buttons = {}, {}
        old, self.body = self.body, QWidget()
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(28, 0, 28, 0)
        self.column.setSpacing(8)
        self.column.addStretch(1)
        self.around.replaceWidget(old, self.body)
        old.hide()  # deleted a little later: it may hold the button that was just pressed
        old.deleteLater()

    def _add(self, widget: QWidget) -> None:
        self.column.insertWidget(self.column.count() - 1, widget)  # the stretch stays last

    def label(self, words: str, style: str, *, centre: bool = False) -> None:
        """Add a text."""
        label = QLabel(words)
        label.setObjectName(style)
        label.setWordWrap(True)
        label.setIndent(0)
        if centre:
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._add(label)

    def field(self, name: str, words: str, on_return: str, *, secret: bool = False, readonly: bool = False) -> None:
        """Add a field."""
        self.label(words, "field")
        field = QLineEdit(self.entered.get(name, ""))
        field.setReadOnly(readonly)
        if readonly:
            field.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        field.textChanged.connect(partial(self.entered.__setitem__, name))
        field.returnPressed.connect(lambda: self.buttons[on_return].click())  # noqa: PLW0108 - that button is made later
        self._add(field)
        self.fields[name] = field

    def button(self, name: str, words: str, command: Callable[[], Any], style: str) -> None:
        """Add a button."""
        self._add(self._made_button(name, words, command, style))

    def _made_button(self, name: str, words: str, command: Callable[[], Any], style: str) -> QPushButton:
        button = QPushButton(words)
        button.setObjectName(style)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: command())  # noqa: PLW0108 - clicked passes an argument
        self.buttons[name] = button
        return button

    def picture(self, content: bytes, side: int) -> None:
        """Add a picture."""
        picture = QPixmap()
        picture.loadFromData(content)
        if max(picture.width(), picture.height()) > side:
            smooth = Qt.TransformationMode.SmoothTransformation
            picture = picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        label.setPixmap(picture)
        self._add(label)

    def copyable(self, title: str, words: str) -> None:
        """Add a text with a button that copies it."""
        box = QFrame()
        box.setObjectName("box")
        column = QVBoxLayout(box)
        column.setContentsMargins(14, 12, 14, 12)
        heading = QLabel(title)
        heading.setWordWrap(True)
        column.addWidget(heading)
        row = QHBoxLayout()
        code = QLabel(words)
        code.setObjectName("code")
        code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(code, 1)
        row.addWidget(self._made_button("copy", self.text("copy"), lambda: self._copy(words), "copy"))
        column.addLayout(row)
        self._add(box)

    def _copy(self, words: str) -> None:
        QGuiApplication.clipboard().setText(words)
        self.say(self.text("copied"), GREEN)

    # ─────────────────────── widgets that are there ───────────────────────

    def give_focus(self, name: str) -> None:
        """Give the keyboard to a field or a button."""
        (self.fields.get(name) or self.buttons[name]).setFocus()

    def rest(self, names: set[str]) -> None:
        """Disable these buttons, and enable all others."""
        for name, button in self.buttons.items():
            button.setEnabled(name not in names)

    def rename(self, name: str, words: str) -> None:
        """Change the words of a button."""
        self.buttons[name].setText(words)

    def names(self) -> set[str]:
        """Return the names of the buttons."""
        return set(self.buttons)

    def get(self, name: str) -> str:
        """Return the text of a field."""
        words = self.entered.get(name, "")
        return words if name in PASSWORDS else words.strip()

    def put(self, name: str, words: str) -> None:
        """Set the text of a field."""
        self.entered[name] = words
        if name in self.fields:
            self.fields[name].setText(words)

    def say(self, words: str, colour: str = RED) -> None:
        """Show *words* below the screen."""
        self.status.setText(words)
        self.status.setStyleSheet(f"color: {colour}; padding: 4px 28px 12px 28px;")

    def show_frame(self, title: str, other_language: str, hint: str, *, busy: bool) -> None:
        """Show the window's title, the language switch, the hint, and whether a call runs."""
        self.setWindowTitle(title)
        self.switch.setText(other_language)
        self.switch.setEnabled(not busy)
        self.bar.setRange(0, 0 if busy else 1)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def pick_file(self) -> str:
        """Let the user pick a file."""
        path, _ = QFileDialog.getOpenFileName(self, self.text("choose"))
        return path

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Return presses the button that has the keyboard: Qt itself knows only the space bar here."""
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Close the window, or stay open while a recovery code would be lost."""
        event.setAccepted(self.may_close())

    # ─────────────────────── the frame around the screens ───────────────────────

    def _build(self) -> None:
        """Language on top; status, bar and hint below."""
        self.around = QVBoxLayout(self)
        self.around.setContentsMargins(0, 16, 0, 0)
        self.around.setSpacing(0)
        self.switch = QPushButton()
        self.switch.setObjectName("link")
        self.switch.clicked.connect(lambda: self.translate())  # noqa: PLW0108 - clicked passes an argument
        top = QHBoxLayout()
        top.setContentsMargins(28, 0, 28, 0)
        top.addStretch(1)
        top.addWidget(self.switch)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.hint = QLabel()
        self.hint.setObjectName("hint")
        self.hint.setWordWrap(True)
        self.around.addLayout(top)
        self.around.addWidget(self.body, 1)
        for label in (self.status, self.hint):
            label.setIndent(0)  # in line with the texts of the screen
        for widget in (self.status, self.bar, self.hint):
            self.around.addWidget(widget)


def main() -> None:
    """Open the window and run until it is closed."""
    chosen = options()
    app = QApplication(sys.argv[:1])
    with application(chosen.app_id, chosen.host, chosen.base_url) as demo:
        MfaWindow(demo).show()
        app.exec()


if __name__ == "__main__":
    main()
