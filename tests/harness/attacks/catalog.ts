import type { Attack, CallerAttack } from "./attack.ts";
import { reflectionStreams, slowDocs } from "./caller/anonymous-streams.ts";
import { anonymousResets, cancelledReads, rapidResets } from "./caller/cancelled-reads.ts";
import { expensiveReads } from "./caller/expensive-reads.ts";
import { watchFlood, writeFlood } from "./caller/floods.ts";
import { idleConnections } from "./caller/idle-connections.ts";
import { leftReads, leftStatements, leftWatches } from "./caller/left-reads.ts";
import { stalledReaders } from "./caller/stalled-readers.ts";
import { clockAhead } from "./operator/clock-ahead.ts";
import { deletedQueue } from "./operator/deleted-queue.ts";
import { killedParts } from "./operator/killed-parts.ts";
import { lockedAccount, lockedRevisions } from "./operator/locked-rows.ts";
import { lostChannels } from "./operator/lost-channels.ts";

/** The attacks over the network. */
export const callerAttacks: readonly CallerAttack[] = [
  ...leftReads,
  leftWatches,
  leftStatements,
  ...stalledReaders,
  cancelledReads,
  rapidResets,
  anonymousResets,
  expensiveReads,
  slowDocs,
  reflectionStreams,
  idleConnections,
  writeFlood,
  watchFlood,
];

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
