// Lets a .js file be an ES module without a package.json that says so, as long as it is written as one.

import fs from 'node:fs';
import vm from 'node:vm';
import { fileURLToPath } from 'node:url';

const moduleSyntax = /^\s*(?:export\s*(?:default\b|const\b|let\b|var\b|function\b|async\b|class\b|\{|\*)|import\s*(?:[\w$]+[\s,]|\{|\*|['"]))/m;

// Whether a source is an ES module: it has their syntax, and is no sound CommonJS module.
export function isModule(source) {
  if (!moduleSyntax.test(source)) return false;
  try {
    new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source.replace(/^#!.*/, '')}\n})`);
    return false;
  } catch {
    return true;
  }
}

export async function load(url, context, next) {
  if (url.startsWith('file:') && url.split('?')[0].endsWith('.js') && !url.includes('/node_modules/')) {
    const source = fs.readFileSync(fileURLToPath(url.split('?')[0]), 'utf8');
    if (isModule(source)) return { format: 'module', source, shortCircuit: true };
  }
  return next(url, context);
}
