import type { Http2Session, Http2Stream } from "node:http2";
import { isMap } from "node:util/types";
import { TransientMap } from "../base/transient-map.ts";

/**
 * Makes Node keep the streams of the session in a {@link TransientMap} instead of a `Map`; there it is
 * explained why. There is no public way to do so. Has no effect the second time, or with a version
 * of Node that keeps its streams in another way.
 */
export function keepStreamsBriefly(session: Http2Session): void {
  stateKey ??= Object.getOwnPropertySymbols(session).find((key) => key.description === "state");
  const state: unknown = stateKey && Reflect.get(session, stateKey);
  if (!(state instanceof Object && "streams" in state && isMap(state.streams))) return;
  const streams = new TransientMap<Http2Stream>();
  Map.prototype.forEach.call(state.streams, (stream, id) => streams.set(id, stream));
  state.streams = streams;
}

/** The key of the private state of sessions. */
let stateKey: symbol | undefined;
