/** Settings of libpq, which people have for databases of their own. */
const ofPostgres = /^PG[A-Z]+$/;
/** Settings of Erlang, and of other RabbitMQ nodes than ours. */
const ofRabbitmq = /^(ERL_|RABBITMQ_(?!PORT$|METRICS_PORT$|MANAGEMENT_PORT$|MANAGEMENT_URL$))/;
/** Settings of pip that change where or what it installs; its index, proxy and certificates stay. */
const ofPip = /^PIP_(TARGET|PREFIX|ROOT|PLATFORM|NO_BINARY|ONLY_BINARY|DRY_RUN|NO_DEPS|EDITABLE)$/;
const loopback = ["localhost", "127.0.0.1", "::1"];

/**
 * Takes from the environment what belongs to other programs of its user and would change, or stop, the
 * parts that run on this machine. Calls to this machine never go through a proxy.
 */
export function neutralise(env) {
  for (const name of Object.keys(env)) {
    if (ofPostgres.test(name) || ofRabbitmq.test(name) || ofPip.test(name)) delete env[name];
  }
  // Also against a pip.conf.
  env.PIP_REQUIRE_VIRTUALENV = "0";
  env.PIP_USER = "0";
  if (!Object.keys(env).some((name) => /^(https?|all)_proxy$/i.test(name))) return;
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const direct = (env[name] ?? "").split(/[\s,]+/).filter((host) => host !== "");
    env[name] = [...new Set([...direct, ...loopback])].join(",");
  }
}

/**
 * Returns what in a path keeps a part from working there; undefined if nothing does. A `:` separates
 * folders in PATH, and the scripts of PostgreSQL and Erlang do not quote the others.
 */
export function faultOfFolder(path) {
  const [found] = /[:$'"`\\\n]|[^\u0020-\u007e\u00a0-\u00ff]/u.exec(path) ?? [];
  return found;
}
