import type { CallerAttack } from "../attack.ts";
import { reflectionStreams, slowDocs } from "./anonymous-streams.ts";
import { anonymousResets, cancelledReads, rapidResets } from "./cancelled-reads.ts";
import { expensiveReads } from "./expensive-reads.ts";
import { watchFlood, writeFlood } from "./floods.ts";
import { idleConnections } from "./idle-connections.ts";
import { leftReads, leftStatements, leftWatches } from "./left-reads.ts";
import { stalledReaders } from "./stalled-readers.ts";

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
