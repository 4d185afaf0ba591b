// Adds up a part of a key's values; tafc may call it at any time.
function combine(key, values) {
  let views = 0;
  let total = 0;
  for (const [count, ms] of values) {
    views += count;
    total += ms;
  }
  return [views, total];
}

// Called once for each key with all its values.
function reduce(key, values) {
  const [views, total] = combine(key, values);
  return { views, mean_ms: Math.floor(total / views) };
}

module.exports = { combine, reduce };
