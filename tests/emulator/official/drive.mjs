// Calls methods of one of the service's own clients as told, one JSON object a line: {"new": options} or {"call": "mfa.x", "args": […]}.
// argv: the folder with node_modules, the package. Answers {"value": …} or {"error": {code, message, data, status}}.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { AuthenticationClient } = createRequire(`${process.argv[2]}/`)(process.argv[3]);
let client = null;

async function run(order) {
  if (order.methods) return Object.getOwnPropertyNames(Object.getPrototypeOf(client.mfa ?? client));
  if (order.new) {
    client = new AuthenticationClient(order.new);
    return null;
  }
  const path = order.call.split(".");
  const name = path.pop();
  const owner = path.reduce((object, part) => object[part], client);
  return owner[name](...order.args);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { value: (await run(JSON.parse(line))) ?? null };
  } catch (error) {
    answer = {
      error: {
        code: error.code ?? null,
        message: error.message ?? String(error),
        data: error.data ?? null,
        status: error.response?.status ?? null,
      },
    };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
