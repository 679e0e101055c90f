/** The time zone of the tenant. Until it is known, that of the device. */
class Zone {
  name = $state(Intl.DateTimeFormat().resolvedOptions().timeZone);
}

export const zone = new Zone();
