"""`face upload|bind|verify`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authing_mfa.cli.lazy import LazyGroup
from authing_mfa.cli.options import login_options, token_stdin

if TYPE_CHECKING:
    from authing_mfa.cli.context import CliContext, Service

__all__ = ["face", "photo_key", "verify_photo"]


@click.group(cls=LazyGroup)
def face() -> None:
    """Upload photos, bind a face, verify it.

    A photo is a picture file, or the key that `face upload` printed. Before a picture is sent, it is turned upright and scaled down,
    and its metadata is removed.
    """


@face.command()
@click.argument("photo", type=click.Path(exists=True, dir_okay=False, readable=True))
@click.option("--public", is_flag=True, help="Make the photo public: no signature is needed to read it.")
@click.pass_obj
def upload(context: CliContext, /, photo: str, *, public: bool) -> None:
    """Upload a photo and print its key."""
    with context.service() as service:
        key = service(service.client.upload_face_image(Path(photo), private=not public))
    context.output.good(context.say("uploaded"))
    context.output.data({"key": key, "private": not public}, key)


@face.command()
@click.argument("photo_a")
@click.argument("photo_b")
@token_stdin
@login_options
@click.pass_obj
def bind(
    context: CliContext, /, photo_a: str, photo_b: str, *, token_stdin: bool, no_keep: bool, show_token: bool
) -> None:
    """Bind a face with two photos of it."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        key_a, key_b = photo_key(service, photo_a), photo_key(service, photo_b)
        made = service.client.mfa_associate_by_face(key_a, key_b)
        user = service(made, account=login.account, keep=not no_keep)
    context.welcome(user, keep=not no_keep, show_token=show_token, text="bound")


@face.command()
@click.argument("photo")
@token_stdin
@login_options
@click.pass_obj
def verify(context: CliContext, /, photo: str, *, token_stdin: bool, no_keep: bool, show_token: bool) -> None:
    """Verify the bound face with a photo."""
    verify_photo(context, photo, token_stdin=token_stdin, no_keep=no_keep, show_token=show_token)


def verify_photo(context: CliContext, photo: str, *, token_stdin: bool, no_keep: bool, show_token: bool) -> None:
    """Verify with *photo*, a file or a key."""
    login = context.needs_login(stdin=token_stdin)
    with context.service(login.token) as service:
        made = service.client.mfa_verify_by_face(photo_key(service, photo))
        user = service(made, account=login.account, keep=not no_keep)
    context.welcome(user, keep=not no_keep, show_token=show_token)


def photo_key(service: Service, photo: str) -> str:
    """Return the key of *photo*, which is uploaded where it is a file.

    Raises:
        click.UsageError: it is neither a file nor can it be a key.
    """
    if os.path.isfile(photo):  # noqa: PTH113 - Path.is_file raises if the name is too long or a folder is closed to us
        return service(service.client.upload_face_image(Path(photo)))
    if photo.startswith(("/", ".", "~")) or "/" not in photo:
        raise click.UsageError(f"There is no picture file {photo}.")
    return photo
