// Sessions by operating system and version of the application.

exports.map = function* (record) {
  const { info } = record.value;
  yield [[info.OS ?? null, info.appVersion], 1];
};

exports.reduce = (key, values) => {
  let sum = 0;
  for (const n of values) sum += n;
  return sum;
};

exports.combine = exports.reduce;
