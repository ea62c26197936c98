import { v7 } from "uuid";

/** Makes a UUIDv7; within a process each is larger than the one before. */
export function newId(): string {
  return v7();
}
