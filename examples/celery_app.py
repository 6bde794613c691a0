"""Celery: tasks that send and verify codes. One sync client, made before the worker forks its children.

A task that may have spent a code must not be run again: only an error with ``not_sent`` is retried. Errors are returned as
data, because Celery's JSON results keep only their text. To try it, start `authing-mfa emulator`, and paste its `export` lines
into two terminals. The first runs the worker; the second makes a task and prints its result (ID is what `call` prints)::

    celery --workdir examples -A celery_app worker
    celery --workdir examples -A celery_app call celery_app.log_in --args '["demo", "emulator-demo"]'
    celery --workdir examples -A celery_app result ID
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery, Task

from authing_mfa import AuthingError, MfaRequiredError
from authing_mfa.sync import AuthClient

RETRIES = 3
# A broker and results in files, only to try the example.
FOLDER = Path(os.environ.get("CELERY_FOLDER", ".celery")).absolute()
app = Celery(
    "celery_app",
    broker=os.environ.get("CELERY_BROKER_URL", "filesystem://"),
    backend=os.environ.get("CELERY_RESULT_BACKEND", f"file://{FOLDER / 'results'}"),
)
FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)  # tasks and results hold tokens and codes
(FOLDER / "results").mkdir(exist_ok=True)
if app.conf.broker_url.startswith("filesystem://"):
    folders = {"data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER / "control"}
    app.conf.broker_transport_options = {name: str(folder) for name, folder in folders.items()}

client = AuthClient(
    os.environ["AUTHING_APP_ID"],
    base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
    public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
)


def failed(task: Task[Any, Any], error: AuthingError) -> dict[str, Any]:
    """Run *task* again, a few times, if the service has certainly not seen the call; else return the error as data."""
    if error.delivery == "not_sent" and error.code in (10001, 10002) and task.request.retries < RETRIES:
        raise task.retry(exc=error, countdown=1, max_retries=RETRIES)
    return {"error": error.code, "delivery": error.delivery}


@app.task(bind=True)
def log_in(self: Task[Any, Any], account: str, password: str) -> dict[str, Any]:
    """First factor; returns the challenge's token and phone, with its country code."""
    try:
        return {"user": client.login_by_account(account, password).username}
    except MfaRequiredError as error:
        challenge = error.challenge
        return {"mfa_token": challenge.token, "phone": challenge.phone, "country": challenge.phone_country_code}
    except AuthingError as error:
        return failed(self, error)


@app.task(bind=True)
def send_code(self: Task[Any, Any], mfa_token: str, phone: str, country: str | None) -> dict[str, Any]:
    """Send a code by SMS, outside the web request."""
    try:
        client.as_user(mfa_token).send_sms(phone, phone_country_code=country)
    except AuthingError as error:
        return failed(self, error)
    return {}


@app.task(bind=True)
def verify(self: Task[Any, Any], mfa_token: str, phone: str, country: str | None, code: str) -> dict[str, Any]:
    """Second factor."""
    try:
        user = client.as_user(mfa_token).mfa_verify_by_phone(phone, code, phone_country_code=country)
    except AuthingError as error:
        return failed(self, error)
    return {"user": user.username, "id_token": user.id_token}


@app.task(bind=True)
def who(self: Task[Any, Any], id_token: str) -> dict[str, Any]:
    """Return the user of the token."""
    try:
        return {"user": client.as_user(id_token).get_current_user().username}
    except AuthingError as error:
        return failed(self, error)
