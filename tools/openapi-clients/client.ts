/** How a generator is used: one file in `clients/` per generator exports one. */
export type Client = {
  /** The name for `--only` and in the record. */
  readonly name: string;
  readonly language: "Go" | "Java" | "Python" | "TypeScript";
  /** What is installed, with versions and licences; the generator first. */
  readonly tools: readonly Tool[];
  /** Whether it needs nothing but Node and npm. */
  readonly onlyNode: boolean;
  /** How the journey reads the stream of WatchOrders. */
  readonly watch: "typed" | "raw";
  /** What is wrong in the generator itself, so that documents that are right fail. */
  readonly knownFaults?: readonly KnownFault[];
  /** Downloads the tools that are missing; throws with what is missing on this machine. */
  prepare(): Promise<void>;
  /** Writes the client for the document into the folder, which is empty. */
  generate(job: Job): Promise<void>;
  /** Compiles the client, and the journey if there is one. Checks types as strictly as its users can. */
  compile(job: Job): Promise<void>;
  /** Returns the command that makes the journey; see journey.ts. */
  journey(job: Job): Promise<Command>;
};

/** A fault of a generator; `sign` is found in the reason of a failure. */
export type KnownFault = { readonly sign: RegExp; readonly what: string };

export type Tool = { readonly name: string; readonly version: string; readonly license: string };

export type Job = {
  /** The path of the OpenAPI document. */
  readonly document: string;
  /** The folder of this client and document. */
  readonly folder: string;
  /** Whether the client is compiled with its journey: the document is Settle's. */
  readonly withJourney: boolean;
  /** Runs a program in the folder; throws a {@link ToolFailure} if it fails or takes too long. */
  readonly run: (command: Command) => Promise<string>;
};

export type Command = {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** By default, the folder of the job. */
  readonly cwd?: string;
};
