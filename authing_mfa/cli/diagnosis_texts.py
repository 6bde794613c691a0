"""The texts of `doctor`, in English and Chinese."""

from __future__ import annotations

from typing import Final

__all__ = ["DIAGNOSIS_TEXTS"]

DIAGNOSIS_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "library_missing": ("{name} is not installed", "未安装 {name}"),
    "install": ("pip install {name}", "pip install {name}"),
    "asking": ("application {app_id}, service {base}", "应用 {app_id}，服务 {base}"),
    "app_missing": ("the application id is missing", "缺少应用 ID"),
    "see_list": ("See where the value comes from: authing-mfa config list", "查看其来源：authing-mfa config list"),
    "proxied": (
        "the proxy of the environment is used for {host} and resolves the name",
        "环境中的代理将用于访问 {host}，由代理解析域名",
    ),
    "resolved": ("{host} has the address {addresses}", "{host} 的地址为 {addresses}"),
    "unresolved": ("{host} cannot be resolved: {reason}", "无法解析 {host}：{reason}"),
    "fix_name": (
        "Check the spelling of --host or --base-url, and this machine's network and DNS.",
        "请检查 --host 或 --base-url 的拼写，以及本机的网络和 DNS。",
    ),
    "plain": ("{where} answers in {ms} ms; without TLS", "{where} 在 {ms} 毫秒内响应；未使用 TLS"),
    "secure": (
        "{where} answers in {ms} ms; {version}, certificate valid for {days} days",
        "{where} 在 {ms} 毫秒内响应；{version}，证书剩余 {days} 天",
    ),
    "fix_renew": ("Ask the service's administrator to renew the certificate.", "请服务管理员更新证书。"),
    "untrusted": ("the certificate of {host} is not trusted: {reason}", "{host} 的证书不受信任：{reason}"),
    "fix_trust": (
        "If the service uses a private authority, or a proxy inspects the traffic, give its certificate: --ca-file FILE",
        "若服务使用私有 CA，或有代理检查流量，请指定其证书：--ca-file FILE",
    ),
    "no_tls": ("{where}: {reason}", "{where}：{reason}"),
    "fix_tls": (
        "Check that the port speaks TLS, or give --scheme http.",
        "请确认该端口使用 TLS，或使用 --scheme http。",
    ),
    "unreachable": ("{where} cannot be reached: {reason}", "无法连接 {where}：{reason}"),
    "fix_reach": (
        "Check the address and the firewall. Check that the service (or the emulator) runs.",
        "请检查地址和防火墙，以及服务（或模拟器）是否在运行。",
    ),
    "ca_unreadable": ("ca_file cannot be read: {reason}", "无法读取 ca_file：{reason}"),
    "fix_ca": ("Give a PEM file with --ca-file.", "请用 --ca-file 指定 PEM 文件。"),
    "no_answer": ("no answer: {reason}", "没有响应：{reason}"),
    "fix_answer": (
        "Check the network and the proxy settings of the environment.",
        "请检查网络和环境中的代理设置。",
    ),
    "foreign": ("the answer (HTTP {status}) does not come from the service", "响应（HTTP {status}）不是来自该服务"),
    "fix_foreign": (
        "Another program answers at this address: check --host, --base-url and the proxy.",
        "该地址上响应的是另一个程序：请检查 --host、--base-url 和代理。",
    ),
    "refused": ("refused ({code}): {message}", "被拒绝（{code}）：{message}"),
    "fix_app_id": (
        "Check --app-id: the service's console shows it on the application's page.",
        "请检查 --app-id：可在服务控制台的应用页面找到。",
    ),
    "config_found": ("application {name!r}, user pool {pool}", "应用 {name!r}，用户池 {pool}"),
    "other_pool": (
        "user_pool_id is {pool}, but the application belongs to another user pool",
        "user_pool_id 为 {pool}，但应用属于另一个用户池",
    ),
    "fix_pool": ("Give --user-pool-id {pool}", "请使用 --user-pool-id {pool}"),
    "bad_api": ("public-config names an invalid host", "public-config 中的主机名无效"),
    "fix_api": ("Ask the administrator of the service.", "请联系服务管理员。"),
    "key_ok": ("passwords are encrypted for the service's own key", "密码使用服务自身的公钥加密"),
    "other_key": (
        "public_key is not the key of this service: logins with a password will be refused",
        "public_key 不是该服务的公钥：密码登录会被拒绝",
    ),
    "cloud_key": (
        "passwords are encrypted for the cloud's key, but this service has another key",
        "密码使用云端公钥加密，但该服务有自己的公钥",
    ),
    "fix_key": ("Set AUTHING_PUBLIC_KEY={key}", "请设置 AUTHING_PUBLIC_KEY={key}"),
    "api": ("calls go to {api}", "调用将发往 {api}"),
    "no_time": ("the service's answer has no time", "服务的响应中没有时间"),
    "clock_ok": ("this machine's clock and the service's agree", "本机时钟与服务一致"),
    "clock_ahead": ("this machine is {seconds} s ahead of the service", "本机时钟比服务快 {seconds} 秒"),
    "clock_behind": ("this machine is {seconds} s behind the service", "本机时钟比服务慢 {seconds} 秒"),
    "fix_clock": (
        "Set this machine's clock (NTP). Otherwise TOTP codes that it computes are wrong.",
        "请校准本机时钟（NTP），否则本机计算的 TOTP 验证码会出错。",
    ),
    "no_token": ("there is no stored token", "没有已保存的令牌"),
    "fix_no_token": ("Log in: authing-mfa login, or authing-mfa mfa", "请登录：authing-mfa login 或 authing-mfa mfa"),
    "token_of": ("stored for {account}", "已为 {account} 保存"),
    "token_expired": ("{where}: expired", "{where}：已过期"),
    "fix_expired": ("Log in again: authing-mfa login", "请重新登录：authing-mfa login"),
    "token_good": ("{where}, valid for {left} more", "{where}，剩余有效期 {left}"),
    "token_mfa": ("{where}: an mfaToken", "{where}：mfaToken"),
    "fix_mfa": ("Pass the second factor: authing-mfa verify", "请通过第二因素：authing-mfa verify"),
}
