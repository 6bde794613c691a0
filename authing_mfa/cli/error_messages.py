"""Turn errors into sentences that end with the next step, in English and Chinese, and into objects for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authing_mfa._language import in_language
from authing_mfa.errors import (
    AccountDisabledError,
    AccountLockedError,
    ApiError,
    AuthingError,
    CaptchaRequiredError,
    ConfigError,
    FaceError,
    ImageError,
    InvalidMfaTokenError,
    LoginError,
    MfaRequiredError,
    NetworkError,
    NotAuthenticatedError,
    PasswordChangeRequiredError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    WrongCodeError,
    WrongPasswordError,
)

if TYPE_CHECKING:
    from authing_mfa.models import MfaChallenge

__all__ = ["challenge_json", "describe", "sentence"]

# By code first; {message} becomes the service's own words.
_BY_CODE: Final[dict[int, tuple[str, str]]] = {
    6001: (
        "The code is wrong (6001). Codes change every 30 s: wait for the next code.",
        "验证码错误（6001）。验证码每 30 秒更换一次：请等待下一个。",
    ),
    6002: (
        "The recovery code is wrong (6002). Each recovery code is valid once; use the newest.",
        "恢复代码错误（6002）。每个恢复代码只能使用一次，请使用最新的一个。",
    ),
    6003: (
        "The TOTP code is missing (6003). Give the code that the authenticator app shows now.",
        "缺少 TOTP 验证码（6003）。请输入验证器应用当前显示的验证码。",
    ),
    6004: (
        "The recovery code is missing (6004). Give the newest recovery code.",
        "缺少恢复代码（6004）。请输入最新的恢复代码。",
    ),
    2001: (
        "The code is wrong (2001). Use the code of the newest message, or send a new code: authing-mfa send sms, send email",
        "验证码错误（2001）。请使用最新消息中的验证码，或重新发送：authing-mfa send sms、send email",
    ),
    2300: (
        "The code has expired (2300). Send a new code: authing-mfa send sms, send email",
        "验证码已过期（2300）。请重新发送：authing-mfa send sms、send email",
    ),
    400: (
        "The code is wrong (400). Codes change every 30 s: wait for the next code, and check this machine's clock.",
        "验证码错误（400）。验证码每 30 秒更换一次：请等待下一个，并检查本机时钟。",
    ),
    1700: (
        "The service has no such photo (1700). Upload it first: authing-mfa face upload FILE",
        "服务中没有该照片（1700）。请先上传：authing-mfa face upload FILE",
    ),
    1701: (
        "There is no photo to compare with (1701). Bind a face first: authing-mfa face bind FILE FILE",
        "没有可比对的照片（1701）。请先绑定人脸：authing-mfa face bind FILE FILE",
    ),
    1702: (
        "The face does not match (1702). Take another photo, from the front and in good light.",
        "人脸不匹配（1702）。请在光线良好处正面重新拍照。",
    ),
    1703: (
        "A face can only be bound after a phone or an e-mail address (1703). Bind one first: authing-mfa verify sms",
        "绑定人脸前需先绑定手机号或邮箱（1703）。请先绑定：authing-mfa verify sms",
    ),
    1706: (
        "A face is bound already (1706). Verify with it: authing-mfa face verify FILE",
        "人脸已绑定（1706）。请直接验证：authing-mfa face verify FILE",
    ),
    1707: (
        "The face cannot be bound (1707). Take two new photos of the same face.",
        "人脸绑定失败（1707）。请重新拍摄两张同一人的照片。",
    ),
    2333: (
        "The account or the password is wrong (2333). Check both; with your own public key, check --public-key too.",
        "账号或密码错误（2333）。请检查两者；若使用自有公钥，请同时检查 --public-key。",
    ),
    2004: (
        "There is no such user (2004). Check the account, or register it: authing-mfa login --register",
        "用户不存在（2004）。请检查账号，或注册：authing-mfa login --register",
    ),
    2006: (
        "The password is wrong (2006). Check it; with your own public key, check --public-key too.",
        "密码错误（2006）。请检查密码；若使用自有公钥，请同时检查 --public-key。",
    ),
    2061: (
        "The new password is not safe enough (2061). Choose another one.",
        "新密码不够安全（2061）。请换一个。",
    ),
    1320011: (
        "The old password is wrong (1320011). Log in again: authing-mfa login",
        "原密码错误（1320011）。请重新登录：authing-mfa login",
    ),
    2011: (
        "There is no such application (2011). Check --app-id and the host: authing-mfa config list",
        "应用不存在（2011）。请检查 --app-id 和 host：authing-mfa config list",
    ),
}

_BY_CLASS: Final[tuple[tuple[type[AuthingError], str, str], ...]] = (
    (WrongCodeError, "{message} ({code}). Check it and try again.", "{message}（{code}）。请检查后重试。"),
    (
        FaceError,
        "The face was not accepted ({code}): {message}. Take another photo.",
        "人脸验证未通过（{code}）：{message}。请重新拍照。",
    ),
    (
        AccountLockedError,
        "The account is locked ({code}). Wait until the lock ends, or ask an administrator to lift it.",
        "账号已锁定（{code}）。请等待解锁，或联系管理员。",
    ),
    (
        AccountDisabledError,
        "The account, its device or its tenant is disabled ({code}): {message}. Ask an administrator.",
        "账号、设备或租户已停用（{code}）：{message}。请联系管理员。",
    ),
    (
        WrongPasswordError,
        "The account or the password is wrong ({code}). Check both.",
        "账号或密码错误（{code}）。请检查两者。",
    ),
    (
        CaptchaRequiredError,
        "The service asks for a captcha ({code}). Log in at a terminal: authing-mfa login shows the picture and asks for its text.",
        "需要图形验证码（{code}）。请在终端登录：authing-mfa login 会显示图片并询问其中文字。",
    ),
    (
        PasswordChangeRequiredError,
        "The password must be changed before a login ({code}): {message}. Log in at a terminal (authing-mfa login), or set AUTHING_NEW_PASSWORD.",
        "登录前必须修改密码（{code}）：{message}。请在终端登录（authing-mfa login），或设置 AUTHING_NEW_PASSWORD。",
    ),
    (
        ServiceError,
        "The service failed ({code}): {message}. It may have acted. Try again later.{ask}",
        "服务出错（{code}）：{message}。服务可能已处理该请求。请稍后重试。{ask}",
    ),
    (
        LoginError,
        "You are not logged in ({code}). Log in with: authing-mfa login, or set AUTHING_TOKEN",
        "尚未登录（{code}）。请运行 authing-mfa login，或设置 AUTHING_TOKEN",
    ),
    (
        InvalidMfaTokenError,
        "The mfaToken is missing, expired or invalid ({code}); it is valid for six minutes. Log in again: authing-mfa login",
        "mfaToken 缺失、已过期或无效（{code}），其有效期为六分钟。请重新登录：authing-mfa login",
    ),
    (
        NotAuthenticatedError,
        "The token is invalid or expired ({code}). Log in again: authing-mfa login",
        "令牌无效或已过期（{code}）。请重新登录：authing-mfa login",
    ),
    (
        ImageError,
        "{message} ({code}). JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP and TIFF pictures are read.",
        "{message}（{code}）。可读取 JPEG、PNG、WebP、HEIC、AVIF、GIF、BMP 和 TIFF 图片。",
    ),
    (
        ConfigError,
        "{message} ({code}). Check --app-id and --host; authing-mfa doctor finds the cause.",
        "{message}（{code}）。请检查 --app-id 和 --host；可用 authing-mfa doctor 查找原因。",
    ),
    (
        ResponseError,
        "{message} ({code}). Check that the host is the service's: authing-mfa doctor",
        "{message}（{code}）。请检查 host 是否为该服务的地址：authing-mfa doctor",
    ),
    (ApiError, "The service refused the call ({code}): {message}.{ask}", "服务拒绝（{code}）：{message}。{ask}"),
    (AuthingError, "{message} ({code}).", "{message}（{code}）。"),
)

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "unsent": (
        "{message} ({code}). Nothing was sent. Check the address and your network; authing-mfa doctor finds the cause.",
        "{message}（{code}）。未发送任何请求。请检查地址和网络；可用 authing-mfa doctor 查找原因。",
    ),
    "unknown": (
        "{message} ({code}). The service may have acted, and a code may be spent: check before you try again.",
        "{message}（{code}）。服务可能已处理该请求，验证码可能已用掉：重试前请先确认。",
    ),
    "wait": (
        "Too many requests ({code}). Nothing was done; wait {seconds} s.",
        "操作过于频繁（{code}）。未执行任何操作，请等待 {seconds} 秒。",
    ),
    "wait_minute": (
        "Too many requests ({code}). Nothing was done. A code can be sent once a minute: wait a minute.",
        "操作过于频繁（{code}）。未执行任何操作；每分钟只能发送一次验证码，请一分钟后重试。",
    ),
    "second_factor": (
        "A second factor is needed ({code}): {factors}. {kept} Continue with: {next}",
        "需要第二因素（{code}）：{factors}。{kept}下一步：{next}",
    ),
    "mfa_kept": ("The mfaToken is stored; it is valid for six minutes.", "mfaToken 已保存，六分钟内有效。"),
    "mfa_not_kept": ("The mfaToken was not stored.", "mfaToken 未保存。"),
    "ask": (
        " If you ask the service's support, give this request id: {request_id}.",
        "联系服务支持时，请提供请求编号 {request_id}。",
    ),
}

_NEXT: Final[dict[str, str]] = {
    "SMS": "authing-mfa send sms",
    "EMAIL": "authing-mfa send email",
    "OTP": "authing-mfa verify totp",
    "FACE": "authing-mfa verify face FILE",
}


def sentence(error: AuthingError, lang: str, *, kept: bool = False) -> str:
    """Return *error* as a sentence that ends with the next step. *kept*: a challenge's mfaToken was stored for the next command."""
    fields = {"code": error.code, "message": _clean(error.message)}
    if isinstance(error, MfaRequiredError):
        return _second_factor(error, lang, kept=kept)
    if isinstance(error, NetworkError):
        return in_language(lang, _TEXTS["unsent" if error.delivery == "not_sent" else "unknown"]).format(**fields)
    if isinstance(error, RateLimitedError):
        if error.retry_after is None:
            return in_language(lang, _TEXTS["wait_minute"]).format(**fields)
        return in_language(lang, _TEXTS["wait"]).format(**fields, seconds=f"{error.retry_after:g}")
    if (
        isinstance(error, ApiError)
        and error.code in _BY_CODE
        and (error.code != 400 or isinstance(error, WrongCodeError))
    ):
        return in_language(lang, _BY_CODE[error.code])
    texts = next((english, chinese) for kind, english, chinese in _BY_CLASS if isinstance(error, kind))
    named = error.request_id if isinstance(error, ApiError) else None
    ask = in_language(lang, _TEXTS["ask"]).format(request_id=named) if named else ""
    return in_language(lang, texts).format(**fields, ask=ask)


def _clean(message: str) -> str:
    """Return *message* in one line without its last full stop, to be a part of another sentence."""
    return " ".join(message.split()).rstrip(".。")


def _second_factor(error: MfaRequiredError, lang: str, *, kept: bool) -> str:
    policies = [factor.policy for factor in error.challenge.factors]
    steps = [_NEXT[policy] for policy in policies if policy in _NEXT]
    if "OTP" in policies and not error.challenge.totp_enabled and error.code == 1636:
        steps[steps.index(_NEXT["OTP"])] = "authing-mfa totp associate"
    if "FACE" in policies and not error.challenge.face_enabled:
        steps[steps.index(_NEXT["FACE"])] = "authing-mfa face bind FILE FILE"
    return in_language(lang, _TEXTS["second_factor"]).format(
        code=error.code,
        factors=", ".join(policies) or "?",
        kept=in_language(lang, _TEXTS["mfa_kept" if kept else "mfa_not_kept"]),
        next=in_language(lang, (", ", "，")).join(steps) if steps else "authing-mfa mfa",
    )


def challenge_json(challenge: MfaChallenge) -> dict[str, Any]:
    """Return a challenge without its token."""
    return {
        "factors": [factor.policy for factor in challenge.factors],
        "phone": challenge.phone,
        "phone_country_code": challenge.phone_country_code,
        "email": challenge.email,
        "totp_enabled": challenge.totp_enabled,
        "face_enabled": challenge.face_enabled,
    }


def describe(error: AuthingError, text: str) -> dict[str, Any]:
    """Return *error* as the `error` object of `--json`; *text* is its sentence. The object holds no secret."""
    found: dict[str, Any] = {
        "type": type(error).__name__,
        "code": error.code,
        "message": text,
        "service_message": error.message if isinstance(error, ApiError) else None,
        "delivery": error.delivery,
        "http_status": getattr(error, "http_status", None),
        "request_id": getattr(error, "request_id", None),
        "retry_after": getattr(error, "retry_after", None),
    }
    if isinstance(error, MfaRequiredError):
        found["challenge"] = challenge_json(error.challenge)
    return found
