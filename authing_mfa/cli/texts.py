"""The texts of the command line, in English and Chinese. Help pages are in English only."""

from __future__ import annotations

from typing import Final, Protocol

from authing_mfa._language import in_language

__all__ = ["TEXTS", "Say", "say"]


class Say(Protocol):
    """Makes the sentence *key* in one language."""

    def __call__(self, key: str, **fields: object) -> str:
        """The sentence *key* with its *fields* filled in."""
        ...


def say(key: str, lang: str, **fields: object) -> str:
    """Return the sentence *key*: Chinese where *lang* starts with ``zh``, else English."""
    return in_language(lang, TEXTS[key]).format(**fields)


TEXTS: Final[dict[str, tuple[str, str]]] = {
    # names of values that a prompt asks for
    "token": ("Token", "令牌"),
    "password": ("Password", "密码"),
    "new_password": ("New password", "新密码"),
    "new_password_again": ("New password, again", "再次输入新密码"),
    "captcha": ("Text in the picture", "图中文字"),
    "mfa_token": ("mfaToken", "mfaToken"),
    "code": ("Code", "验证码"),
    "totp_secret": ("TOTP secret or otpauth:// address", "TOTP 密钥或 otpauth:// 地址"),
    "recovery": ("Recovery code", "恢复代码"),
    "account": ("Account (user name, phone or e-mail)", "账号（用户名、手机号或邮箱）"),
    "country": ("Country code of the phone, for example +44 (empty: +86)", "手机号的国家码，例如 +44（留空：+86）"),
    "phone": ("Phone number", "手机号"),
    "email": ("E-mail address", "邮箱"),
    "photo": ("Photo file", "照片文件"),
    "second_photo": ("Second photo file", "第二张照片文件"),
    "factor": ("Factor", "因素"),
    "choose_factor": ("Choose a factor", "请选择因素"),
    "app_id": ("application id", "应用 ID"),
    # missing values
    "empty_stdin": (
        "{what}: {option} was given, but stdin has no line for it.",
        "{what}：已指定 {option}，但标准输入中没有该行。",
    ),
    "unreadable": (
        "{what} cannot be read from standard input: {reason}.",
        "无法从标准输入读取{what}：{reason}。",
    ),
    "not_text": (
        "{what} cannot be read: what came is not text in the encoding of this locale.",
        "无法读取{what}：输入的内容不符合当前区域设置的编码。",
    ),
    "no_secret": (
        "{what} is missing, and there is no terminal to ask on: use {option}, or set {env}.",
        "需要{what}，但没有可供输入的终端：请使用 {option}，或设置 {env}。",
    ),
    "no_text": (
        "{what} is missing, and there is no terminal to ask on: use {how}.",
        "需要{what}，但没有可供输入的终端：请使用 {how}。",
    ),
    "no_app_id": (
        "The application id is missing. Give --app-id, set AUTHING_APP_ID, or run: authing-mfa config set app_id ID",
        "缺少应用 ID。请使用 --app-id，设置 AUTHING_APP_ID，或运行：authing-mfa config set app_id ID",
    ),
    "never_argv": (
        "There is no {option} option: every user of the machine can read a command line. Use {option}-stdin or the prompt.",
        "没有 {option} 选项：命令行参数对本机所有用户可见。请使用 {option}-stdin 或交互输入。",
    ),
    "too_many_arguments": (
        "Too many arguments: {count} more than this command takes (not shown: one may be a secret). No secret is an argument.",
        "参数过多：比该命令接受的多 {count} 个（不予显示，其中可能含有机密）。机密信息不能作为参数。",
    ),
    # the stored login
    "token_file": (
        "Warning: no keyring can be used, so the token is stored in {path} (mode 0600: only you can read it).",
        "警告：没有可用的系统钥匙串，令牌保存在 {path}（权限 0600，仅您可读）。",
    ),
    "token_file_open": (
        "Warning: other users can read {path}. Run: chmod 600 {path}",
        "警告：{path} 可被其他用户读取。请运行：chmod 600 {path}",
    ),
    "token_file_unreadable": (
        "Warning: the stored token cannot be read: {path}: {reason}",
        "警告：无法读取保存的令牌：{path}：{reason}",
    ),
    "not_kept": ("Warning: the token could not be stored: {reason}", "警告：令牌无法保存：{reason}"),
    "env_wins": (
        "Warning: AUTHING_TOKEN is set; it overrides the token that was stored just now.",
        "警告：已设置 AUTHING_TOKEN，它优先于刚刚保存的令牌。",
    ),
    "kept": (
        "The token is stored in the keyring; the next commands use it.",
        "令牌已保存于系统钥匙串，后续命令将使用它。",
    ),
    "forgotten": ("Logged out: the token is deleted.", "已退出登录：令牌已删除。"),
    "nothing_kept": ("There was no stored token.", "没有已保存的令牌。"),
    # outcomes
    "logged_in": ("{name} is logged in.", "{name} 已登录。"),
    "bound": ("Bound. {name} is logged in.", "绑定成功，{name} 已登录。"),
    "free": ("{what} can be bound for MFA.", "{what} 可以绑定用于 MFA。"),
    "taken": (
        "{what} may not be used for MFA: it is bound already. Use another phone or address.",
        "{what} 不能用于 MFA：已被绑定。请换一个。",
    ),
    "sms_sent": (
        "A code was sent to {to}. Next: authing-mfa verify sms",
        "验证码已发送至 {to}。下一步：authing-mfa verify sms",
    ),
    "email_sent": (
        "A code was sent to {to}. Next: authing-mfa verify email",
        "验证码已发送至 {to}。下一步：authing-mfa verify email",
    ),
    "sent": ("A code was sent to {to}.", "验证码已发送至 {to}。"),
    "new_recovery": (
        "This is the NEW recovery code; the old one is void. Keep it in a safe place.",
        "这是新的恢复代码，旧代码已失效。请妥善保管。",
    ),
    "recovery_awaited": (
        "Waiting for the new recovery code. Ctrl-C again ends the command without it.",
        "正在等待新的恢复代码。再按一次 Ctrl-C 将不再等待，直接结束命令。",
    ),
    "recovery_saved": (
        "The new recovery code could not be shown. It is in {path} (mode 0600: only you can read it).",
        "新的恢复代码未能显示。它保存在 {path} 中（权限 0600，仅您可读）。",
    ),
    "recovery_unsaved": (
        "The new recovery code could not be shown or stored: {code}",
        "新的恢复代码未能显示，也未能保存：{code}",
    ),
    "output_lost": ("The output cannot be written: {reason}.", "无法写入输出：{reason}。"),
    "png_unwritten": (
        "The QR code cannot be written to {path}: {reason}. The secret and the recovery code are in the output.",
        "无法将二维码写入 {path}：{reason}。密钥和恢复代码已在输出中显示。",
    ),
    "enrolled": (
        "Scan the QR code with an authenticator app and keep the recovery code. TOTP is not bound yet. Next: authing-mfa totp confirm",
        "请用验证器应用扫描二维码，并保存恢复代码。TOTP 尚未绑定。下一步：authing-mfa totp confirm",
    ),
    "keep_recovery": ("Keep the recovery code:", "请保存恢复代码："),
    "confirmed": ("TOTP is bound.", "TOTP 已绑定。"),
    "confirmed_next": (
        "TOTP is bound. Next: authing-mfa verify totp (the same code is valid once more).",
        "TOTP 已绑定。下一步：authing-mfa verify totp（同一验证码可再使用一次）。",
    ),
    "unbound": ("{what} is unbound.", "{what} 已解绑。"),
    "factor_added": ("{kind} is enrolled.", "{kind} 已绑定。"),
    "can_enroll": (
        "Can be enrolled: {types}. Next: authing-mfa factors add TYPE",
        "可绑定：{types}。下一步：authing-mfa factors add TYPE",
    ),
    "all_enrolled": ("There is no other factor to enroll.", "没有其他可绑定的因素。"),
    "no_such_factor": (
        "You have no factor {factor}. List them with: authing-mfa factors list",
        "您没有因素 {factor}。请用此命令列出：authing-mfa factors list",
    ),
    "no_authenticators": ("No authenticator is bound.", "尚未绑定验证器。"),
    "seconds_left": ("Valid for {seconds} s more.", "还有 {seconds} 秒有效。"),
    "uploaded": (
        "Uploaded. Use the key with: authing-mfa face bind, face verify",
        "上传成功。该 key 可用于：authing-mfa face bind、face verify",
    ),
    "set": ("{name} of profile {profile} is set.", "配置档 {profile} 的 {name} 已设置。"),
    "unset": ("{name} of profile {profile} is removed.", "配置档 {profile} 的 {name} 已移除。"),
    # captcha and new password
    "captcha_picture": (
        "The service asks for a captcha ({code}). Open this picture and type its text: {path}",
        "需要图形验证码（{code}）。请打开此图片并输入其中文字：{path}",
    ),
    "captcha_unwritten": (
        "The picture of the captcha cannot be written to a file: {reason}.",
        "无法将图形验证码的图片写入文件：{reason}。",
    ),
    "password_change": (
        "The password must be changed before you can log in ({code}): {message}.",
        "登录前必须修改密码（{code}）：{message}。",
    ),
    "password_weak": (
        "The new password is not safe enough ({code}). Choose another one.",
        "新密码不够安全（{code}）。请换一个。",
    ),
    "passwords_differ": ("The two passwords are not the same. Type them again.", "两次输入的密码不一致。请重新输入。"),
    "password_changed": ("The password is changed.", "密码已修改。"),
    # the session
    "refreshed": ("The token is renewed.", "令牌已更新。"),
    "logout_not_told": (
        "Warning: the service could not be told; the token stays valid there until it expires. {reason}",
        "警告：未能通知服务，令牌在过期前仍然有效。{reason}",
    ),
    "code_right": ("The code is right.", "验证码正确。"),
    "code_wrong": ("The code is wrong. Wait for the next one.", "验证码错误。请等待下一个。"),
    "token_active": ("The mfaToken is valid.", "mfaToken 有效。"),
    "token_inactive": ("The mfaToken is not valid, or not any more.", "mfaToken 无效，或已失效。"),
    # the interactive journey
    "challenge": ("A second factor is needed ({code}). Allowed factors:", "需要第二因素（{code}）。可用的因素："),
    "no_challenge": ("No second factor is needed.", "不需要第二因素。"),
    "by_sms": ("SMS to {to}", "短信至 {to}"),
    "by_sms_bind": ("SMS, to a phone that you bind now", "短信，现在绑定手机号"),
    "by_email": ("E-mail to {to}", "邮件至 {to}"),
    "by_email_bind": ("E-mail, to an address that you bind now", "邮件，现在绑定邮箱"),
    "by_totp": ("Authenticator app", "验证器应用"),
    "by_totp_bind": ("Authenticator app (you bind it now)", "验证器应用，现在绑定"),
    "by_recovery": ("Recovery code", "恢复代码"),
    "by_face": ("Face photo", "人脸照片"),
    "by_face_bind": ("Face photos (you bind the face now)", "人脸照片，现在绑定"),
    "not_allowed": (
        "The challenge does not allow {factor}. Allowed: {allowed}.",
        "不允许使用 {factor}。可用：{allowed}。",
    ),
    "again": (
        "The code is wrong ({code}). Tries left: {left}.",
        "验证码错误（{code}）。请重试（还可尝试 {left} 次）。",
    ),
    "demo_done": ("All {count} steps had the expected result.", "全部 {count} 步均符合预期。"),
    "demo_next": (
        "Next: run `authing-mfa emulator`, open the address that it prints in a browser, and see the codes arrive there.",
        "下一步：运行 `authing-mfa emulator`，在浏览器中打开它输出的地址，查看收到的验证码。",
    ),
    "interrupted": ("Interrupted.", "已中断。"),
}
