"""The service's sentences, Chinese and English, chosen by `x-authing-lang`. Nothing is ever decided by a sentence."""

from __future__ import annotations

__all__ = ["say"]

_TEXTS: dict[str, tuple[str, str]] = {
    # key: (Chinese, English). Chinese of the published samples where they have one (docs/wire.md#sources, MFA guide).
    "ok": ("操作成功", "Success."),
    "login": ("登录成功", "Logged in."),
    "verified": ("二次验证成功", "Second factor verified."),
    "totp_associated": ("获取 MFA 密钥成功", "MFA secret created."),
    "totp_confirmed": ("TOTP MFA 绑定成功", "TOTP is bound."),
    "totp_deleted": ("TOTP MFA 解绑成功", "TOTP is unbound."),
    "authenticators": ("获取 MFA Authenticator 成功", "MFA authenticators listed."),
    "sent": ("发送成功", "Sent."),
    "uploaded": ("上传成功", "Uploaded."),
    "unbound": ("解绑成功", "Unbound."),
    "enrolled": ("绑定成功", "Bound."),
    "own_totp_due": ("请输入二次认证安全码", "Please enter the code of your authenticator app."),
    "mfa_due": ("该应用需要二次验证", "This application asks for a second factor."),
    "bad_request": ("请求参数错误", "The request cannot be understood"),
    "not_found": ("接口不存在", "There is no such endpoint"),
    "app_not_found": ("应用不存在", "There is no such application."),
    "user_not_found": ("用户不存在", "There is no such user."),
    "user_exists": ("用户已存在", "The user already exists."),
    "wrong_password": ("账号或密码错误", "The account or the password is wrong."),
    "locked": ("账号已锁定，请稍后再试", "The account is locked; try again later."),
    "not_logged_in": ("尚未登录，无访问权限", "Not logged in, or the token is not valid."),
    "no_permission": ("无权限", "No permission."),
    "mfa_token_invalid": ("MFA Token 无效或已过期", "The mfaToken is missing, has expired, or is not an mfaToken."),
    "wrong_code": ("验证码不正确", "The verification code is wrong."),
    "code_expired": ("验证码已过期", "The verification code has expired."),
    "too_soon": ("验证码已发送，请一分钟后重试", "A code was sent less than a minute ago; try again later."),
    "wrong_totp": ("安全码错误，请重新输入", "The security code is wrong; please enter it again."),
    "missing_totp": ("请输入安全码", "The security code is missing."),
    "wrong_recovery": ("恢复代码错误，请重新输入", "The recovery code is wrong; please enter it again."),
    "missing_recovery": ("请输入恢复代码", "The recovery code is missing."),
    "no_totp": ("尚未绑定 TOTP", "TOTP is not bound."),
    "target_taken": (
        'duplicate key value violates unique constraint "mfa_phone"',
        'duplicate key value violates unique constraint "mfa_phone"',
    ),
    "email_taken": ("邮箱已被绑定", "The e-mail address is already bound."),
    "other_target": ("与已绑定的手机号或邮箱不一致", "This is not the phone or e-mail address that is bound."),
    "not_bound": ("尚未绑定", "It is not bound."),
    "face_missing": ("未上传人脸照片", "No face photo was uploaded."),
    "face_compare_missing": ("缺少对比照片", "The photo to compare with is missing."),
    "face_failed": ("人脸校验失败", "The face does not match."),
    "face_bound": ("人脸已绑定", "A face is already bound."),
    "face_bind_failed": ("绑定人脸失败", "The face cannot be bound: the two photos do not match."),
    "no_file": ("缺少文件", "The file is missing."),
    "factor_not_found": ("认证要素不存在", "There is no such factor."),
    "enrollment_invalid": ("enrollmentToken 无效或已过期", "The enrollmentToken is not valid or has expired."),
    "key_hint": (
        "账号或密码错误（模拟器：密码未使用模拟器的公钥加密）",
        "The account or the password is wrong (emulator: the password is not encrypted with the emulator's public key).",
    ),
}


def say(key: str, lang: str) -> str:
    """The sentence *key* in Chinese where *lang* starts with ``zh``, else in English."""
    return _TEXTS[key][0 if lang.startswith("zh") else 1]
