import { create } from "@bufbuild/protobuf";
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ServiceStatus, ServiceStatusSchema } from "@settle/gen/ops/v1/status_pb";
import type { Clock } from "../base/clock.ts";
import type { Broker } from "../broker/broker.ts";
import { retryDelays, retryQueueOf, topologyOf } from "../contract/topology.ts";
import type { Database } from "../database/database.ts";
import { version } from "./version.ts";

const brokerTimeoutMs = 2_000;

/** What the status of a service is read from. */
export type StatusSources = {
  readonly service: string;
  readonly database: Pick<Database, "read">;
  readonly broker: Pick<Broker, "countQueues">;
  readonly clock: Clock;
  readonly maxOutboxDepth: number;
  /** Whether this instance consumes events. */
  readonly isConsuming: () => boolean;
};

/** Returns how to read the status; the instance has started when this is called. */
export function createStatusReader(sources: StatusSources): () => Promise<ServiceStatus> {
  const { service, database, broker, clock, maxOutboxDepth, isConsuming } = sources;
  const startTime = timestampFromMs(clock.nowMs());
  const { work, deadLetters } = topologyOf(service);
  const retries = retryDelays.map(({ label }) => retryQueueOf(service, label));

  return async () => {
    const [migrations, outbox, queues] = await Promise.all([
      database.read<{ name: string; executed_at: string }>(
        "SELECT name, executed_at FROM mikro_orm_migrations ORDER BY id",
        [],
      ),
      database.read<{ depth: string; oldest: string | null }>(
        `SELECT count(*) AS depth, min(create_time) AS oldest
         FROM (SELECT create_time FROM outbox LIMIT $1) AS waiting`,
        [maxOutboxDepth],
      ),
      broker.countQueues([work, ...retries, deadLetters], brokerTimeoutMs),
    ]);
    const [waiting] = outbox;
    return create(ServiceStatusSchema, {
      service,
      version,
      readTime: timestampFromMs(clock.nowMs()),
      startTime,
      migrations: migrations.map(({ name, executed_at: at }) => ({
        name,
        applyTime: timestampFromDate(new Date(at)),
      })),
      outbox: {
        depth: BigInt(waiting?.depth ?? 0),
        maxDepth: BigInt(maxOutboxDepth),
        ...(waiting?.oldest && { oldestCreateTime: timestampFromDate(new Date(waiting.oldest)) }),
      },
      queues: queues.map(({ name, readyMessages, consumers }) => ({
        name,
        readyMessages: BigInt(readyMessages),
        consumers: BigInt(consumers),
      })),
      consuming: isConsuming(),
    });
  };
}
