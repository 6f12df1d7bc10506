// Histograms and counters of two moments, and how numbers are written. No DOM here.

// What happened between two cumulative histograms; the later one alone where nothing did or the service started anew.
export function between(later, earlier) {
  if (!earlier || later.count <= earlier.count) return later;
  const before = new Map(earlier.buckets);
  return { count: later.count - earlier.count, buckets: later.buckets.map(([le, n]) => [le, n - (before.get(le) ?? 0)]) };
}

// Prometheus' own estimate: linear inside the bucket. Seconds, or null without a value.
export function percentile({ count, buckets }, share) {
  if (!count) return null;
  let below = 0, reached = 0;
  for (const [le, n] of buckets) {
    if (n >= share * count) {
      if (le === null) return below;
      return n === reached ? le : below + (le - below) * ((share * count - reached) / (n - reached));
    }
    if (le !== null) below = le;
    reached = n;
  }
  return below;
}

export const sum = (values) => Object.values(values).reduce((total, value) => total + value, 0);

export function seconds(value, language) {
  if (value === null) return "–";
  const [number, unit] = value < 1 ? [value * 1000, "ms"] : [value, "s"];
  return `${number.toLocaleString(language, { maximumSignificantDigits: 3 })} ${unit}`;
}

export function bytes(value, language) {
  const [size, unit] = value < 2 ** 30 ? [value / 2 ** 20, "MiB"] : [value / 2 ** 30, "GiB"];
  return `${size.toLocaleString(language, { maximumFractionDigits: size < 10 ? 1 : 0 })} ${unit}`;
}

export const count = (value, language) => value.toLocaleString(language, { maximumFractionDigits: 2 });
export const share = (value, language) => value === null ? "–" : value.toLocaleString(language, { style: "percent", maximumFractionDigits: 0 });
