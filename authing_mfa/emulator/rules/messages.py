"""The service's sentences, Chinese and English, chosen by `x-authing-lang`. No code decides by a sentence."""

from __future__ import annotations

from authing_mfa._language import in_language

__all__ = ["sentence"]

_TEXTS: dict[str, tuple[str, str]] = {
    # key: (English, Chinese), as in every table of texts here. The Chinese text is that of the published samples if they have one
    # (docs/wire.md#sources, MFA guide).
    "ok": ("Success.", "操作成功"),
    "login": ("Logged in.", "登录成功"),
    "verified": ("Second factor verified.", "二次验证成功"),
    "totp_associated": ("MFA secret created.", "获取 MFA 密钥成功"),
    "totp_confirmed": ("TOTP is bound.", "TOTP MFA 绑定成功"),
    "totp_deleted": ("TOTP is unbound.", "TOTP MFA 解绑成功"),
    "authenticators": ("MFA authenticators listed.", "获取 MFA Authenticator 成功"),
    "sent": ("Sent.", "发送成功"),
    "uploaded": ("Uploaded.", "上传成功"),
    "unbound": ("Unbound.", "解绑成功"),
    "enrolled": ("Bound.", "绑定成功"),
    "own_totp_due": ("Please enter the code of your authenticator app.", "请输入二次认证安全码"),
    "mfa_due": ("This application asks for a second factor.", "该应用需要二次验证"),
    "bad_request": ("The request cannot be understood", "请求参数错误"),
    "not_found": ("There is no such endpoint", "接口不存在"),
    "app_not_found": ("There is no such application.", "应用不存在"),
    "user_not_found": ("There is no such user.", "用户不存在"),
    "user_exists": ("The user already exists.", "用户已存在"),
    "wrong_password": ("The account or the password is wrong.", "账号或密码错误"),
    "locked": ("The account is locked; try again later.", "账号已锁定，请稍后再试"),
    "not_logged_in": ("Not logged in, or the token is not valid.", "尚未登录，无访问权限"),
    "no_permission": ("No permission.", "无权限"),
    "mfa_token_invalid": ("The mfaToken is missing, has expired, or is not an mfaToken.", "MFA Token 无效或已过期"),
    "wrong_code": ("The verification code is wrong.", "验证码不正确"),
    "code_expired": ("The verification code has expired.", "验证码已过期"),
    "too_soon": ("A code was sent less than a minute ago; try again later.", "验证码已发送，请一分钟后重试"),
    "wrong_totp": ("The security code is wrong; please enter it again.", "安全码错误，请重新输入"),
    "missing_totp": ("The security code is missing.", "请输入安全码"),
    "wrong_recovery": ("The recovery code is wrong; please enter it again.", "恢复代码错误，请重新输入"),
    "missing_recovery": ("The recovery code is missing.", "请输入恢复代码"),
    "no_totp": ("TOTP is not bound.", "尚未绑定 TOTP"),
    "target_taken": (
        'duplicate key value violates unique constraint "mfa_phone"',
        'duplicate key value violates unique constraint "mfa_phone"',
    ),
    "email_taken": ("The e-mail address is already bound.", "邮箱已被绑定"),
    "other_target": ("This is not the phone or e-mail address that is bound.", "与已绑定的手机号或邮箱不一致"),
    "face_missing": ("No face photo was uploaded.", "未上传人脸照片"),
    "face_compare_missing": ("The photo to compare with is missing.", "缺少对比照片"),
    "face_failed": ("The face does not match.", "人脸校验失败"),
    "face_bound": ("A face is already bound.", "人脸已绑定"),
    "face_bind_failed": ("The face cannot be bound: the two photos do not match.", "绑定人脸失败：两张照片不匹配"),
    "bad_phone": ("The phone number is not valid.", "手机号格式不正确"),
    "bad_email": ("The e-mail address is not valid.", "邮箱格式不正确"),
    "no_file": ("The file is missing.", "缺少文件"),
    "factor_not_found": ("There is no such factor.", "认证要素不存在"),
    "not_resettable": (
        "A phone or an e-mail address cannot be unbound by this call.",
        "手机号和邮箱不能通过此接口解绑",
    ),
    "bound_needs_login": (
        "This factor is bound already; only a logged-in user can replace it.",
        "该认证要素已绑定，登录后才能更换",
    ),
    "captcha_due": ("Please enter the text of the captcha.", "请输入图形验证码"),
    "captcha_wrong": ("The text of the captcha is wrong.", "图形验证码错误"),
    "first_login": ("First login: please change the password.", "首次登录，请修改密码"),
    "password_expired": ("The password has expired: please change it.", "密码已过期，请修改密码"),
    "password_unsafe": ("The password is not safe: please change it.", "密码不安全，请修改密码"),
    "new_password_unsafe": ("The new password is not safe.", "新密码不安全"),
    "old_password_wrong": ("The old password is wrong.", "原密码错误"),
    "change_token_invalid": (
        "The token to change the password is not valid or has expired.",
        "修改密码的令牌无效或已过期",
    ),
    "password_changed": ("The password is changed.", "密码修改成功"),
    "refreshed": ("Refreshed.", "刷新成功"),
    "logged_out": ("Logged out.", "登出成功"),
    "enrollment_invalid": ("The enrollmentToken is not valid or has expired.", "enrollmentToken 无效或已过期"),
    "key_hint": (
        "The account or the password is wrong (emulator: the password is not encrypted with the emulator's public key).",
        "账号或密码错误（模拟器：密码未使用模拟器的公钥加密）",
    ),
}


def sentence(key: str, lang: str) -> str:
    """Return the sentence *key* in Chinese where *lang* starts with ``zh``, else in English."""
    return in_language(lang, _TEXTS[key])
