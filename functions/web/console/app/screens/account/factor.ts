/** What proves who somebody is while they are logged in: the password and, if it is on, the second factor. */
export interface Proof {
  password: string;
  code: string;
  /** Whether it is a recovery code, and not one of the app. */
  recovery: boolean;
}

export function proven({ password, code, recovery }: Proof): { password: string; code?: string; recovery_code?: string } {
  return recovery ? { password, recovery_code: code.trim() } : { password, code: code.replace(/\s/g, "") };
}

/** The modules of a QR code as one path, each a unit wide. */
export function pathOf(modules: readonly (readonly boolean[])[]): string {
  return modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
}
