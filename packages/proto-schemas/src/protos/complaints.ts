import type { AnyDesc } from "@bufbuild/protobuf";
import type { Source } from "./source.ts";

/** Collects what protos require and the edge does not support, to report all of it at once. */
export type Complaints = {
  /** Records that `desc` requires something unsupported; duplicates are dropped. */
  add(desc: AnyDesc, complaint: string): void;
  /** Returns the complaints in order, each with file and line. */
  list(): readonly string[];
};

/** Thrown if no correct document can be generated; the message is for the author of the input. */
export class Refusal extends Error {}

/** Creates an empty collection. */
export function createComplaints(source: Source): Complaints {
  const lines = new Set<string>();
  return {
    add: (desc, complaint) => void lines.add(`${source.place(desc)}: ${complaint}`),
    list: () => [...lines],
  };
}
