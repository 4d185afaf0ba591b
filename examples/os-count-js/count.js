'use strict';

const { field } = require('./field');

// One pair [operating system, 1] for each session.
exports.map = function* (record) {
  yield [field(record.value, 'info.OS', 'unknown'), 1];
};

// The sum of the ones of each operating system.
exports.reduce = (key, values) => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

// Sums of sums are sums: tasks may add up what they have before the last reduce.
exports.combine = exports.reduce;
