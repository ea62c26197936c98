/** The forms of a word, by the plural categories of its language for whole numbers. */
export type PluralForms = { readonly one: string; readonly other: string } & Partial<
  Record<"few" | "many", string>
>;

const rules = new Map<string, Intl.PluralRules>();

/** Returns the form of a word for `count` in the language: in Russian, 1, 2 and 5 differ. */
export function plural(language: string, count: number, forms: PluralForms): string {
  let rule = rules.get(language);
  if (!rule) {
    rule = new Intl.PluralRules(language);
    rules.set(language, rule);
  }
  const category = rule.select(count);
  return (category in forms ? forms[category as keyof PluralForms] : undefined) ?? forms.other;
}
