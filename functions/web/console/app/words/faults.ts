/** Faults in how something is written. Their sentences name no example, so that of the field stands behind them. */
export const WRITTEN = ["required", "wrong_type", "format", "too_short", "control_characters", "invisible_characters", "not_one_of", "invalid"];
