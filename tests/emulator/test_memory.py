"""The memory of an emulator that runs all day: bounded, whatever is sent."""

from __future__ import annotations

import asyncio
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


def photo() -> bytes:
    """A JPEG of 12 megapixels and about 1.5 MB, as phones make them."""
    noise = Image.frombytes("RGB", (500, 375), random.Random(1).randbytes(500 * 375 * 3))
    out = io.BytesIO()
    noise.resize((4000, 3000), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


async def send(port: int, requests: list[bytes], connections: int = 8) -> None:
    """Send *requests* over a few connections that are kept; each must be answered with HTTP 200."""
    left = iter(requests)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(None, 1)[0]))
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))


def post(path: str, body: bytes, kind: str = "application/json") -> bytes:
    """One request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def upload(picture: bytes, number: int) -> bytes:
    """The upload of a photo that differs from all others."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head + picture + number.to_bytes(4, "big") + b"\r\n--b--"
    return post("/api/v2/upload?folder=photos&private=true", body, "multipart/form-data; boundary=b")


def megabytes(process: subprocess.Popen[str]) -> float:
    """What the process holds."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_memory_after_a_hundred_thousand_messages_and_a_thousand_photos_is_bounded(capsys):
    """100,000 messages to as many recipients and 1,000 photos of 12 megapixels: what is kept is the newest 128 MiB of photos."""
    command = [sys.executable, "-m", "authing_mfa", "--json", "emulator", "--port", "0", "--no-demo-user"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            port = int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
            figures = {"start": megabytes(process)}
            for start in range(0, 100_000, 10_000):
                bodies = [
                    json.dumps({"email": f"u{n}@example.com", "scene": "MFA_VERIFY"})
                    for n in range(start, start + 10_000)
                ]
                asyncio.run(send(port, [post("/api/v2/email/send", body.encode()) for body in bodies]))
            figures["100,000 messages"] = megabytes(process)
            picture = photo()
            for start in range(0, 1000, 50):
                asyncio.run(send(port, [upload(picture, number) for number in range(start, start + 50)]))
            figures["1,000 photos"] = megabytes(process)
            again = [json.dumps({"email": f"v{n}@example.com"}) for n in range(20_000)]
            asyncio.run(send(port, [post("/api/v2/email/send", body.encode()) for body in again]))
            figures["20,000 messages more"] = megabytes(process)
        finally:
            process.terminate()
    with capsys.disabled():
        print({name: round(value) for name, value in figures.items()}, f"photo {len(picture) / 1e6:.1f} MB")
    assert figures["100,000 messages"] - figures["start"] < 150
    assert figures["1,000 photos"] - figures["100,000 messages"] < 350
    assert figures["20,000 messages more"] - figures["1,000 photos"] < 30
