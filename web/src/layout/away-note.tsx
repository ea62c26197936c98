import { useLanguage } from "../i18n/language.tsx";
import { useAway } from "../session/use-away.ts";

/** Says which service does not answer; without a network, the live status says all there is to say. */
export function AwayNote() {
  const { m } = useLanguage();
  const away = useAway();
  const texts = away.has("network")
    ? []
    : (["orders", "payments"] as const).filter((service) => away.has(service));
  return (
    <div role="status" className="away">
      {texts.map((service) => (
        <p key={service}>{m.live.away[service]}</p>
      ))}
    </div>
  );
}
