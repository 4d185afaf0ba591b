'use strict';
// What user functions are given, and how what they give back is written.

const { isUtf8 } = require('buffer');
const { textOf } = require('./taf_wire.js');
const { Misuse, ParseError, show } = require('./taf_errors.js');

const KEEP = 100000; // values of a key that can be gone through again,
const KEEP_BYTES = 32 << 20; // as long as their text is no longer than this
const MANY = `more than ${KEEP}, or than ${KEEP_BYTES >> 20} MiB`;

// The JSON of a record.
function parse(data) {
  if (!isUtf8(data)) throw new ParseError('the record is not UTF-8');
  try {
    return JSON.parse(data.utf8Slice(0, data.length));
  } catch (error) {
    throw new ParseError('the record is not JSON: ' + error.message);
  }
}

// ---- writing

function check(name, value) {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw new Misuse(`${value} cannot be written as JSON`, 'JSON has no NaN and no Infinity: leave the pair out, or give null');
      break;
    case 'undefined':
      if (Array.isArray(this)) throw new Misuse('undefined in an array cannot be written as JSON', 'give null');
      break;
    case 'object':
      if (value instanceof Map) throw new Misuse('a Map cannot be written as JSON', 'make it an object: Object.fromEntries(x)');
      if (value instanceof Set) throw new Misuse('a Set cannot be written as JSON', 'make it an array: [...x]');
      break;
    case 'function':
    case 'symbol':
      throw new Misuse(`a ${typeof value} cannot be written as JSON`, 'give text, a number, true, false, null, or arrays and objects of these');
  }
  return value;
}

// A value as compact JSON.
function encode(value) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      if (Number.isFinite(value)) return JSON.stringify(value);
      break;
    case 'bigint':
      return String(value);
    case 'undefined':
      throw new Misuse('undefined cannot be written as JSON', 'yield [key, value], both not undefined; null is a value');
  }
  let text;
  try {
    text = JSON.stringify(value, check);
  } catch (error) {
    if (error instanceof Misuse) throw error;
    throw new Misuse('a key or value cannot be written as JSON: ' + error.message.split('\n')[0]);
  }
  if (text === undefined) throw new Misuse(`${show(value)} cannot be written as JSON`);
  return text;
}

// Pairs that were emitted and not sent yet. early is called when they are many before their record or key is done.
class Output {
  constructor(longest, limit, early) {
    this.lines = [];
    this.size = 0;
    this.longest = longest;
    this.limit = limit;
    this.early = early;
  }

  emit(key, value) {
    this.emitAt(encode(key), value);
  }

  // Emit a pair whose key is JSON already.
  emitAt(key, value) {
    const line = key + '\t' + encode(value) + '\n';
    if (line.length > this.longest) throw new Misuse(`a pair of ${line.length} characters is longer than the limit of ${this.longest}`);
    this.size += line.length;
    this.lines.push(line);
    if (this.size > this.limit) this.early();
  }

  // All pairs as bytes.
  take() {
    const data = Buffer.from(this.lines.join(''));
    this.lines.length = 0;
    this.size = 0;
    return data;
  }
}

// ---- records

// The dimensions of a file by name, and by position.
function dimsOf(names, values) {
  const dims = {};
  names.forEach((name, i) => {
    if (i < values.length) dims[name] = values[i];
  });
  values.forEach((value, i) => {
    if (!(i in dims)) Object.defineProperty(dims, i, { value, enumerable: false });
  });
  return Object.freeze(dims);
}

const paths = new Map();

function steps(path) {
  let found = paths.get(path);
  if (!found) {
    found = [];
    for (const part of path.split('.')) {
      const open = part.indexOf('[');
      found.push(open < 0 ? part : part.slice(0, open));
      if (open >= 0) for (const i of part.slice(open + 1, -1).split('][')) found.push(Number(i));
    }
    paths.set(path, found);
  }
  return found;
}

// The fields of a record by path; a missing one is null.
function fieldsOf(value, names) {
  return new Proxy({}, {
    get(_, path) {
      if (typeof path !== 'string') return undefined;
      if (names.length > 0 && !names.includes(path)) throw new Misuse(`${path} is not among the fields of the stage: ${names.join(', ')}`);
      let at = value;
      for (const step of steps(path)) {
        const inside = typeof step === 'number' ? Array.isArray(at) && step < at.length : typeof at === 'object' && at !== null && !Array.isArray(at) && Object.hasOwn(at, step);
        if (!inside) return null;
        at = at[step];
      }
      return at;
    },
    has: (_, path) => names.includes(path),
    ownKeys: () => names,
    getOwnPropertyDescriptor(_, path) {
      return names.includes(path) ? { enumerable: true, configurable: true, value: this.get(_, path) } : undefined;
    },
  });
}

// A record. What costs something is made when it is first asked for.
class Record {
  #file;
  #key;
  #value;
  #made = false;
  #fields;

  constructor(file, key, bytes) {
    this.#file = file;
    this.#key = key;
    this.bytes = bytes;
  }

  get file() {
    return this.#file.path;
  }

  get dims() {
    return this.#file.dims;
  }

  get context() {
    return this.#file.context;
  }

  get key() {
    return this.#file.key(this.#key);
  }

  get raw() {
    return textOf(this.bytes);
  }

  get value() {
    if (!this.#made) {
      this.#value = this.#file.value(this.bytes);
      this.#made = true;
    }
    return this.#value;
  }

  get fields() {
    if (!this.#fields) this.#fields = fieldsOf(this.value, this.#file.names);
    return this.#fields;
  }
}

// ---- the values of a key

// The values of a key. They can be gone through any number of times while they are few, else once.
class Values {
  #pieces;
  #more;
  #chunks;
  #dropped = false;
  #count;
  #size;

  constructor(data, last, chunks) {
    this.#pieces = [Values.#parsed(data)];
    this.#more = !last;
    this.#chunks = chunks;
    this.#count = this.#pieces[0].length;
    this.#size = data.length;
  }

  static #parsed(data) {
    return JSON.parse('[' + textOf(data) + ']');
  }

  [Symbol.iterator]() {
    return this.#more || this.#pieces.length !== 1 ? this.#stream() : this.#pieces[0][Symbol.iterator]();
  }

  *#stream() {
    for (let i = 0; ; i++) {
      if (this.#dropped) {
        throw new Misuse(
          `the values of this key were gone through already, and are too many to be kept (${MANY})`,
          'go through them once, or put in an array what is needed again: values = [...values]',
        );
      }
      if (i < this.#pieces.length) {
        yield* this.#pieces[i];
        continue;
      }
      if (!this.#more) return;
      const piece = this.#pull();
      if (this.#dropped) {
        yield* piece; // this pass is the one that goes on
        while (this.#more) yield* this.#pull();
        return;
      }
      yield* piece;
    }
  }

  #pull() {
    const chunk = this.#chunks.next().value;
    const piece = Values.#parsed(chunk.values);
    this.#more = !chunk.last;
    this.#count += piece.length;
    this.#size += chunk.values.length;
    if (this.#count > KEEP || this.#size > KEEP_BYTES) {
      this.#dropped = true;
      this.#pieces = [];
    } else {
      this.#pieces.push(piece);
    }
    return piece;
  }

  get length() {
    while (this.#more && !this.#dropped) this.#pull();
    if (this.#dropped) {
      throw new Misuse(
        `the values of this key are too many to be kept (${MANY}), so that their number is not known before their end`,
        'count them while going through them',
      );
    }
    return this.#count;
  }

  forEach(fn) {
    let i = 0;
    for (const value of this) fn(value, i++, this);
  }

  map(fn) {
    const out = [];
    this.forEach((value, i) => out.push(fn(value, i, this)));
    return out;
  }

  filter(fn) {
    const out = [];
    this.forEach((value, i) => fn(value, i, this) && out.push(value));
    return out;
  }

  reduce(fn, ...initial) {
    let [sum] = initial;
    let i = 0;
    for (const value of this) {
      sum = i === 0 && initial.length === 0 ? value : fn(sum, value, i, this);
      i++;
    }
    return sum;
  }

  // Pass over what nobody asked for.
  skip() {
    while (this.#more) this.#more = !this.#chunks.next().value.last;
  }
}

module.exports = { Output, Record, Values, dimsOf, encode, parse };
