const keyBytes = 16;

/**
 * Names what somebody means to do once, however often they press the button. The key stays the same
 * over repetitions of the same input, also after an error, because nobody can know whether what was
 * asked for has happened; it changes when the input does, and after a success.
 */
export type Intent = {
  /** The idempotency key to send `input` with. */
  keyFor(input: unknown): string;
  /** Notes that it has happened: the same input again is something new. */
  done(): void;
};

/** Makes an intent that nothing has been done about yet. */
export function createIntent(newKey: () => string = randomKey): Intent {
  let current: { readonly input: string; readonly key: string } | undefined;
  return {
    keyFor(input) {
      const text = textOf(input);
      if (current?.input !== text) current = { input: text, key: newKey() };
      return current.key;
    },
    done() {
      current = undefined;
    },
  };
}

/** Not by randomUUID, which pages have only where their origin is secure. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(keyBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function textOf(input: unknown): string {
  return String(
    JSON.stringify(input, (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
}
