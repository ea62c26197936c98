import { useEffect, useState } from "react";
import { copyText } from "../browser/copy-text.ts";
import { useLanguage } from "../i18n/language.tsx";

const thanksMs = 2_000;

/** Copies a text and confirms it. */
export function CopyButton(props: { readonly text: string; readonly label: string }) {
  const { m } = useLanguage();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), thanksMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    setCopied(await copyText(props.text));
  };
  return (
    <button type="button" className="text" aria-label={props.label} onClick={() => void copy()}>
      <span aria-live="polite">{isCopied ? m.order.copied : m.order.copy}</span>
    </button>
  );
}
