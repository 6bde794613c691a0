// A log-in page's own code: it speaks to the service, or to the emulator, and knows nothing of either but the address.
// Nothing here is Python's: a front end is developed and tested against the emulator as it is.

export class Refused extends Error {
  constructor(answer) {
    super(answer.message);
    this.code = answer.code; // decide by the code, never by the message
    this.challenge = answer.code === 1636 || answer.code === 1635 ? answer.data : null;
  }
}

export class Authing {
  constructor({ baseUrl, appId, userPoolId }) {
    this.baseUrl = baseUrl;
    this.headers = {
      "Content-Type": "application/json",
      "x-authing-app-id": appId,
      "x-authing-userpool-id": userPoolId,
    };
  }

  async call(path, body, token) {
    const headers = token ? { ...this.headers, Authorization: `Bearer ${token}` } : this.headers;
    const response = await fetch(this.baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (answer.code !== 200) throw new Refused(answer);
    return answer.data;
  }

  sendSms(phone) {
    return this.call("/api/v2/sms/send", { phone });
  }

  loginByPhoneCode(phone, code) {
    return this.call("/api/v2/login/phone-code", { phone, code });
  }

  verifyByTotp(mfaToken, totp) {
    return this.call("/api/v2/mfa/totp/verify", { totp }, mfaToken);
  }
}
