/** The configuration's JSON Schema, for editors. It says what one key may be; what keys must be to each other, parsing says. */
import { z } from 'zod';
import { configurationSchema } from './configuration.ts';

/** Gives the schema, of draft 7, which the YAML servers of editors read best. Made of the same parts as the parser. */
export function createJsonSchema(): z.core.JSONSchema.JSONSchema {
  const { $schema, ...rest } = z.toJSONSchema(configurationSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      // Its pattern says it, and not every validator knows the format; so does the integer.
      if (jsonSchema.format === 'uuid') delete jsonSchema.format;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return { ...($schema && { $schema }), title: 'Image Lifecycle for Azure Pipelines', ...rest };
}
