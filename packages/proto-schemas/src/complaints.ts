import type { AnyDesc } from "@bufbuild/protobuf";
import type { Source } from "./source.ts";

/** Collects what protos ask for and the edge does not do, so that all of it is reported at once. */
export type Complaints = {
  /** Notes that `desc` asks for something that cannot be had; the same thing counts once. */
  add(desc: AnyDesc, complaint: string): void;
  /** Returns what was noted, each line with file and line, in the order of its coming. */
  list(): readonly string[];
};

/** Thrown where no true document can be written; the message is for the author of the input. */
export class Refusal extends Error {}

/** Makes an empty collection. */
export function createComplaints(source: Source): Complaints {
  const lines = new Set<string>();
  return {
    add: (desc, complaint) => void lines.add(`${source.place(desc)}: ${complaint}`),
    list: () => [...lines],
  };
}
