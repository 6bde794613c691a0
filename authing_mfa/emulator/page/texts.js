// The page's words, English and Chinese side by side. One table, and therefore a long file.

const TEXTS = {
  title: ["Authing emulator", "Authing 模拟器"],
  skip: ["Skip to the content", "跳到正文"],
  tabs: ["Views", "视图"],
  tab_inbox: ["Inbox", "收件箱"],
  tab_users: ["Users", "用户"],
  tab_requests: ["Requests", "请求"],
  tab_faults: ["Faults", "故障"],
  tab_controls: ["Controls", "控制"],
  live: ["Live", "实时"],
  connecting: ["Connecting", "连接中"],
  lost: ["Reconnecting", "重新连接中"],
  language_label: ["切换到中文", "Switch to English"],
  language_short: ["中文", "EN"],
  theme_auto: ["Theme: as the system", "主题：跟随系统"],
  theme_light: ["Theme: light", "主题：浅色"],
  theme_dark: ["Theme: dark", "主题：深色"],
  copy: ["Copy", "复制"],
  copy_code: ["Copy the code", "复制验证码"],
  copied: ["Copied", "已复制"],
  cancel: ["Cancel", "取消"],
  done: ["Done", "完成"],
  add: ["Add", "添加"],
  now: ["just now", "刚刚"],
  ago_seconds: ["{n} s ago", "{n} 秒前"],
  ago_minutes: ["{n} min ago", "{n} 分钟前"],
  ago_hours: ["{n} h ago", "{n} 小时前"],
  ago_days: ["{n} d ago", "{n} 天前"],

  inbox_filter: ["Filter by recipient", "按收件人筛选"],
  channel: ["Channel", "渠道"],
  all: ["All", "全部"],
  sms: ["SMS", "短信"],
  email_short: ["E-mail", "邮件"],
  newest_code: ["Newest code", "最新验证码"],
  to: ["to", "发送至"],
  replaced: ["replaced", "已被替换"],
  replaced_hint: [
    "A newer code was sent to the same recipient; this one no longer works.",
    "已向同一收件人发送更新的验证码，此验证码已失效。",
  ],
  inbox_empty: ["Nothing here yet", "还没有消息"],
  inbox_empty_hint: [
    "When your app asks for a code by SMS or e‑mail, it shows up here at once. Point the app at this emulator, or send a test code.",
    "您的应用请求短信或邮件验证码时，验证码会立即显示在这里。请将应用指向本模拟器，或发送一条测试验证码。",
  ],
  inbox_no_match: ["No message matches", "没有匹配的消息"],
  inbox_no_match_hint: [
    "Change the filter above; codes keep arriving in the background.",
    "请修改上方的筛选条件；新的验证码仍会在后台到达。",
  ],
  connect: ["Connect your app", "连接您的应用"],
  connect_hint: ["Give your client these instead of the real service's.", "在客户端中用以下参数代替真实服务。"],
  base_url: ["Base URL", "服务地址"],
  app_id: ["App ID", "应用 ID"],
  user_pool: ["User pool", "用户池"],
  public_key: ["Public key", "公钥"],
  send_title: ["Send a test code", "发送测试验证码"],
  send_to: ["Phone or e-mail address", "手机号或邮箱"],
  send_fixed: ["Always this code (optional)", "固定验证码（可选）"],
  send_random: ["random", "随机"],
  send_button: ["Send", "发送"],
  send_missing: ["Say whom to send it to.", "请填写收件人。"],

  users_filter: ["Find by name, phone, address or id", "按用户名、手机号、邮箱或 ID 查找"],
  add_user: ["Add user", "添加用户"],
  users_empty: ["No users yet", "还没有用户"],
  users_empty_hint: [
    "Add one here, or in a test with add_user(…). A user may log in with the name, the phone or the e-mail address.",
    "在此添加，或在测试中调用 add_user(…)。用户可用用户名、手机号或邮箱登录。",
  ],
  users_no_match: ["Nobody matches", "没有匹配的用户"],
  users_more: ["Show more ({n} left)", "显示更多（还有 {n} 个）"],
  username: ["User name", "用户名"],
  password: ["Password", "密码"],
  phone: ["Phone", "手机号"],
  email: ["E-mail", "邮箱"],
  mfa_asked: ["Second factors asked of this user", "要求该用户通过的第二因素"],
  factor_SMS: ["SMS", "短信"],
  factor_EMAIL: ["E-mail", "邮件"],
  factor_OTP: ["Authenticator", "验证器"],
  factor_FACE: ["Face", "人脸"],
  factor_bound: ["bound", "已绑定"],
  factor_unbound: ["asked for, not bound yet", "已要求，尚未绑定"],
  factor_own: ["bound by the user", "用户自行绑定"],
  no_factors: ["No second factor", "没有第二因素"],
  bind_totp: ["Bind an authenticator app now", "立即绑定验证器应用"],
  locked: ["locked", "已锁定"],
  qr_show: ["Show {name}'s QR code large", "放大显示 {name} 的二维码"],
  qr_alt: ["QR code for {name}'s authenticator app", "{name} 的验证器应用二维码"],
  qr_hint: [
    "Scan it with an authenticator app. It shows the same codes as this page while the emulator's clock is the real one.",
    "用验证器应用扫描。只要模拟器时钟与真实时间一致，显示的验证码便与本页相同。",
  ],
  copy_uri: ["Copy the otpauth address", "复制 otpauth 地址"],
  totp_now: ["Code now", "当前验证码"],
  seconds_left: ["{n} s", "{n} 秒"],
  recovery: ["Recovery code", "恢复代码"],
  mfa_token: ["mfaToken", "mfaToken"],
  copy_mfa_token: ["Copy a new mfaToken of {name}", "复制 {name} 的新 mfaToken"],
  copy_recovery: ["Copy the recovery code of {name}", "复制 {name} 的恢复代码"],
  name_missing: ["The user name cannot be removed.", "用户名不能删除。"],
  user_missing: ["A user needs a name and a password.", "请填写用户名和密码。"],
  user_added: ["{name} was added", "已添加 {name}"],
  user_changed: ["{name} was changed", "已修改 {name}"],
  user_deleted: ["{name} was deleted", "已删除 {name}"],
  edit: ["Edit", "编辑"],
  edit_user: ["Edit user", "编辑用户"],
  save: ["Save", "保存"],
  lock: ["Lock", "锁定"],
  unlock: ["Unlock", "解锁"],
  delete: ["Delete", "删除"],
  delete_sure: ["Delete {name}?", "删除 {name}？"],
  delete_hint: [
    "The user's tokens are refused from then on. The name, phone and address become free.",
    "该用户的令牌将立即失效，用户名、手机号和邮箱可重新使用。",
  ],
  password_unchanged: ["unchanged", "不修改"],
  bound_now: ["Bound now", "已绑定"],
  unbind: ["Unbind {factor}", "解绑{factor}"],

  requests_filter: ["Filter by path, operation or code", "按路径、操作或代码筛选"],
  requests_failed: ["Only refusals and faults", "仅显示拒绝与故障"],
  requests_empty: ["No requests yet", "还没有请求"],
  requests_empty_hint: [
    "Every call of your app is listed here with its time, its code and the exact JSON both ways. Try:",
    "应用的每次调用都会列在这里，包含时间、代码，以及请求和响应的完整 JSON。试试：",
  ],
  requests_no_match: ["No request matches", "没有匹配的请求"],
  request: ["Request", "请求"],
  answer: ["Answer", "响应"],
  no_json: ["No JSON body", "无 JSON 内容"],
  bytes_not_shown: ["{n} bytes: not JSON, or too large to be kept", "{n} 字节：不是 JSON，或过大未保留"],
  dropped: ["dropped", "已断开"],
  fault_of: ["fault {id}", "故障 {id}"],
  ms: ["{n} ms", "{n} 毫秒"],

  faults_title: ["What goes wrong", "故障规则"],
  faults_empty: ["Everything works", "一切正常"],
  faults_empty_hint: [
    "No rule is set. Pick one below, or write your own, and see what your app does.",
    "尚无规则。从下方选择或自定义一条，看看应用如何应对。",
  ],
  faults_clear: ["Delete all", "全部删除"],
  presets: ["With one click", "一键添加"],
  preset_drop: ["Lose the next answer", "丢失下一个响应"],
  preset_drop_hint: ["The service acts, then the connection breaks.", "服务已处理，但连接随即断开。"],
  preset_slow: ["Everything 2 s slower", "全部变慢 2 秒"],
  preset_slow_hint: ["To see spinners and time-outs.", "用于观察加载状态与超时。"],
  preset_half: ["Half of the calls fail", "一半请求失败"],
  preset_half_hint: ["HTTP 503, at random.", "随机返回 HTTP 503。"],
  preset_limit: ["Too many requests", "请求过于频繁"],
  preset_limit_hint: ["Once: HTTP 429 with Retry-After 5.", "一次：HTTP 429，Retry-After 5。"],
  preset_html: ["An HTML error page", "HTML 错误页"],
  preset_html_hint: ["Once: HTTP 502 and no JSON.", "一次：HTTP 502，且不是 JSON。"],
  preset_reset: ["Reset before acting", "处理前重置连接"],
  preset_reset_hint: ["Once: a TCP reset, nothing happened.", "一次：TCP 重置，服务未处理。"],
  fault_new: ["A rule of your own", "自定义规则"],
  fault_when: ["When", "条件"],
  fault_then: ["Then", "效果"],
  fault_path: ["Operation or path", "操作或路径"],
  fault_every: ["every call", "所有调用"],
  fault_user: ["User name or id", "用户名或 ID"],
  fault_anybody: ["anybody", "任何用户"],
  fault_nth: ["From call no.", "从第几次起"],
  fault_share: ["Share, %", "比例 %"],
  fault_count: ["How often", "次数"],
  fault_effect: ["Effect", "效果"],
  fault_add: ["Add rule", "添加规则"],
  fault_delete: ["Delete rule {id}", "删除规则 {id}"],
  fault_counts: ["matched {matched}, fired {fired}", "匹配 {matched} 次，触发 {fired} 次"],
  effect_refuse: ["Refuse with a code", "以代码拒绝"],
  effect_limit: ["429 with Retry-After", "429 与 Retry-After"],
  effect_latency: ["Wait first", "先等待"],
  effect_lognormal: ["Wait, log-normal", "等待（对数正态）"],
  effect_drop: ["Close the connection", "断开连接"],
  effect_reset: ["TCP reset", "TCP 重置"],
  effect_body: ["Spoil the answer", "破坏响应"],
  effect_slow_body: ["Dribble the answer", "缓慢返回响应"],
  d_status: ["HTTP status", "HTTP 状态"],
  d_code: ["Envelope code", "正文中的代码"],
  d_message: ["Message", "消息"],
  d_seconds: ["Seconds", "秒"],
  d_mu: ["μ (of ln seconds)", "μ（秒的对数）"],
  d_sigma: ["σ", "σ"],
  d_moment: ["When", "时机"],
  moment_before: ["before the service acts", "服务处理之前"],
  moment_after: ["after the service acted", "服务处理之后"],
  d_how: ["How", "方式"],
  body_truncated: ["cut off half-way", "中途截断"],
  body_malformed: ["malformed JSON", "损坏的 JSON"],
  body_html: ["an HTML page", "HTML 页面"],
  body_empty: ["empty", "空内容"],
  say_status: ["HTTP {n}", "HTTP {n}"],
  say_code: ["code {n}", "代码 {n}"],
  say_latency: ["{n} s slower", "慢 {n} 秒"],
  say_lognormal: ["slower, log-normal μ {mu}, σ {sigma}", "变慢，对数正态 μ {mu}，σ {sigma}"],
  say_limit: ["429, Retry-After {n} s", "429，{n} 秒后重试"],
  say_drop: ["connection closed {moment}", "{moment}断开连接"],
  say_reset: ["TCP reset {moment}", "{moment}重置 TCP"],
  say_body: ["answer: {how}", "响应：{how}"],
  say_slow_body: ["answer over {n} s", "响应历时 {n} 秒"],
  say_nth: ["from call {n}", "从第 {n} 次起"],
  say_share: ["{n} %", "{n} %"],
  say_once: ["once", "一次"],
  say_times: ["{n} times", "{n} 次"],
  say_user: ["user {name}", "用户 {name}"],

  clock_title: ["The emulator's clock", "模拟器时钟"],
  clock_hint: [
    "Codes, tokens, lock-outs and authenticator codes all read it. Move it instead of waiting.",
    "短信和邮件验证码、令牌、锁定、验证器应用的验证码都以它为准。拨动它，无需等待。",
  ],
  clock_by: ["Move by seconds", "拨动秒数"],
  clock_move: ["Move", "拨动"],
  clock_reset: ["Back to real time", "恢复真实时间"],
  clock_real: ["real time", "真实时间"],
  clock_missing: ["Say by how many seconds.", "请填写秒数。"],
  step_30: ["+30 s", "+30 秒"],
  step_61: ["+61 s", "+61 秒"],
  step_361: ["+6 min", "+6 分钟"],
  step_3600: ["+1 h", "+1 小时"],
  step_86400: ["+1 d", "+1 天"],
  step_30_hint: ["the next authenticator code", "验证器应用的下一个验证码"],
  step_61_hint: ["a code may be sent again", "可再次发送验证码"],
  step_361_hint: ["mfaTokens and codes expire", "mfaToken 与验证码过期"],
  step_3600_hint: ["lock-outs end", "锁定解除"],
  step_86400_hint: ["tomorrow", "明天"],
  reset_title: ["Start over", "重新开始"],
  reset_hint: [
    "Users, messages, requests, faults and the clock go back to how the emulator started, seed file included.",
    "用户、消息、请求、故障和时钟都将恢复到启动时的状态（包括种子文件）。",
  ],
  reset_button: ["Reset the emulator", "重置模拟器"],
  reset_sure: ["Forget everything?", "清空全部数据？"],
  reset_yes: ["Reset", "重置"],
  reset_done: ["Everything is back to the start", "已恢复初始状态"],
  face_title: ["Faces", "人脸"],
  face_what: ["Which photos show the same face?", "哪些照片算同一张脸？"],
  face_same_picture: ["The same picture", "同一张图片"],
  face_any: ["Any photo", "任意照片"],
  face_none: ["No photo", "全部拒绝"],
  face_same_picture_hint: [
    "Pictures are compared, faces are not recognized: a photo matches a copy of itself only.",
    "只比较图片，不识别人脸：照片仅与自身的副本匹配。",
  ],
  face_any_hint: ["Every photo passes, so that a live camera can be used.", "任何照片都会通过，便于使用真实摄像头测试。"],
  face_none_hint: ["Every photo is refused: the application must handle it.", "所有照片都会被拒绝：应用必须处理这种情况。"],
  photos_title: ["Uploaded photos", "已上传的照片"],
  photos_hint: ["As the service received them, newest first.", "服务收到的原图，最新在前。"],
  photos_empty: ["No photo was uploaded yet.", "尚未上传照片。"],
  photos_more: ["{n} older ones are not shown.", "另有 {n} 张较早的照片未显示。"],
  photo_alt: ["Uploaded photo {name}", "已上传的照片 {name}"],
  photo_private: ["private", "私有"],
  photo_gone: ["too old: no longer kept", "过旧，已不再保留"],
  no_picture: ["cannot be read as a picture", "无法识别为图片"],
  copy_key: ["Copy the photo key of {name}", "复制 {name} 的照片 key"],
  keys_title: ["Keys", "快捷键"],
  key_tabs: ["Switch views", "切换视图"],
  key_filter: ["Filter", "筛选"],
  key_copy: ["Copy the newest code", "复制最新验证码"],
  namespace: ["namespace {name}", "命名空间 {name}"],
};

let column = 0;

export const language = () => (column === 0 ? "en" : "zh");

/** The text *key* in the chosen language, `{name}` replaced from *values*. */
export function t(key, values = {}) {
  const text = TEXTS[key][column];
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage is forbidden: the choice is valid for this visit
  }
}

export function startLanguage() {
  const wanted = remembered("language") ?? navigator.language ?? "en";
  column = wanted.toLowerCase().startsWith("zh") ? 1 : 0;
  translatePage();
}

export function switchLanguage() {
  column = 1 - column;
  remember("language", language());
  translatePage();
}

/** Translate the texts of index.html. */
function translatePage() {
  document.documentElement.lang = column === 0 ? "en" : "zh-CN";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]"))
    node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}

/** The time from *at* to *now* (both epoch seconds), in words. */
export function ago(at, now) {
  const seconds = Math.max(now - at, 0);
  if (seconds < 5) return t("now");
  if (seconds < 60) return t("ago_seconds", { n: Math.floor(seconds) });
  if (seconds < 3600) return t("ago_minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86400) return t("ago_hours", { n: Math.floor(seconds / 3600) });
  return t("ago_days", { n: Math.floor(seconds / 86400) });
}

export const timeOfDay = (epoch, options = {}) =>
  new Date(epoch * 1000).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...options,
  });

export const dayOf = (epoch) =>
  new Date(epoch * 1000).toLocaleDateString(document.documentElement.lang, {
    weekday: "short",
    year: "numeric",
    month: "short",
    day: "numeric",
  });
