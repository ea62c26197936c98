/** The part of a message that the window uses: its delivery tag on the channel. */
type Numbered = { readonly fields: { readonly deliveryTag: number } };

export type AckWindow<Message extends Numbered> = {
  /** How many messages are delivered and not yet settled. */
  readonly unsettled: number;
  /** Records a message that has arrived. Must be called in the order of arrival. */
  delivered(message: Message): void;
  /** Records that this message is settled in another way, such as a reject. */
  forgotten(message: Message): void;
  /** Acknowledges the message at the end of this turn of the event loop. */
  acked(message: Message): void;
  /** Sends the waiting acks immediately. */
  flush(): void;
};

/**
 * Collects the acks of a channel with one consumer and sends those of one turn of the event loop
 * together: a single "multiple" ack for all messages below the lowest unsettled one, and one ack
 * for each of the others. It never acknowledges a message early and never names one that the broker
 * no longer tracks: either would lose a message or make the broker close the channel.
 */
export function createAckWindow<Message extends Numbered>(
  send: (message: Message, upTo: boolean) => void,
): AckWindow<Message> {
  // A set keeps the order of arrival, so its first tag is the lowest.
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
