/** Books what payments decides about orders, each order once; `--help` tells more. */
import { parseArgs } from "node:util";
import { openBooks } from "./books.ts";
import { listen } from "./listen.ts";

const usage = `node main.ts [--books <file>] [--queue <name>] [--report] [--help]

Listens to the results of payments and keeps books of them: which order was paid or declined, and
how much was paid in each currency, refunds apart. No order is in them twice, however often its result
arrives and whenever this program dies. One is missing while its result lies among the dead letters of
the queue: somebody has to look at them.

  --books    the SQLite file with the books, made where it is missing (./books.db)
  --queue    the queue with the events (payment-listener.work)
  --report   prints the books as JSON and ends
  --help     shows this

Environment:
  AMQP_URL   RabbitMQ, with the user who may read the queue`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      books: { type: "string", default: "books.db" },
      queue: { type: "string", default: "payment-listener.work" },
      report: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(usage);
  using books = openBooks(values.books);
  if (values.report) return console.log(JSON.stringify(books.report(), undefined, 2));
  const url = process.env.AMQP_URL;
  if (!url) throw new Error("AMQP_URL is not set; --help explains");
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  await listen({ url, queue: values.queue, books, signal: stop.signal });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
