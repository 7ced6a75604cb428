/** Judges of JSON Schema, by its draft. None of them asks the network. https://json-schema.org/specification-links */
import { Ajv, type AnySchemaObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { errorMessage } from '../base/errors.ts';

/** As helm: what a schema says of formats, of words it does not know and of itself is no fault of the values. */
const options: Options = {
  strict: false,
  allErrors: true,
  validateFormats: false,
  validateSchema: false,
  addUsedSchema: false,
  logger: false,
};
/** Up to draft 7 a reference stands for the whole of its schema. */
const older: Options = { ...options, ignoreKeywordsWithRef: true };

/** Makes a judge of a schema; a text says, as a clause, why there can be none. */
export function compileSchema(schema: object | boolean): ValidateFunction | string {
  try {
    return createJudge(schema);
  } catch (cause) {
    // Such as a reference to somewhere else, which is not followed.
    return errorMessage(cause).slice(0, 300);
  }
}

function createJudge(schema: object | boolean): ValidateFunction | string {
  if (typeof schema === 'boolean') return new Ajv(older).compile(schema);
  const { $schema, ...rest } = schema as AnySchemaObject;
  const dialect = typeof $schema === 'string' ? $schema : 'draft-07';
  if (/draft-0[67]\b/.test(dialect)) return new Ajv(older).compile(rest);
  // What draft 4 has otherwise is refused by the judge, and then there is none.
  if (/draft-04\b/.test(dialect)) {
    const { id: _, ...nameless } = rest;
    return new Ajv(older).compile(nameless);
  }
  if (/2019-09\b/.test(dialect)) return new Ajv2019(options).compile(rest);
  if (/2020-12\b/.test(dialect)) return new Ajv2020(options).compile(rest);
  return 'it is of a draft of JSON Schema that is not known here';
}
