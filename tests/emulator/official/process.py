"""An official client in its own process, called over a pipe."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import Any

ANSWER_SECONDS = 60


class ClientError(Exception):
    """What the official client threw."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")
        self.status, self.type = error.get("status"), error.get("type")


class Official:
    """An official client in its own process."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put('{"error": {"code": null, "message": "the process of the client has ended"}}')

    def order(self, **order: Any) -> Any:
        """The answer to one order.

        Raises:
            ClientError: the client threw.
        """
        assert self._process.stdin is not None
        assert self._process.poll() is None, "the process of the client has ended"
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._lines.get(timeout=ANSWER_SECONDS))
        if "error" in answer:
            raise ClientError(answer["error"])
        return answer["value"]

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """What the client's method *name* returns."""
        return self.order(call=name, args=args, **({"kwargs": kwargs} if kwargs else {}))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(60)
        self._reader.join(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
