'use strict';
// What goes wrong in user code, and how it is told.

const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const { fileURLToPath } = require('url');

const LONGEST = 16000;

// User code gave what the contract does not allow.
class Misuse extends Error {
  constructor(message, hint = '') {
    super(message);
    this.hint = hint;
  }
}

// A record does not parse.
class ParseError extends Error {}

// The code called process.exit.
class SystemExit extends Error {
  constructor(code) {
    super(`process.exit(${code === undefined ? '' : code})`);
    this.hint = 'the code called process.exit: throw an error, or return instead';
  }
}

class Describer {
  constructor(folder) {
    this.folder = folder + path.sep;
  }

  // The lines of a stack that are the user's, with paths relative to the folder of the code.
  lines(stack) {
    const out = [];
    let last = '';
    for (const line of stack.split('\n')) {
      const frame = /^\s+at /.test(line);
      const own = line.split('file://' + encodeURI(this.folder)).join('').split('file://' + this.folder).join('').split(this.folder).join('');
      if (!frame) out.push(own);
      else if (line.includes(__dirname + path.sep) || line.includes('node:internal') || /(\(|at )<anonymous>\)?$/.test(line)) last = last || own;
      else out.push(own.replace(/\?taf=\d+/, ''));
    }
    if (!out.some((l) => /^\s+at /.test(l)) && last) out.push(last.split(__dirname + path.sep).join(''));
    return out;
  }

  // The innermost place in the user's code: map.js:12.
  innermost(stack) {
    for (const line of stack.split('\n')) {
      if (!/^\s+at /.test(line)) continue;
      const found = this.locate(line);
      if (found) return found;
    }
    return '';
  }

  locate(line) {
    const m = /(?:\(|at |^)((?:file:\/\/)?\/[^()]*?)(?:\?taf=\d+)?:(\d+)(?::\d+)?\)?\s*$/.exec(line);
    if (!m) return '';
    let file = m[1];
    if (file.startsWith('file://')) {
      try {
        file = fileURLToPath(file);
      } catch {
        return '';
      }
    }
    return file.startsWith(this.folder) ? `${file.slice(this.folder.length)}:${m[2]}` : '';
  }

  // What a frame says of something that was thrown.
  failure(error) {
    if (!(error instanceof Error) && !(error && typeof error.stack === 'string' && typeof error.message === 'string')) {
      return { type: 'thrown', message: show(error), place: '', stack: '', hint: 'throw an Error, which knows its place: throw new Error(…)' };
    }
    const stack = typeof error.stack === 'string' ? error.stack : String(error);
    let type = error.constructor && error.constructor.name ? error.constructor.name : 'Error';
    if (error.name && error.name !== 'Error') type = error.name;
    if (error instanceof Misuse || error instanceof ParseError) type = '';
    let hint = typeof error.hint === 'string' ? error.hint : '';
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND') {
      hint = 'it is not installed here and not among the files of the analysis: add its file to code, or use an image that has it';
    }
    let lines = this.lines(stack);
    for (let cause = error.cause, n = 0; cause instanceof Error && n < 5; cause = cause.cause, n++) {
      lines = lines.concat('Caused by:', this.lines(cause.stack));
    }
    const message = this.lines(String(error.message)).join('\n');
    const place = this.innermost(stack);
    // Where none of the user's code is on the stack, such as for what was yielded, it tells nothing.
    if (error instanceof Misuse && !place) lines = [];
    return { type, message: message.slice(0, 2000), place, stack: lines.join('\n').slice(0, LONGEST), hint };
  }

  // What is said of a syntax error, which in an ES module does not know its place: then files are checked one by one, the
  // entry first.
  syntax(error, files) {
    const failure = this.failure(error);
    let told = this.locate(String(error.stack).split('\n')[0]);
    for (const file of told ? [] : files) {
      const check = spawnSync(process.execPath, ['--input-type=module', '--check'], { encoding: 'utf8', input: fs.readFileSync(file), timeout: 10000 });
      const found = /^\[stdin\]:(\d+)\n([^]*?)\n\nSyntaxError: (.*)/.exec(check.stderr);
      if (!found || found[3] !== error.message) continue;
      told = `${file.slice(this.folder.length)}:${found[1]}`;
      failure.stack = `${told}\n${found[2]}\n\n${failure.stack}`;
      break;
    }
    if (told) {
      failure.message += ` (${told.replace(/:(\d+)$/, ', line $1')})`;
      failure.place = told;
    }
    return failure;
  }
}

// A value in a message.
function show(value) {
  let text;
  try {
    text = typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' && value !== null ? JSON.stringify(value) || String(value) : String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > 60 ? text.slice(0, 60) + '…' : text;
}

module.exports = { Describer, Misuse, ParseError, SystemExit, show };
