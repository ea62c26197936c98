import { useEffect, useLayoutEffect, useState } from "react";
import { followKept } from "../browser/follow-kept.ts";
import { keptByBrowser } from "../browser/kept.ts";
import { useLanguage } from "../i18n/language.tsx";

const themeKey = "settle.theme";
const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

/** Cycles through the themes: system, light, dark. The choice is kept for all tabs of this browser. */
export function ThemeButton() {
  const { m } = useLanguage();
  const [theme, setTheme] = useState(() => themeOf(keptByBrowser.get(themeKey)));
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => followKept(themeKey, (value) => setTheme(themeOf(value))), []);
  const choose = (chosen: Theme) => {
    keptByBrowser.set(themeKey, chosen);
    setTheme(chosen);
  };
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "auto";
  return (
    <button
      type="button"
      className="icon"
      onClick={() => choose(next)}
      aria-label={m.theme[theme]}
      title={m.theme[theme]}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="6.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
        {theme === "auto" && <path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />}
        {theme === "dark" && <circle cx="10" cy="10" r="6.5" fill="currentColor" />}
      </svg>
    </button>
  );
}

function themeOf(kept: string | undefined): Theme {
  return themes.find((theme) => theme === kept) ?? "auto";
}
