import { type Account, AccountNotFoundError } from "@settle/sdk";
import { useQuery } from "@tanstack/react-query";
import { keys } from "../live/order-cache.ts";
import { type Client, useClient } from "../session/client.ts";

/** Loads the account; null if there is none yet. */
export async function readAccount({ settle, userId }: Client): Promise<Account | null> {
  try {
    return await settle.payments.getAccount({ userId });
  } catch (error) {
    if (error instanceof AccountNotFoundError) return null;
    throw error;
  }
}

/** Returns the user's account as last loaded; `data` is null if there is none yet. */
export function useAccount() {
  const client = useClient();
  return useQuery({ queryKey: keys.account, queryFn: () => readAccount(client) });
}
