import type { WriteStream } from "node:tty";
import type { PartState, ReportState } from "./process/supervise.ts";

const tickMs = 250;
const colors = { waiting: 2, starting: 33, ready: 32, died: 31 } as const;

type Row = {
  state: PartState | "waiting";
  detail: string;
  sinceMs: number;
  tookMs: number | undefined;
};

/** Shows the state of the parts. Disposing ends the live table; later reports are lines. */
export interface Board extends Disposable {
  readonly report: ReportState;
}

/**
 * Creates a board. If `out` is a terminal, it is a table that redraws itself while parts start;
 * otherwise, and after disposal, one line per change. `nowMs` is a monotonic clock.
 */
export function createBoard(options: {
  readonly out: Pick<WriteStream, "isTTY" | "columns" | "write">;
  readonly names: readonly string[];
  readonly nowMs: () => number;
}): Board {
  const { out, names, nowMs } = options;
  const startMs = nowMs();
  const rows = new Map<string, Row>(
    names.map((name) => [
      name,
      { state: "waiting", detail: "", sinceMs: startMs, tookMs: undefined },
    ]),
  );
  const width = Math.max(...names.map((name) => name.length));
  let live = out.isTTY;
  let drawn = 0;

  const draw = () => {
    const lines = Array.from(rows, ([name, row]) => {
      const took = row.tookMs ?? (row.state === "starting" ? nowMs() - row.sinceMs : undefined);
      const seconds = took === undefined ? "" : `${(took / 1000).toFixed(1)} s`;
      const state = `\x1b[${colors[row.state]}m${row.state.padEnd(8)}\x1b[0m`;
      const detail = row.detail.split("\n", 1)[0] ?? "";
      const room = Math.max(0, out.columns - width - 22);
      return `  ${name.padEnd(width)}  ${state} ${seconds.padStart(7)}  ${detail.slice(0, room)}`;
    });
    // Moves the cursor to the first row, and clears each row before writing it.
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    out.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`);
    drawn = lines.length;
  };
  const timer = live ? setInterval(draw, tickMs) : undefined;

  return {
    report(name, state, detail) {
      const row = rows.get(name);
      if (row === undefined) throw new Error(`the board has no part named ${name}`);
      if (state === "starting" && row.state !== "starting") row.sinceMs = nowMs();
      row.tookMs = state === "ready" ? nowMs() - row.sinceMs : undefined;
      Object.assign(row, { state, detail });
      if (live) return draw();
      const seconds = ((nowMs() - startMs) / 1000).toFixed(1);
      out.write(`[${seconds.padStart(6)} s] ${name}: ${state}${detail && ` (${detail})`}\n`);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      if (live) draw();
      live = false;
    },
  };
}
