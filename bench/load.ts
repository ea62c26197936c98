import type { Issuer } from "../tools/dev-issuer/issuer.ts";
import type { EdgeClient } from "./edge-client.ts";

const userIdPrefix = "bench-";
const depositMinor = 1_000_000_000_000;
const maxOrderMinor = 100;
const currency = "USD";
const connections = 64;

/** The load on the system; every response other than OK throws. */
export type Load = {
  /** The number of orders accepted so far. */
  readonly accepted: number;
  readonly accountsCreated: number;
  /**
   * Signs a token for each user, used by all of its calls, creates all accounts and deposits more
   * than will be spent.
   */
  createAccounts(): Promise<void>;
  /** Places a small order for a random account and returns its id. */
  placeOrder(): Promise<string>;
};

type User = { readonly userId: string; readonly authorization: string };

/** Creates the load generator. It runs in this process, on the same CPUs as the system. */
export function createLoad(options: {
  readonly edge: EdgeClient;
  readonly issuer: Pick<Issuer, "sign">;
  readonly accounts: number;
}): Load {
  const { edge, issuer, accounts } = options;
  const users: User[] = [];
  let begun = 0;
  let accepted = 0;
  const random = (below: number) => Math.floor(Math.random() * below);
  const post = async (path: string, { authorization }: User, body: unknown): Promise<string> => {
    const answer = await edge.post(path, authorization, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  };
  return {
    get accepted() {
      return accepted;
    },
    get accountsCreated() {
      return begun;
    },
    async createAccounts() {
      const lane = async () => {
        while (begun < accounts) {
          const userId = `${userIdPrefix}${begun}`;
          begun += 1;
          const user = { userId, authorization: `Bearer ${await issuer.sign({ userId })}` };
          users.push(user);
          await post("/gateway/payments/accounts", user, { userId, currency });
          const amount = { minorUnits: String(depositMinor), currency };
          await post(`/gateway/payments/accounts/${userId}:deposit`, user, { amount });
        }
      };
      await Promise.all(Array.from({ length: connections }, lane));
    },
    async placeOrder() {
      const user = users[random(users.length)];
      if (!user) throw new Error("there are no accounts yet");
      const body = await post("/gateway/orders", user, {
        userId: user.userId,
        amount: { minorUnits: String(1 + random(maxOrderMinor)), currency },
        description: "two tickets",
      });
      accepted += 1;
      return /"id":"([0-9a-f-]{36})"/.exec(body)?.[1] ?? "";
    },
  };
}
