// Counts sessions by operating system and version without tafc. Prints key TAB count, sorted.
//
//   zcat FILE | node lines.mjs            records on standard input
//   … | node lines.mjs -merge             adds up what several of those wrote

const TAB = 9;
const NEWLINE = 10;

// each calls fn with every line of a stream, as a Buffer without its newline. That is much faster than the module readline.
async function each(stream, fn) {
  let rest = Buffer.alloc(0);
  for await (let chunk of stream) {
    if (rest.length) chunk = Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, at)) >= 0; at = end + 1) fn(chunk.subarray(at, end));
    rest = chunk.subarray(at);
  }
}

const counts = new Map();

function add(key, n) {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

function record(line) {
  const { info } = JSON.parse(line.toString('utf8', line.indexOf(TAB) + 1));
  add(JSON.stringify([info.OS ?? null, info.appVersion]), 1);
}

function sum(line) {
  const [key, n] = line.toString().split('\t');
  add(key, Number(n));
}

await each(process.stdin, process.argv[2] === '-merge' ? sum : record);
const order = (a, b) => (a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1);
const rows = [...counts].map(([key, n]) => [JSON.parse(key), key, n]);
rows.sort(([a], [b]) => order(a[0], b[0]) || order(a[1], b[1]));
process.stdout.write(rows.map(([, key, n]) => `${key}\t${n}\n`).join(''));
