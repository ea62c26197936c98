/** What the window needs to know of a message: the channel's number for it. */
type Numbered = { readonly fields: { readonly deliveryTag: number } };

export type AckWindow<Message extends Numbered> = {
  /** How many messages are delivered and not settled. */
  readonly unsettled: number;
  /** Notes a message that has arrived; to be called in the order of arrival. */
  delivered(message: Message): void;
  /** Notes that the broker hears of this message's end in another way. */
  forgotten(message: Message): void;
  /** Has the message acknowledged by the end of this turn of the event loop. */
  acked(message: Message): void;
  /** Sends at once what waits for the end of the turn. */
  flush(): void;
};

/**
 * Gathers the acks of one channel with one consumer and sends those of a turn together: one ack
 * "up to" for all below the lowest message not settled, one each for the others. Never
 * acknowledges a message that was not, and never names one that the broker has forgotten: both
 * would make it close the channel or lose a message.
 */
export function createAckWindow<Message extends Numbered>(
  send: (message: Message, upTo: boolean) => void,
): AckWindow<Message> {
  // A set keeps the order of arrival, so its first is the lowest.
  const unsettled = new Set<number>();
  let waiting: Message[] = [];

  const flush = () => {
    const batch = waiting;
    waiting = [];
    const [lowest = Number.POSITIVE_INFINITY] = unsettled;
    let last: Message | undefined;
    for (const message of batch) {
      const tag = message.fields.deliveryTag;
      if (tag > lowest) send(message, false);
      else if (last === undefined || tag > last.fields.deliveryTag) last = message;
    }
    if (last !== undefined) send(last, true);
  };

  return {
    get unsettled() {
      return unsettled.size;
    },
    delivered(message) {
      unsettled.add(message.fields.deliveryTag);
    },
    forgotten(message) {
      unsettled.delete(message.fields.deliveryTag);
    },
    acked(message) {
      unsettled.delete(message.fields.deliveryTag);
      waiting.push(message);
      if (waiting.length === 1) setImmediate(flush);
    },
    flush,
  };
}
