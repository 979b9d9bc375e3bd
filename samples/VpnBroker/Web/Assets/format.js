// Numbers as people read them.

const prefixes = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/** A value with a unit and a decimal prefix: 8.25 Mbit/s. */
export function scaled(value, unit) {
  for (const [size, prefix] of prefixes) {
    if (value >= size)
      return `${(value / size).toFixed(value >= 100 * size ? 0 : value >= 10 * size ? 1 : 2)} ${prefix}${unit}`;
  }
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

export const bits = value => value === undefined ? '–' : scaled(value, 'bit/s');
export const packets = value => value === undefined ? '–' : scaled(value, '/s');
export const bytes = value => scaled(value, 'B');
export const percent = value => value === undefined ? '–' : `${Math.round(100 * value)} %`;
export const count = value => value.toLocaleString('en-US');

/** A number and what is counted: 1 tunnel, 2 tunnels. */
export const counted = (value, what) => `${count(value)} ${what}${value === 1 ? '' : 's'}`;

/** Seconds as 3:25, 1:02:05 or 2d 3:00:00. */
export function duration(seconds) {
  seconds = Math.floor(seconds);
  const two = value => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24, minutes = Math.floor(seconds / 60) % 60;
  const clock = hours || days ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  return days ? `${days}d ${clock}` : clock;
}

/** The sum of an object's numbers. */
export const sum = values => Object.values(values ?? {}).reduce((total, value) => total + value, 0);
