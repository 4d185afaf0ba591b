'use strict';
// The contracts: how a record or a key with its values is given to the user's function, and what becomes of its answer.

const fs = require('fs');
const path = require('path');
const { textOf } = require('./taf_wire.js');
const { Misuse, ParseError, show } = require('./taf_errors.js');
const { Record, dimsOf, encode, parse } = require('./taf_data.js');

const JSON_FORMATS = ['telemetry', 'jsonl', 'csv', 'tsv', 'pairs'];

const isPromise = (x) => x !== null && typeof x === 'object' && typeof x.then === 'function';

// What user code is given to count, to log and, in telemetry-server, to emit.
class Context {
  constructor(task) {
    Object.defineProperty(this, 'task', { value: task, enumerable: false });
    this.role = task.role;
    this.field_separator = '\t';
    this.record_separator = '\n';
  }

  // Add n to a counter.
  count(name, n = 1) {
    if (typeof name !== 'string' || !Number.isSafeInteger(n)) throw new Misuse(`context.count takes a name and a whole number, not ${show(name)} and ${show(n)}`);
    this.task.counted.push([name, n]);
  }

  // Write a line to the log of the task.
  log(...things) {
    this.task.log(things.map((t) => (typeof t === 'string' ? t : show(t))).join(' '));
  }
}

class MapContext extends Context {
  write(key, value) {
    this.task.output.emit(key, value);
  }
}

// ---- records

// How the records of a format are read.
class Formats {
  constructor(name) {
    this.isJSON = JSON_FORMATS.includes(name);
    this.isPairs = name === 'pairs';
    this.value = this.isPairs ? (data) => (data.length > 0 ? parse(data) : null) : this.isJSON ? parse : textOf;
    this.key = this.isPairs ? (data) => JSON.parse(textOf(data)) : textOf;
  }

  // The function that takes a record apart into its key and its value.
  split(keyed) {
    if (!keyed) return (data) => [null, data];
    return (data) => {
      const tab = data.indexOf(9);
      if (tab < 0) throw new ParseError('the record has no TAB between its key and its value');
      return [data.subarray(0, tab), data.subarray(tab + 1)];
    };
  }
}

const nothing = () => null;

function mapTaf(task, fn) {
  const { formats } = task;
  return (name, dims, keyed) => {
    const file = { path: name, dims: dimsOf(task.dims, dims), context: task.context, names: task.fields, value: formats.value, key: keyed ? formats.key : nothing };
    const split = formats.split(keyed);
    return (data) => {
      const [key, bytes] = split(data);
      return emitAll(task, fn(new Record(file, key, bytes)), task.name);
    };
  };
}

// Emit what a function gave: one pair as an array, or anything that yields pairs; a promise of these is waited for.
function emitAll(task, answer, name) {
  if (answer === undefined || answer === null) return undefined;
  if (isPromise(answer)) return answer.then((a) => emitAll(task, a, name));
  if (Array.isArray(answer) && answer.length > 0 && !Array.isArray(answer[0])) return emitPair(task, answer, name);
  if (typeof answer === 'object' && typeof answer[Symbol.iterator] === 'function') {
    for (const pair of answer) emitPair(task, pair, name);
    return undefined;
  }
  if (typeof answer === 'object' && typeof answer[Symbol.asyncIterator] === 'function') return emitLater(task, answer, name);
  throw new Misuse(`${name} gave ${show(answer)} instead of pairs`, 'make it a generator with: yield [key, value]');
}

async function emitLater(task, answer, name) {
  for await (const pair of answer) emitPair(task, pair, name);
}

function emitPair(task, pair, name) {
  if (!Array.isArray(pair) || pair.length !== 2) throw new Misuse(`${name} gave ${show(pair)} where a pair should be`, 'yield [key, value]');
  task.output.emit(pair[0], pair[1]);
}

function mapServer(task, fn) {
  const { context, formats } = task;
  const short = fn.length === 3; // map(key, value, context) is given the parsed record
  return (name, dims, keyed) => {
    const split = formats.split(keyed);
    const keyOf = keyed ? formats.key : nothing;
    return (data) => {
      const [key, value] = split(data);
      const answer = short ? fn(keyOf(key), formats.value(value), context) : fn(keyOf(key), [...dims], textOf(value), context);
      return isPromise(answer) ? answer : undefined;
    };
  };
}

function mapAnalysis(task, fn) {
  const { formats } = task;
  const emit = (text) => {
    for (const line of linesOf(text, task.name)) {
      const space = line.indexOf(' ');
      if (space < 0) throw new Misuse(`${task.name} gave the line ${show(line)}, which has no value after its key`, 'return lines such as: key value');
      task.output.emit(line.slice(0, space), line);
    }
  };
  return (name, dims, keyed) => {
    const split = formats.split(keyed);
    const keyOf = keyed ? formats.key : nothing;
    const file = formats.isPairs ? name : 's3/' + name;
    return (data) => {
      const [key, value] = split(data);
      const answer = fn(keyOf(key), file, formats.value(value));
      return isPromise(answer) ? answer.then(emit) : emit(answer);
    };
  };
}

// The lines of a text that a function returned, without empty ones.
function linesOf(answer, name) {
  if (answer === undefined || answer === null) return [];
  if (typeof answer !== 'string') throw new Misuse(`${name} returned ${show(answer)} instead of text`, 'return text lines such as: key value');
  return answer.split('\n').filter((line) => line !== '');
}

// ---- values of a key

const isIterator = (x) => typeof x === 'object' && x !== null && typeof x.next === 'function';

function reduceTaf(task, fn) {
  const take = (key, answer) => {
    if (isPromise(answer)) return answer.then((a) => take(key, a));
    if (isIterator(answer)) return emitAll(task, answer, task.name);
    if (answer === undefined || answer === null) task.counted.push(['taf.no_value', 1]);
    else task.output.emitAt(key, answer);
    return undefined;
  };
  return (key, values) => take(key, fn(JSON.parse(key), values));
}

function combineTaf(task, fn) {
  const take = (key, answer) => {
    if (isPromise(answer)) return answer.then((a) => take(key, a));
    if (answer === undefined || answer === null || isIterator(answer)) {
      throw new Misuse(`${task.name} gave ${isIterator(answer) ? 'a generator' : 'nothing'} instead of one value`, 'return the value that stands for the values');
    }
    return task.output.emitAt(key, answer);
  };
  return (key, values) => take(key, fn(JSON.parse(key), values));
}

// The context of telemetry-server's reduce: pairs, or lines when the code writes lines anywhere.
class PairContext extends Context {
  constructor(task) {
    super(task);
    Object.defineProperty(this, 'at', { value: 'null', writable: true, enumerable: false }); // the key of the function, as JSON
  }

  write(key, value) {
    this.task.output.emit(key, value);
  }

  writeline() {
    throw new Misuse('context.writeline is called by a name that was not found in the code', 'call it as context.writeline(…)');
  }

  writecsv() {
    throw new Misuse('context.writecsv is called by a name that was not found in the code', 'call it as context.writecsv(…)');
  }
}

class LineContext extends PairContext {
  line(key, text) {
    this.task.output.emitAt(key, (text + this.record_separator).slice(0, -1));
  }

  write(key, value) {
    this.line(encode(key), textual(key) + this.field_separator + textual(value));
  }

  writeline(line) {
    if (typeof line !== 'string') throw new Misuse(`context.writeline takes text, not ${show(line)}`, 'context.writeline(String(x))');
    this.line(this.at, line);
  }

  writecsv(values) {
    const cells = [];
    for (const value of values) {
      const text = value === null || value === undefined ? '' : textual(value);
      cells.push(/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
    }
    this.line(this.at, cells.join(','));
  }
}

const textual = (value) => (typeof value === 'string' ? value : encode(value));

class CombineContext extends PairContext {
  write(key, value) {
    const written = encode(key);
    if (written !== this.at && written !== encode(JSON.parse(this.at))) {
      throw new Misuse(`combine wrote the key ${show(key)}, but its key is ${show(JSON.parse(this.at))}`, 'combine may only write the key that it was given');
    }
    this.task.output.emitAt(this.at, value);
  }
}

// The JavaScript files of a folder.
function* sources(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') yield* sources(file);
    else if (/\.[cm]?js$/.test(entry.name)) yield file;
  }
}

// Whether the code writes lines, or text with separators of its own: then all that reduce writes are lines.
function writesLines(folder) {
  for (const file of sources(folder)) {
    if (/\.(writeline|writecsv)\b|\b(field|record)_separator\b/.test(fs.readFileSync(file, 'utf8'))) return true;
  }
  return false;
}

function reduceServer(task, fn) {
  const { context } = task;
  return (key, values) => {
    context.at = key;
    const answer = fn(JSON.parse(key), [...values], context);
    return isPromise(answer) ? answer : undefined;
  };
}

function reduceAnalysis(task, fn) {
  const emit = (answer) => {
    if (answer === undefined || answer === null) task.counted.push(['taf.no_value', 1]);
    for (const line of linesOf(answer, task.name)) task.output.emit(line.split(' ', 1)[0], line);
  };
  return (key, values) => {
    const words = [];
    for (const value of values) {
      if (task.form !== 'lines') {
        words.push(textual(value));
        continue;
      }
      const parts = value.split(' ');
      if (parts.length === 1) throw new Misuse(`the line ${show(value)} has no value after its key`);
      if (parts.length > 2) task.counted.push(['taf.extra_tokens', 1]);
      words.push(parts[1]);
    }
    const answer = fn(JSON.parse(key), words);
    return isPromise(answer) ? answer.then(emit) : emit(answer);
  };
}

// ---- finding the function

// What the contracts call in each role: the name of the function, its parameters, who calls it, and how many it may declare.
const CONTRACTS = {
  'taf map': { function: 'map', parameters: 'record', adapter: mapTaf, most: 1 },
  'taf combine': { function: 'combine', parameters: 'key, values', adapter: combineTaf, most: 2 },
  'taf reduce': { function: 'reduce', parameters: 'key, values', adapter: reduceTaf, most: 2 },
  'telemetry-server map': { function: 'map', parameters: 'key, dims, value, context', adapter: mapServer, most: 4 },
  'telemetry-server combine': { function: 'combine', parameters: 'key, values, context', adapter: reduceServer, most: 3 },
  'telemetry-server reduce': { function: 'reduce', parameters: 'key, values, context', adapter: reduceServer, most: 3 },
  'telemetry-analysis map': { function: 'mapper', parameters: 'uuid, file, json', adapter: mapAnalysis, most: 3 },
  'telemetry-analysis combine': { function: 'combine', parameters: 'key, values', adapter: reduceAnalysis, most: 2 },
  'telemetry-analysis reduce': { function: 'reduce', parameters: 'key, values', adapter: reduceAnalysis, most: 2 },
};

// The contract that the code follows, by the names and parameters of its functions. find looks a function up.
function detect(find, role, name, form) {
  const fn = find(name || role);
  if (role === 'map') {
    if (!fn && find('mapper')) return 'telemetry-analysis';
    return fn && (fn.length === 3 || fn.length === 4) ? 'telemetry-server' : 'taf';
  }
  if (fn && fn.length === 3) return 'telemetry-server';
  return form === 'lines' || find('mapper') ? 'telemetry-analysis' : 'taf';
}

module.exports = { CONTRACTS, CombineContext, Context, Formats, LineContext, MapContext, PairContext, detect, emitAll, sources, writesLines };
