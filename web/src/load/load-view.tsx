import "./load.css";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ErrorNote } from "../action/error-note.tsx";
import { StopButton } from "../action/stop-button.tsx";
import { WorkButton } from "../action/work-button.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import { statusOf } from "../orders/status.ts";
import { type Client, useClient } from "../session/client.ts";
import { LoadResults } from "./load-results.tsx";
import { prepareAccount } from "./prepare-account.ts";
import { maxOpenOrders, maxRequests, runLoad } from "./run-load.ts";
import type { LoadProgress } from "./tally.ts";

const counts = [100, 1_000, 5_000];
/** The interval at which charts are redrawn while orders settle. */
const drawIntervalMs = 200;

type Run = {
  readonly progress?: LoadProgress;
  readonly isRunning: boolean;
  readonly error?: unknown;
};

/** The view that places many orders and shows how fast they settle. */
export default function LoadView() {
  const { m, format } = useLanguage();
  const client = useClient();
  const [count, setCount] = useState(counts[0] ?? 100);
  const [run, setRun] = useState<Run>({ isRunning: false });
  const stop = useRef<AbortController>(undefined);
  const starter = useRef<HTMLButtonElement>(null);
  useEffect(() => () => stop.current?.abort(), []);
  useTitle(m.load.title);

  const start = async (event: FormEvent) => {
    event.preventDefault();
    if (run.isRunning) return;
    const stopping = new AbortController();
    const { signal } = stopping;
    stop.current = stopping;
    setRun({ isRunning: true });
    try {
      const progress = await load(client, count, signal, (now) =>
        setRun({ isRunning: true, progress: now }),
      );
      setRun({ isRunning: false, progress });
    } catch (error) {
      setRun({ isRunning: false, ...(!signal.aborted && { error }) });
    }
    void client.refreshMoney();
  };
  return (
    <section className="load">
      <h1>{m.load.title}</h1>
      <p className="lead">{m.load.lead}</p>
      <form className="load-form" onSubmit={start}>
        <fieldset className="choices">
          <legend>{m.load.count}</legend>
          {counts.map((choice) => (
            <label key={choice} className="chip">
              <input
                type="radio"
                name="count"
                checked={count === choice}
                disabled={run.isRunning}
                onChange={() => setCount(choice)}
              />
              <span>{format.number(choice)}</span>
            </label>
          ))}
        </fieldset>
        <div className="actions">
          <WorkButton ref={starter} working={run.isRunning}>
            {m.load.start(format.number(count))}
          </WorkButton>
          {run.isRunning && (
            <StopButton starter={starter} onClick={() => stop.current?.abort()}>
              {m.load.stop}
            </StopButton>
          )}
        </div>
      </form>
      <ErrorNote error={run.error ?? run.progress?.lastError} />
      {run.isRunning && !run.progress && <p role="status">{m.load.preparing}</p>}
      {run.progress && <LoadResults progress={run.progress} />}
      <p className="small">{m.load.limits(maxRequests, maxOpenOrders)}</p>
    </section>
  );
}

/** Runs the load and redraws the progress at intervals. */
async function load(
  client: Client,
  total: number,
  signal: AbortSignal,
  draw: (progress: LoadProgress) => void,
): Promise<LoadProgress> {
  const { settle, userId, feed } = client;
  const amount = await prepareAccount(client, total);
  signal.throwIfAborted();
  await feed.based;
  let drawnMs = Number.NEGATIVE_INFINITY;
  return runLoad({
    total,
    signal,
    nowMs: () => performance.now(),
    async place(number) {
      const order = { userId, amount, description: `load ${number}/${total}` };
      return (await settle.orders.createOrder(order, { signal })).id;
    },
    onSettled: (listen) =>
      feed.listen({
        onChanges: (orders) =>
          listen(
            orders
              .filter((order) => statusOf(order) !== "pending")
              .map((order) => ({ id: order.id, isPaid: statusOf(order) === "paid" })),
          ),
      }),
    onProgress(progress) {
      const nowMs = performance.now();
      if (nowMs - drawnMs < drawIntervalMs) return;
      drawnMs = nowMs;
      draw({
        ...progress,
        settledMs: [...progress.settledMs],
        latenciesMs: [...progress.latenciesMs],
      });
    },
  });
}
