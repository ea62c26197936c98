/** Books the payment result of each order once; see `--help`. */
import { parseArgs } from "node:util";
import { openBooks } from "./books.ts";
import { listen } from "./listen.ts";

const usage = `node main.ts [--books <file>] [--queue <name>] [--report] [--help]

Listens to payment results and keeps books of them: which orders were paid or declined, and how much
was paid in each currency, without refunds. No order is booked twice, however often its result arrives
and whenever this program dies. An order is missing while its result is in the dead-letter queue:
an operator has to check it.

  --books    the SQLite file with the books, created if missing (default: ./books.db)
  --queue    the queue with the events (default: payment-listener.work)
  --report   prints the books as JSON and exits
  --help     shows this help

Environment variables:
  AMQP_URL   the URL of RabbitMQ, with the user who may read the queue`;

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
  if (!url) throw new Error("AMQP_URL is not set; see --help");
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
