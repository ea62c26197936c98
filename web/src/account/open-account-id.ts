/** The id of the control that gets the focus when an account must be opened. */
export const openAccountId = "open-account";
