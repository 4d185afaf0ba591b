'use strict';

// The value at a path such as info.OS, or the fallback when something on the way is missing.
exports.field = (object, path, fallback) => {
  for (const name of path.split('.')) {
    if (object === null || typeof object !== 'object' || !(name in object)) return fallback;
    object = object[name];
  }
  return object;
};
