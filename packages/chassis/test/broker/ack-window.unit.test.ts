import assert from "node:assert/strict";
import fc from "fast-check";
import { createAckWindow } from "../../src/broker/ack-window.ts";

const messageOf = (deliveryTag: number) => ({ fields: { deliveryTag } });

/** What a broker knows of one channel: the tags it has sent and still waits for. */
function setup() {
  const waitingFor = new Set<number>();
  const sent: string[] = [];
  let lastTag = 0;
  const window = createAckWindow<ReturnType<typeof messageOf>>(({ fields }, upTo) => {
    const tag = fields.deliveryTag;
    assert.ok(waitingFor.has(tag), `the broker would close the channel: unknown tag ${tag}`);
    for (const one of waitingFor) if (one === tag || (upTo && one < tag)) waitingFor.delete(one);
    sent.push(upTo ? `up to ${tag}` : `${tag}`);
  });
  return {
    window,
    waitingFor,
    sent,
    deliver() {
      lastTag += 1;
      waitingFor.add(lastTag);
      window.delivered(messageOf(lastTag));
      return lastTag;
    },
  };
}

describe("ack window", () => {
  it("acknowledges what was settled in order with one ack", () => {
    const { window, sent, deliver } = setup();
    const tags = Array.from({ length: 100 }, deliver);
    for (const tag of tags.reverse()) window.acked(messageOf(tag));
    window.flush();
    assert.deepEqual(sent, ["up to 100"]);
  });

  it("acknowledges messages above the lowest unsettled one singly, and none twice", () => {
    const { window, sent, deliver } = setup();
    for (let count = 0; count < 6; count += 1) deliver();
    for (const tag of [1, 2, 4, 6]) window.acked(messageOf(tag));
    window.flush();
    assert.deepEqual(sent, ["4", "6", "up to 2"]);
    for (const tag of [5, 3]) window.acked(messageOf(tag));
    window.flush();
    assert.deepEqual(sent.slice(3), ["up to 5"]);
    assert.equal(window.unsettled, 0);
  });

  it("sends by itself at the end of the turn", async () => {
    const { window, sent, deliver } = setup();
    window.acked(messageOf(deliver()));
    window.acked(messageOf(deliver()));
    assert.deepEqual(sent, []);
    await new Promise(setImmediate);
    assert.deepEqual(sent, ["up to 2"]);
  });

  it("never acks an unsettled or unknown message, and loses no ack", () => {
    const step = fc.record({
      does: fc.constantFrom("deliver", "deliver", "ack", "ack", "requeue", "flush"),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { window, waitingFor, deliver } = setup();
        const unsettled: number[] = [];
        for (const { does, which } of steps) {
          if (does === "deliver") unsettled.push(deliver());
          if (does === "flush") window.flush();
          if (does !== "ack" && does !== "requeue") continue;
          const [tag] = unsettled.splice(which % Math.max(1, unsettled.length), 1);
          if (tag === undefined) continue;
          if (does === "ack") window.acked(messageOf(tag));
          else {
            waitingFor.delete(tag);
            window.forgotten(messageOf(tag));
          }
          for (const one of unsettled) assert.ok(waitingFor.has(one));
        }
        window.flush();
        assert.deepEqual([...waitingFor], unsettled);
        assert.equal(window.unsettled, unsettled.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
