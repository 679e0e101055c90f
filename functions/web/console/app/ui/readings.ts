/** Fields whose text the API reads. A form waits for them before it is sent. */
const running = new Set<Promise<void>>();

export function awaitReading(reading: Promise<void>): void {
  running.add(reading);
  void reading.finally(() => running.delete(reading));
}

export async function finishReadings(): Promise<void> {
  await Promise.allSettled(running);
}
