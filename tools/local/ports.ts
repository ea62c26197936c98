import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { globSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { platform } from "node:process";
import { localPorts, type PortName } from "./local-ports.ts";
import { readCommandLine } from "./process/process-identity.ts";

const host = "127.0.0.1";
/** Below the ports of outgoing connections, one of which could take the port meanwhile. */
const firstPort = 20_000;
const portCount = 12_000;
const maxTries = 1_000;
const connectTimeoutMs = 1_000;
const commandMaxCharacters = 80;
/** The state LISTEN in /proc/net/tcp. */
const listenState = "0A";

/** Returns different loopback ports that were free a moment ago. */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries += 1) {
    if (tries === maxTries) throw new Error(`no ${count} free ports from ${firstPort} on`);
    const port = firstPort + randomInt(portCount);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Returns a free port for each program of a stack. */
export async function findStackPorts(): Promise<Record<PortName, number>> {
  const names = Object.keys(localPorts) as PortName[];
  const ports = await findFreePorts(names.length);
  return Object.fromEntries(names.map((name, at) => [name, ports[at]])) as Record<PortName, number>;
}

/** Whether a process accepts connections on this loopback port. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: host, port, timeout: connectTimeoutMs });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("timeout", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

/** A port to suggest in place of `port`: far enough away to be no other default. */
export function otherPort(port: number): number {
  return port < 30_000 ? port + 30_000 : port - 20_000;
}

/**
 * Returns in one line why a loopback port cannot be used, with the process that uses it if this
 * user can see it; undefined if the port is free.
 */
export async function whyPortIsTaken(port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") return "this user has no permission to listen on it";
    if (code !== "EADDRINUSE") throw error;
    const pid = findListener(port);
    if (pid === undefined) return "it is taken by a process that this user cannot see";
    return `it is taken by process ${pid}: ${readCommandLine(pid).slice(0, commandMaxCharacters)}`;
  } finally {
    server.close();
  }
}

function findListener(port: number): number | undefined {
  try {
    if (platform !== "linux") {
      const out = execFileSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-t"], {
        encoding: "utf8",
      });
      return Number.parseInt(out, 10) || undefined;
    }
    const inodes = listeningInodes(port);
    for (const link of globSync("/proc/[0-9]*/fd/*")) {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(link))?.[1];
      if (inode !== undefined && inodes.has(inode)) return Number(link.split("/")[2]);
    }
  } catch {
    // The process only improves the message.
  }
  return undefined;
}

function listeningInodes(port: number): Set<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
    readFileSync(table, "utf8")
      .split("\n")
      .map((row) => row.trim().split(/\s+/)),
  );
  // Columns: number, local address, remote address, state, ..., the tenth is the inode.
  const found = rows.filter((row) => row[1]?.endsWith(`:${hexPort}`) && row[3] === listenState);
  return new Set(found.map((row) => row[9] ?? ""));
}

function readLink(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
