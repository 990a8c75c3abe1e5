const STEP = 1024;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A number of bytes in the largest unit that keeps it above 1: `3.2 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < BYTE_UNITS.length - 1) {
    value /= STEP;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${BYTE_UNITS[unit]}`;
}

/** Thousands apart: `1,234,567`. Not by the locale's rules, which take 20 ms to load. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Seconds as `45s`, `3m 07s` or `2h 05m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`;
}

const HOUR = 3600;

/** Seconds as one number that says how old something is: `90m`, `36h`, `9d`. */
export function formatAge(seconds: number): string {
  if (seconds < 2 * HOUR) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * HOUR ? `${Math.floor(seconds / HOUR)}h` : `${Math.floor(seconds / (24 * HOUR))}d`;
}
