/** Writes the JSON Schema of the configuration, which is published with the extension. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createJsonSchema } from '../core/lifecycle/configuration/json-schema.ts';

const path = resolve(import.meta.dirname, '../configuration.schema.json');
await writeFile(path, `${JSON.stringify(createJsonSchema(), undefined, 2)}\n`);
