/** `npm run new-service`: creates or removes a service; see request.ts. */
import { fileURLToPath } from "node:url";
import type { ListedService } from "../../services/services.ts";
import { abortOnStop } from "../local/process/stop-signal.ts";
import type { Change } from "./changes.ts";
import { createService } from "./create-service.ts";
import { fillIn } from "./places/snippet.ts";
import { removeService } from "./remove-service.ts";
import { readRequest, usage } from "./request.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const request = readRequest(args);
  if (request.kind === "help") return console.log(usage);
  const surroundings = { root, signal, log: console.log };
  if (request.kind === "remove") {
    const changes = await removeService(surroundings, request.name);
    console.log(`\n${describe(changes)}\n${farewell(request.name)}`);
    return;
  }
  const { service, changes } = await createService(surroundings, request);
  console.log(`\n${describe(changes)}\n${nextSteps(service)}`);
}

/** Lists the changed files; of those in gen/, only their number. */
function describe(changes: readonly Change[]): string {
  const isGenerated = ({ file }: Change) => file.startsWith("gen/");
  const written = changes.filter((change) => !isGenerated(change));
  const generated = changes.length - written.length;
  return [
    ...written.map(({ file, before, after }) => {
      const what = after === undefined ? "removed" : before === undefined ? "new" : "changed";
      return `  ${what.padEnd(8)} ${file}`;
    }),
    `  and ${generated} generated files in gen/`,
  ].join("\n");
}

function nextSteps(service: ListedService): string {
  return fillIn(
    `
The service {name} counts the events of each user. Next steps:

  npm start                    start the system, with {name} on localhost:{port}
  auth="authorization: Bearer $(npm run --silent token -- alice)"
  curl -H "$auth" localhost:8000/gateway/{name}/alice
  npm test -- services/{name}/   run the tests of {name}
  npm run check                run all checks that need no running system

To change its API, edit proto/{name}/v1/{name}_service.proto and run npm run generate.
To remove the service: npm run new-service -- {name} --remove`,
    service,
  );
}

function farewell(name: string): string {
  return `
The service ${name} was removed from the project. On the servers, its data still exists: the database
and role ${name} on PostgreSQL, and the user ${name} and the queues and exchanges ${name}.* on RabbitMQ.
To delete all local data, run npm start -- --fresh.`;
}

const stop = new AbortController();
abortOnStop(stop);
try {
  await main(process.argv.slice(2), stop.signal);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(stop.signal.aborted ? "\nStopped; nothing was changed." : message);
  process.exitCode = 1;
}
process.exit();
