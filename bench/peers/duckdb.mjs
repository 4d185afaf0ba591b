// The same count in SQL by DuckDB. Prints key TAB count, sorted.
//
//   node duckdb.mjs MODULES FOLDER      MODULES is a folder with node_modules/@duckdb/node-api
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

const [modules, folder] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(resolve(modules), 'package.json'))('@duckdb/node-api');
const database = await DuckDBInstance.create(':memory:', { threads: String(availableParallelism()) });
const connection = await database.connect();
// A record is an id, a TAB and JSON, which may itself hold TABs: a line is one column.
const answer = await connection.runAndReadAll(`
  SELECT fields[1], fields[2], count(*) FROM (
    SELECT json_extract_string(substr(line, instr(line, chr(9)) + 1), ['$.info.OS', '$.info.appVersion']) AS fields
    FROM read_csv('${folder}/**/*.gz', columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false,
                  auto_detect = false, max_line_size = 20000000))
  GROUP BY ALL ORDER BY ALL NULLS FIRST`);
for (const [os, version, n] of answer.getRows()) console.log(`${JSON.stringify([os, version])}\t${n}`);
