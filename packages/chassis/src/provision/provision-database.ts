import { Client, escapeIdentifier, escapeLiteral } from "pg";

/**
 * Ensures that the server has a role `name` with `password` and a database of the same name that
 * only this role may use. The role owns nothing else, cannot create roles or databases, and has
 * timeouts for statements and locks. Can be repeated; the password is set each time.
 *
 * `adminUrl` names a superuser and any database to connect to.
 */
export async function provisionDatabase(options: {
  readonly adminUrl: string;
  readonly name: string;
  readonly password: string;
}): Promise<void> {
  const { adminUrl, name, password } = options;
  const role = escapeIdentifier(name);
  const admin = new Client({ connectionString: adminUrl });
  // A lost connection rejects the next query; without a listener, it would end the process.
  admin.on("error", () => {});
  await admin.connect();
  try {
    const roles = await admin.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
    if (roles.rowCount === 0) {
      await admin.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE`);
    }
    await admin.query(`ALTER ROLE ${role} PASSWORD ${escapeLiteral(password)}`);
    await admin.query(`ALTER ROLE ${role} SET statement_timeout = '5s'`);
    await admin.query(`ALTER ROLE ${role} SET lock_timeout = '2s'`);
    await admin.query(`ALTER ROLE ${role} SET idle_in_transaction_session_timeout = '10s'`);
    const databases = await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
    if (databases.rowCount === 0) await admin.query(`CREATE DATABASE ${role} OWNER ${role}`);
    await admin.query(`REVOKE ALL ON DATABASE ${role} FROM PUBLIC`);
  } finally {
    await admin.end();
  }
}
