import type { ComponentProps } from "react";

/**
 * A button that submits its form and shows progress. It stays focusable meanwhile, so that keyboard
 * users keep their place in the form; its action runs once at a time.
 */
export function WorkButton(
  props: ComponentProps<"button"> & { readonly working: boolean; readonly quiet?: boolean },
) {
  const { working, quiet, children, ...rest } = props;
  return (
    <button
      type="submit"
      className={quiet ? "quiet" : "primary"}
      aria-busy={working}
      aria-disabled={working}
      {...rest}
    >
      <span className="work-label">{children}</span>
    </button>
  );
}
