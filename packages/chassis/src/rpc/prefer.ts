import type { HandlerContext } from "@connectrpc/connect";
import { refuseFields } from "../contract/errors.ts";

const preferHeader = "prefer";
const appliedHeader = "preference-applied";
const wait = /(?:^|[,;\s])wait *= *"?(\d{1,20})"?(?=$|[,;\s])/i;
const longestWaitS = 10;
/** How much of a call's time is reserved for the answer itself. */
const marginMs = 250;

/**
 * Reads `Prefer: wait=5` (RFC 7240; header or metadata), sets the response header that it was
 * applied, and returns the time to wait in milliseconds: at most ten seconds, and less if the call
 * has less time. Returns 0 without a preference, and for one that is not understood, which is not
 * an error. Refuses two preferences to wait, perhaps in two headers, with VALIDATION_FAILED. Unless
 * the caller `mayWait`, the preference is ignored.
 */
export function preferredWaitMs(
  {
    requestHeader,
    responseHeader,
    timeoutMs,
  }: Pick<HandlerContext, "requestHeader" | "responseHeader" | "timeoutMs">,
  mayWait = true,
): number {
  const preferences = requestHeader.get(preferHeader);
  const [, seconds] = wait.exec(preferences ?? "") ?? [];
  if ((preferences?.match(/(?:^|[,;\s])wait *=/gi)?.length ?? 0) > 1) {
    throw refuseFields([{ field: preferHeader, description: "must contain wait only once" }]);
  }
  const waitS = Math.min(Number(seconds ?? 0), longestWaitS);
  if (waitS === 0 || !mayWait) return 0;
  responseHeader.set(appliedHeader, `wait=${waitS}`);
  return Math.max(0, Math.min(waitS * 1_000, (timeoutMs() ?? Infinity) - marginMs));
}
