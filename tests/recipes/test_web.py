"""Each web recipe, started as its users start it, with several users in several browsers at once."""

import pytest

from authing_mfa.sync import AuthClient
from tests.programs import free_port
from tests.recipes.conftest import BIN, EXAMPLES, TOGETHER, Browser, phone, see_forms, see_refusals, serving, walk

DJANGO = str(EXAMPLES / "django_site")


def command(name, port):
    return {
        "FastAPI under uvicorn": [
            str(BIN / "uvicorn"), "--app-dir", str(EXAMPLES), "--port", str(port), "--log-level", "warning", "fastapi_app:app",
        ],
        "aiohttp.web": [str(BIN / "python"), str(EXAMPLES / "aiohttp_app.py"), "--port", str(port)],
        "Flask under gunicorn, two workers": [
            str(BIN / "gunicorn"), "--chdir", str(EXAMPLES), "--workers", "2", "--threads", str(TOGETHER),
            "--bind", f"127.0.0.1:{port}", "--log-level", "warning", "flask_app:app",
        ],
        "Flask under gunicorn, preloaded": [
            str(BIN / "gunicorn"), "--chdir", str(EXAMPLES), "--workers", "2", "--threads", str(TOGETHER), "--preload",
            "--bind", f"127.0.0.1:{port}", "--log-level", "warning", "flask_app:app",
        ],
        "Django's runserver": [
            str(BIN / "python"), f"{DJANGO}/manage.py", "runserver", "--noreload", f"127.0.0.1:{port}",
        ],
        "Django under gunicorn": [
            str(BIN / "gunicorn"), "--chdir", DJANGO, "--workers", "2", "--threads", str(TOGETHER),
            "--bind", f"127.0.0.1:{port}", "--log-level", "warning", "wsgi:application",
        ],
        "Django under uvicorn": [
            str(BIN / "uvicorn"), "--app-dir", DJANGO, "--port", str(port), "--log-level", "warning", "asgi:application",
        ],
    }[name]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("FastAPI under uvicorn", [""]),
        ("aiohttp.web", [""]),
        ("Flask under gunicorn, two workers", [""]),
        ("Flask under gunicorn, preloaded", [""]),
        ("Django's runserver", [""]),
        ("Django under gunicorn", [""]),
        ("Django under uvicorn", ["", "/async"]),
    ],
)
def test_users_in_several_browsers_are_never_mixed_up(name, parts, emulator):
    """Login, challenge, code, verify, session, logout; and an error of the service is the HTTP status that the guide names."""
    port = free_port()
    with serving(emulator, command(name, port), port) as base:
        for part in parts:
            walk(base + part, emulator)
            see_refusals(base + part, emulator)
            see_forms(base + part)


def test_a_step_up_needs_a_factor_that_was_passed_a_moment_ago(emulator):
    """FastAPI's dependency refuses a session that passed no factor until its own authenticator app's code is right."""
    port = free_port()
    ann = emulator.add_user(username="ann", password="pw")
    with serving(emulator, command("FastAPI under uvicorn", port), port) as base:
        verified = Browser(base)
        verified.ask("login", {"account": "user0", "password": "pw0"})
        verified.ask("code")
        verified.ask("verify", {"factor": "SMS", "code": emulator.code_for(phone(0))})
        assert verified.ask("transfer") == (200, {"transferred_by": "user0"})
        plain = Browser(base)
        assert plain.ask("transfer")[0] == 401
        assert plain.ask("login", {"account": "ann", "password": "pw"}) == (200, {"user": "ann"})
        with AuthClient(emulator.app_id, base_url=emulator.url, token=emulator.issue_user_token(ann)) as client:
            client.mfa_confirm_totp(emulator.totp_code(client.mfa_associate_by_totp().secret))
        emulator.clock.advance(30)  # the next code
        assert plain.ask("step-up", {"code": "000000"})[0] == 400
        assert plain.ask("transfer")[0] == 403
        assert plain.ask("step-up", {"code": ann.totp_code}) == (200, {})
        assert plain.ask("transfer") == (200, {"transferred_by": "ann"})
        emulator.clock.reset()
