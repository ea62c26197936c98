import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { createBoard } from "../board.ts";

describe("the board", () => {
  function setup({ isTTY }: { isTTY: boolean }) {
    const out = Object.assign(new PassThrough(), { isTTY, columns: 60 });
    let nowMs = 0;
    const board = createBoard({ out, names: ["one", "other"], nowMs: () => nowMs });
    return {
      board,
      pass: (ms: number) => {
        nowMs += ms;
      },
      read: () => stripVTControlCharacters(String(out.read() ?? "")),
    };
  }

  it("writes a line per change if there is no terminal", () => {
    const { board, pass, read } = setup({ isTTY: false });
    board.report("one", "starting", "");
    pass(1_500);
    board.report("one", "ready", "here");
    board[Symbol.dispose]();
    assert.equal(read(), "[   0.0 s] one: starting\n[   1.5 s] one: ready (here)\n");
  });

  it("redraws the table in a terminal at each change, and writes lines after disposal", () => {
    const { board, pass, read } = setup({ isTTY: true });
    board.report("one", "starting", "a detail that is much too long for a window of this width");
    assert.equal(
      read(),
      "  one    starting   0.0 s  a detail that is much too long fo\n  other  waiting           \n",
    );
    pass(2_000);
    board.report("one", "ready", "here");
    assert.equal(read(), "  one    ready      2.0 s  here\n  other  waiting           \n");
    board[Symbol.dispose]();
    read();
    board.report("one", "died", "exit code 1");
    assert.equal(read(), "[   2.0 s] one: died (exit code 1)\n");
  });
});
