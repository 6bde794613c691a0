"""The sentences of the package's own errors in the client's language, in one place. The service translates its messages itself."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, TypeVar

from authing_mfa._language import in_language
from authing_mfa.errors import (
    AuthingError,
    CallTimeoutError,
    CancelledCallError,
    ConfigError,
    ImageError,
    InvalidInputError,
    LoginError,
    NetworkError,
    ResponseError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["in_language_of_client", "translate"]

C = TypeVar("C")

# The most specific class first. The English sentence, which names parameters and details for the programmer, follows.
_CHINESE: Final[tuple[tuple[type[AuthingError], str], ...]] = (
    (UsageError, "客户端使用方式有误：{english}"),
    (InvalidInputError, "参数无效：{english}"),
    (ImageError, "图片无法使用：{english}"),
    (CancelledCallError, "调用已取消：服务可能已处理该请求。"),
    (ConfigError, "无法获取应用配置：{english}"),
    (LoginError, "此操作需要先登录：{english}"),
    (ResponseError, "无法理解服务的响应：{english}"),
)
_TIMEOUT: Final = {"not_sent": "请求超时，未能连接到服务。", "unknown": "请求超时，未收到响应；服务可能已处理该请求。"}
_NETWORK: Final = {
    "not_sent": "无法连接到服务：{english}",
    "unknown": "连接在收到完整响应之前中断，服务可能已处理该请求：{english}",
    "answered": "服务当前不可用：{english}",
}


_BY_THE_CORE: Final = ("perform", "answer")  # what these raise is in the client's language already


def translate(error: AuthingError, lang: str) -> AuthingError:
    """Put the sentence of *error* into *lang*, unless it is the service's own; return the error. Calling it again has no effect."""
    chinese = None if "_translated" in vars(error) else _chinese(error)
    if chinese is not None:
        error.message = in_language(lang, (error.message, chinese.format(english=error.message)))
        error.args = (error.message,)
        vars(error)["_translated"] = True
    return error


def _chinese(error: AuthingError) -> str | None:
    if isinstance(error, CallTimeoutError):
        return _TIMEOUT.get(error.delivery, _TIMEOUT["unknown"])
    if isinstance(error, NetworkError):
        return _NETWORK[error.delivery]
    return next((text for kind, text in _CHINESE if isinstance(error, kind)), None)


def in_language_of_client(cls: type[C]) -> type[C]:
    """Make every coroutine method of a client class raise errors with sentences in the client's `lang`."""
    for name, method in list(vars(cls).items()):
        private = name.startswith("_") and name != "__aenter__"
        if inspect.iscoroutinefunction(method) and not private and name not in _BY_THE_CORE:
            setattr(cls, name, _translated(method))
    return cls


def _translated(method: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @functools.wraps(method)
    async def call(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return await method(self, *arguments, **options)
        except AuthingError as error:
            translate(error, self._core.options.lang)
            raise

    return call
