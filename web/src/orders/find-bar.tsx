import { type RefObject, useEffect, useId, useRef, useState } from "react";
import { useLanguage } from "../i18n/language.tsx";
import {
  type FilterChange,
  maxSearchCharacters,
  type OrderFilter,
  selectionOf,
} from "./order-filter.ts";

/** Browsers limit how often an address changes. */
const typingPauseMs = 300;

/** The field to search orders, and the button that shows the filters. */
export function FindBar(props: {
  readonly filter: OrderFilter;
  readonly change: (change: FilterChange) => void;
  readonly input: RefObject<HTMLInputElement | null>;
  /** The id of the filters. */
  readonly panelId: string;
  readonly isOpen: boolean;
  onToggle(): void;
}) {
  const { m } = useLanguage();
  const { filter, change, input, isOpen } = props;
  const id = useId();
  const { status, from, to } = selectionOf(filter);
  const active = Number(status !== undefined) + Number((from ?? to) !== undefined);
  const [text, setText] = useTyped(filter.text ?? "", (typed) =>
    change({ text: typed || undefined }),
  );
  return (
    <search className="find">
      <label className="hidden" htmlFor={id}>
        {m.find.label}
      </label>
      <input
        ref={input}
        id={id}
        type="search"
        placeholder={m.find.hint}
        autoComplete="off"
        enterKeyHint="search"
        maxLength={maxSearchCharacters}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      <button
        type="button"
        className="quiet"
        aria-expanded={isOpen}
        aria-controls={props.panelId}
        onClick={props.onToggle}
      >
        {m.find.filters(active)}
      </button>
    </search>
  );
}

/**
 * The text of a field whose value is stored elsewhere: it changes at once, and is stored when the
 * user pauses. A value that changes elsewhere replaces it.
 */
function useTyped(
  value: string,
  store: (typed: string) => void,
): [text: string, type: (text: string) => void] {
  const [text, setText] = useState(value);
  const stored = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const last = useRef(store);
  last.current = store;
  useEffect(() => {
    if (value === stored.current) return;
    clearTimeout(timer.current);
    stored.current = value;
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return [
    text,
    (typed) => {
      setText(typed);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        stored.current = typed.trim();
        last.current(stored.current);
      }, typingPauseMs);
    },
  ];
}
