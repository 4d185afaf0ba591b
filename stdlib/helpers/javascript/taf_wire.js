'use strict';
// The pipes to the task: frames on the file descriptors 3 (in) and 4 (out), and the place of work in the file 5.

const fs = require('fs');
const { isUtf8 } = require('buffer');

const [IN, OUT, PLACE] = [3, 4, 5];
const FRAME = 1 << 20;
const exit = process.exit;

// Two numbers that outlive this process: the block (or the key), and the record of the block.
const place = Buffer.alloc(16);
function at(number, index) {
  place.writeUInt32LE(number % 0x100000000, 0);
  place.writeUInt32LE(Math.floor(number / 0x100000000), 4);
  place.writeUInt32LE(index, 8);
  fs.writeSync(PLACE, place, 0, 16, 0);
}

function exactly(size) {
  const data = Buffer.allocUnsafeSlow(size);
  let have = 0;
  while (have < size) {
    const n = fs.readSync(IN, data, have, size - have, null);
    if (n === 0) process.reallyExit(0); // the task is gone
    have += n;
  }
  return data;
}

// The next frame: its type and its payload.
function read() {
  const head = exactly(5);
  return [String.fromCharCode(head[0]), exactly(head.readUInt32LE(1))];
}

// Send a frame; a payload that is no buffer is sent as JSON.
function send(kind, payload) {
  if (!Buffer.isBuffer(payload)) payload = Buffer.from(JSON.stringify(payload));
  const head = Buffer.alloc(5);
  head[0] = kind.charCodeAt(0);
  head.writeUInt32LE(payload.length, 1);
  const data = Buffer.concat([head, payload]);
  for (let sent = 0; sent < data.length; ) sent += fs.writeSync(OUT, data, sent, data.length - sent);
}

function ack(number) {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(number);
  send('A', payload);
}

// Send lines in frames of about a megabyte.
function sendLines(data) {
  while (data.length > FRAME) {
    const end = data.lastIndexOf(10, FRAME - 1) + 1 || data.indexOf(10, FRAME) + 1;
    send('P', data.subarray(0, end));
    data = data.subarray(end);
  }
  if (data.length > 0) send('P', data);
}

// Take a block apart: its number, whether records are key TAB value, and the records.
function block(payload) {
  const count = payload.readUInt32LE(4);
  const flags = payload[8];
  const records = new Array(count);
  const lines = (flags & 1) !== 0;
  let start = lines ? 9 : 9 + 4 * count;
  for (let i = 0; i < count; i++) {
    const end = lines ? payload.indexOf(10, start) : start + payload.readUInt32LE(9 + 4 * i);
    records[i] = payload.subarray(start, end);
    start = end + 1;
  }
  return { number: payload.readUInt32LE(0), keyed: (flags & 2) !== 0, records };
}

// All values of all keys, in pieces: {first, last, key, values}, the values as the inside of a JSON array.
function* chunks() {
  for (;;) {
    const [kind, payload] = read();
    if (kind === 'Z') return;
    let from = 4;
    while (from < payload.length) {
      const keySize = payload.readUInt32LE(from);
      const size = payload.readUInt32LE(from + 8);
      const flags = payload[from + 12];
      const key = from + 13;
      const values = key + keySize;
      yield { first: flags & 1, last: (flags & 2) !== 0, key: textOf(payload.subarray(key, values)), values: payload.subarray(values, values + size) };
      from = values + size;
    }
    ack(payload.readUInt32LE(0));
  }
}

// Bytes as text; a byte that is not UTF-8 becomes a lone surrogate, and the byte again when it is written.
function textOf(data) {
  if (isUtf8(data)) return data.utf8Slice(0, data.length);
  let text = '';
  let good = 0;
  for (let i = 0; i < data.length; ) {
    const size = character(data, i);
    if (size > 0) {
      i += size;
      continue;
    }
    text += data.utf8Slice(good, i) + String.fromCharCode(0xdc00 + data[i]);
    good = ++i;
  }
  return text + data.utf8Slice(good, data.length);
}

// The number of bytes of the character at i, 0 when it is none.
function character(data, i) {
  const c = data[i];
  if (c < 0x80) return 1;
  for (const size of c >= 0xf0 ? [4] : c >= 0xe0 ? [3] : [2]) {
    if (i + size <= data.length && isUtf8(data.subarray(i, i + size))) return size;
  }
  return 0;
}

module.exports = { FRAME, ack, at, block, chunks, exit, place, read, send, sendLines, textOf };
