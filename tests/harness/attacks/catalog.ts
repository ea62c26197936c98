import type { Attack } from "./attack.ts";
import { callerAttacks } from "./caller/catalog.ts";
import { clockAhead } from "./operator/clock-ahead.ts";
import { deletedQueue } from "./operator/deleted-queue.ts";
import { killedParts } from "./operator/killed-parts.ts";
import { lockedAccount, lockedRevisions } from "./operator/locked-rows.ts";
import { lostChannels } from "./operator/lost-channels.ts";

/** All attacks, in the order in which they run: those that break more come later. */
export const attacks: readonly Attack[] = [
  ...callerAttacks,
  lockedAccount,
  lockedRevisions,
  lostChannels,
  deletedQueue,
  ...killedParts,
  clockAhead,
];
