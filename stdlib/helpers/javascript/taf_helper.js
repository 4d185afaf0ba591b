'use strict';
// Runs the map, combine and reduce functions of an analysis. Started by tafc; see docs/helper-protocol.md.

const fs = require('fs');
const path = require('path');
const nodeModule = require('module');
const { isUtf8 } = require('buffer');
const { pathToFileURL } = require('url');
const wire = require('./taf_wire.js');
const contracts = require('./taf_contracts.js');
const { Describer, Misuse, ParseError, SystemExit } = require('./taf_errors.js');
const { Output, Values, parse } = require('./taf_data.js');

Error.stackTraceLimit = 50;

// One run of the user's code in one role.
class Task {
  constructor(config) {
    this.config = config;
    this.role = config.role;
    this.dims = config.dims || [];
    this.fields = config.fields || [];
    this.form = config.form;
    this.entry = path.join(config.dir, ...config.entry.split('/'));
    this.formats = new contracts.Formats(config.format);
    this.output = new Output(config.max_pair, config.calls ? Infinity : 4 * wire.FRAME, () => this.early());
    this.mark = undefined; // where the pairs of the record begin, undefined when some of them were sent
    this.counted = [];
    this.describer = new Describer(config.dir);
    this.loading = true;
    this.number = 0;
    this.index = 0;
  }

  log(text) {
    for (const line of text.split('\n')) wire.send('G', Buffer.from(line));
  }

  // ---- loading

  // Load the module, find its function, call its setup hook, and say that all is ready.
  async load() {
    if (typeof isUtf8 !== 'function') throw new Misuse(`Node ${process.versions.node} is too old`, 'user code in JavaScript needs Node 18.14 or newer');
    await this.registerLoader();
    process.argv = [process.argv[0], this.entry];
    this.module = await import(pathToFileURL(this.entry).href);
    const contract = this.config.contract || contracts.detect((n) => this.find(n), this.role, this.config.function, this.form);
    const [fn, adapter] = this.resolve(contract);
    this.context = this.contextOf(contract);
    this.one = adapter(this, fn);
    const setup = contract === 'taf' ? this.find('setup') : contract === 'telemetry-server' && this.role !== 'map' ? this.find('setup_reduce') : undefined;
    if (setup) await setup(this.context);
    if (!this.context.record_separator.endsWith('\n')) {
      throw new Misuse(`record_separator is ${JSON.stringify(this.context.record_separator)}, but must end with a newline: results are lines`);
    }
    this.last = contract === 'taf' ? this.find('finish') : undefined;
    const lines = contract === 'telemetry-analysis' || this.context instanceof contracts.LineContext;
    this.loading = false;
    wire.send('R', { contract, form: lines ? 'lines' : 'pairs', finish: this.last !== undefined });
  }

  // Have .js files loaded as ES modules where they are written as such and no package.json says it.
  async registerLoader() {
    const { isModule } = await import('./taf_loader.mjs');
    if (typeof nodeModule.register !== 'function') return;
    for (const file of contracts.sources(this.config.dir)) {
      if (file.endsWith('.js') && isModule(fs.readFileSync(file, 'utf8'))) {
        nodeModule.register(pathToFileURL(path.join(__dirname, 'taf_loader.mjs')).href);
        return;
      }
    }
  }

  exported(name) {
    if (name in this.module) return this.module[name];
    const main = this.module.default;
    return main !== null && (typeof main === 'object' || typeof main === 'function') ? main[name] : undefined;
  }

  find(name) {
    const found = this.exported(name);
    return typeof found === 'function' ? found : undefined;
  }

  resolve(name) {
    const contract = contracts.CONTRACTS[`${name} ${this.role}`];
    if (!contract) throw new Misuse(`there is no contract ${JSON.stringify(name)} for a ${this.role}`, 'contracts are taf, telemetry-server, telemetry-analysis and streaming');
    this.name = this.config.function && this.role !== 'combine' ? this.config.function : contract.function;
    const wanted = `${this.name}(${contract.parameters})`;
    const found = this.exported(this.name);
    if (found === undefined) throw new Misuse(`${this.config.entry} exports no function ${wanted}`, this.others());
    if (typeof found !== 'function') throw new Misuse(`${this.name} in ${this.config.entry} is a ${typeof found}, not a function ${wanted}`);
    if (found.length > contract.most) {
      throw new Misuse(
        `${this.name} in ${this.config.entry} has ${found.length} parameters, but the contract ${name} calls ${wanted}`,
        'change the parameters, or name another contract',
      );
    }
    return [found, contract.adapter];
  }

  others() {
    const main = this.module.default;
    const names = new Set([...Object.keys(this.module), ...(main && typeof main === 'object' ? Object.keys(main) : [])]);
    const own = [...names].filter((n) => this.find(n));
    return own.length === 0 ? 'it exports no function' : 'it exports ' + own.join(', ');
  }

  contextOf(contract) {
    if (contract !== 'telemetry-server') return new contracts.Context(this);
    if (this.role === 'map') return new contracts.MapContext(this);
    if (this.role === 'combine') return new contracts.CombineContext(this);
    return contracts.writesLines(this.config.dir) ? new contracts.LineContext(this) : new contracts.PairContext(this);
  }

  // ---- working

  // Call the finish hook, send what is left, and say that all is done.
  async finish() {
    const answer = this.last ? await this.last(this.context) : undefined;
    if (answer !== undefined && answer !== null) {
      if (this.role === 'combine') throw new Misuse('finish gave pairs, which it cannot in a combine', "emit in finish only when context.role is map or reduce");
      await contracts.emitAll(this, answer, 'finish');
    }
    await settle();
    this.flush();
    this.sendCounts();
    wire.send('D', Buffer.alloc(0));
  }

  flush() {
    wire.sendLines(this.output.take());
  }

  sendCounts() {
    if (this.counted.length === 0) return;
    const sums = new Map();
    for (const [name, n] of this.counted) sums.set(name, (sums.get(name) || 0) + n);
    this.counted.length = 0;
    wire.send('C', [...sums].sort((a, b) => (a[0] < b[0] ? -1 : 1)));
  }

  // Send pairs of a record or a key that is under way. A record may still turn out to be bad, so the task is told where it began.
  early() {
    const { mark, output } = this;
    if (mark !== undefined) {
      this.mark = undefined;
      const own = output.lines.splice(mark);
      this.flush();
      wire.send('M', Buffer.alloc(0));
      for (const line of own) output.lines.push(line);
    }
    this.flush();
  }

  note(number, index) {
    this.number = number;
    this.index = index;
    wire.at(number, index);
  }

  async map() {
    let file = { key: '', dims: [] };
    let one;
    let keyed;
    for (;;) {
      const [kind, payload] = wire.read();
      if (kind === 'Z') return;
      if (kind === 'F') {
        file = JSON.parse(payload);
        one = undefined;
        continue;
      }
      const block = wire.block(payload);
      if (!one || block.keyed !== keyed) {
        keyed = block.keyed;
        one = this.one(file.key, file.dims || [], keyed);
      }
      await this.block(block, one);
    }
  }

  async block({ number, keyed, records }, one) {
    const { output, counted } = this;
    const { lines } = output;
    for (let index = 0; index < records.length; index++) {
      this.note(number, index);
      const mark = lines.length;
      const { size } = output;
      const counts = counted.length;
      this.mark = mark;
      try {
        const later = one(records[index]);
        if (later !== undefined) await later;
      } catch (error) {
        const sent = this.mark === undefined;
        if (sent) wire.send('U', Buffer.alloc(0));
        lines.length = sent ? 0 : mark;
        output.size = sent ? 0 : size;
        counted.length = counts;
        this.bad(index, keyed, records[index], error);
      }
      if (output.size > wire.FRAME) this.flush();
    }
    this.mark = undefined;
    this.note(0, 0);
    await settle();
    this.flush();
    this.sendCounts();
    wire.ack(number);
  }

  // Tell of a bad record. Where code that parses by itself failed on a record that does not parse, that is what is told.
  bad(index, keyed, data, error) {
    let kind = 'code';
    if (error instanceof ParseError) {
      kind = 'parse';
    } else if (error instanceof SyntaxError && this.formats.isJSON) {
      try {
        this.formats.value(this.formats.split(keyed)(data)[1]);
      } catch (wrong) {
        kind = 'parse';
        wrong.stack = error.stack;
        error = wrong;
      }
    }
    wire.send('E', { ...this.describer.failure(error), index, kind });
  }

  async reduce() {
    if (this.config.calls) this.output.take(); // what setup_reduce wrote belongs to no key
    const chunks = wire.chunks();
    for (let number = 1; ; number++) {
      const { value: chunk, done } = chunks.next();
      if (done) return;
      this.note(number, 0);
      const values = new Values(chunk.values, chunk.last, chunks);
      if (this.config.calls) {
        await this.call(chunk.key, values);
      } else {
        const later = this.one(chunk.key, values);
        if (later !== undefined) await later;
        values.skip();
      }
      this.note(0, 0);
      if (this.output.size > wire.FRAME) this.flush();
    }
  }

  // Answer for a key by itself: with what it emits, or with what goes wrong.
  async call(key, values) {
    try {
      const later = this.one(key, values);
      if (later !== undefined) await later;
    } catch (error) {
      this.output.take();
      this.counted.length = 0;
      wire.send('E', { ...this.describer.failure(error), index: 0, kind: 'code' });
    }
    values.skip();
    this.flush();
    this.sendCounts();
    wire.send('K', Buffer.alloc(0));
  }

  // Tell of an error that ends the program, and end it.
  fatal(error) {
    const failure = this.loading && error instanceof SyntaxError ? this.describer.syntax(error, [this.entry, ...contracts.sources(this.config.dir)]) : this.describer.failure(error);
    const isMap = this.role === 'map';
    wire.send('X', { ...failure, kind: 'code', load: this.loading, seq: isMap ? this.number : 0, index: this.index, group: isMap ? 0 : this.number });
    process.reallyExit(1);
  }
}

// Let Node find promises that were rejected and that nobody waits for: an error of the user's must not pass unseen.
function settle() {
  return new Promise((done) => setImmediate(done));
}

async function main() {
  const task = new Task(JSON.parse(wire.read()[1]));
  process.exit = (code) => {
    throw new SystemExit(code);
  };
  process.on('uncaughtException', (error) => task.fatal(error));
  process.on('exit', () => task.fatal(new Misuse('the code waits for a promise that never settles, with nothing left that could settle it')));
  try {
    await task.load();
    await (task.role === 'map' ? task.map() : task.reduce());
    await task.finish();
  } catch (error) {
    task.fatal(error);
  }
  process.reallyExit(0);
}

main();
