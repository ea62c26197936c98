import { setTimeout as pause } from "node:timers/promises";
import type { User } from "./attack.ts";
import { currency } from "./good-caller.ts";

const depositMinor = 1_000_000_000;
const longOrders = 1_000;
const descriptionCharacters = 1_000;
const concurrency = 16;
const retries = 200;
const retryPauseMs = 250;

/** Opens an account for each user, and deposits more than will be spent. */
export async function openAccounts(port: number, users: readonly User[]): Promise<void> {
  await inLanes(users, async (user) => {
    const { userId } = user;
    await post(port, user, "/gateway/payments/accounts", { userId, currency });
    const amount = { minorUnits: String(depositMinor), currency };
    await post(port, user, `/gateway/payments/accounts/${userId}:deposit`, { amount });
  });
}

/** Places 1,000 orders of 1 kB for the user. */
export async function placeLongOrders(port: number, user: User): Promise<void> {
  const description = "x".repeat(descriptionCharacters);
  const amount = { minorUnits: "1", currency };
  await inLanes(Array.from({ length: longOrders }), async () => {
    await post(port, user, "/gateway/orders", { userId: user.userId, amount, description });
  });
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

/** Posts until it is answered with 200: limits on what a user does in a time are waited for. */
async function post(port: number, user: User, path: string, body: unknown): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { authorization: user.authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status === 200) return;
    if (answer.status !== 429 || tries === retries) {
      throw new Error(`${path}: HTTP ${answer.status} ${text}`);
    }
    const waitS = Number(answer.headers.get("retry-after") ?? 0);
    await pause(waitS * 1_000 || retryPauseMs);
  }
}
