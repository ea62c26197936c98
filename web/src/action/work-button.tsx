import type { ComponentProps } from "react";

/**
 * A button that submits its form and shows while that is under way. It stays focusable then, so that
 * nobody who uses a keyboard is thrown out of the form; the action behind it runs once at a time.
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
