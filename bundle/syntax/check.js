// Reads [{"data": base64, "kind": "module" | "commonjs" | "either"}] from standard input and writes, for each, what is wrong with it.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const vm = require('vm');
const { spawnSync } = require('child_process');

const moduleSyntax = /^\s*(?:export\s*(?:default\b|const\b|let\b|var\b|function\b|async\b|class\b|\{|\*)|import\s*(?:[\w$]+[\s,]|\{|\*|['"]))/m;

// An error's text begins with the name of the file, the line, its source and a mark below it.
function place(text, message) {
  const m = /^.*:(\d+)\n(.*)\n( *)(\^+)/.exec(text);
  if (!m) return { message, line: Number((/^.*:(\d+)\n/.exec(text) || [0, 1])[1]) };
  return { message, line: Number(m[1]), column: m[3].length + 1, end_line: Number(m[1]), end_column: m[3].length + 1 + m[4].length };
}

function commonjs(source) {
  try {
    vm.compileFunction(source, ['exports', 'require', 'module', '__filename', '__dirname'], { filename: 'code' });
    return {};
  } catch (e) {
    return place(e.stack, e.message);
  }
}

function esModule(source) {
  try {
    new vm.SourceTextModule(source, { identifier: 'code' });
    return {};
  } catch (e) {
    return moduleProblem(source, e.message);
  }
}

// The error of a module does not say where; node --check does.
function moduleProblem(source, message) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tafc-'));
  try {
    const file = path.join(dir, 'code.mjs');
    fs.writeFileSync(file, source);
    return place(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr, message);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function problem({ data, kind }) {
  const source = Buffer.from(data, 'base64').toString('utf8').replace(/^\ufeff/, '').replace(/^#!.*/, '');
  if (kind === 'module') return esModule(source);
  const first = commonjs(source);
  if (kind === 'commonjs' || !first.message || !moduleSyntax.test(source)) return first;
  return esModule(source);
}

const files = JSON.parse(fs.readFileSync(0, 'utf8')).map(problem);
process.stdout.write(JSON.stringify({ version: `Node.js ${process.versions.node.split('.')[0]}`, files }));
