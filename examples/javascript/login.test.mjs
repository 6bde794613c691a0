// Run it in CI with: authing-mfa emulator exec -- node --test examples/javascript/login.test.mjs
import assert from "node:assert/strict";
import test from "node:test";

import { Authing, Refused } from "./login.mjs";

const { AUTHING_BASE_URL: baseUrl, AUTHING_APP_ID: appId, AUTHING_USER_POOL_ID: userPoolId } = process.env;
const authing = new Authing({ baseUrl, appId, userPoolId });

async function emulator(path, body) {
  const options = body && { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  return (await fetch(`${baseUrl}/_emulator/${path}`, options)).json();
}

async function challenged(name, phone) {
  const user = await emulator("users", { username: name, password: "secret", phone, mfa: ["OTP"], totp: true });
  await authing.sendSms(phone);
  const [{ code }] = (await emulator(`inbox?to=${phone}&wait=5`)).messages;
  const refused = await authing.loginByPhoneCode(phone, code).catch((error) => error);
  assert.ok(refused instanceof Refused, String(refused));
  return { user, challenge: refused.challenge };
}

test("two users log in at once, each with the own second factor", async () => {
  const both = await Promise.all([challenged("ada", "13800138001"), challenged("bob", "13800138002")]);
  const [ada, bob] = both;
  const { code } = await emulator(`users/${bob.user.id}/totp`);
  const wrong = await authing.verifyByTotp(ada.challenge.mfaToken, code).catch((error) => error);
  assert.equal(wrong.code, 6001);
  for (const { user, challenge } of both) {
    const { code: own } = await emulator(`users/${user.id}/totp`);
    assert.equal((await authing.verifyByTotp(challenge.mfaToken, own)).id, user.id);
  }
});

test("an answer that is lost after the code was spent is not asked for again", async () => {
  const { user, challenge } = await challenged("carl", "13800138003");
  await emulator("faults", { path: "mfa_verify_by_totp", drop: "after", count: 1 });
  const { code } = await emulator(`users/${user.id}/totp`);
  await assert.rejects(authing.verifyByTotp(challenge.mfaToken, code), TypeError);
  assert.equal((await emulator(`verifications?token=${challenge.mfaToken}`)).count, 1);
});
