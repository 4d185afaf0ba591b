// Called for each record; what it yields is grouped by key.
exports.map = function* (record) {
  const visit = record.value;
  yield [visit.page, [1, visit.ms]];
};
