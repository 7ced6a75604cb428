/** The parts of the configuration that say how careful to be: `grace` and `brake`. */
import { z } from 'zod';
import { defaultRules } from '../rules.ts';
import { duration, say, units } from './configuration-values.ts';

/** `grace`: from taking the tags off to deleting. */
export const graceSchema = duration(0, 3650 * units.d)
  .prefault(`${defaultRules.graceMs / units.h}h`)
  .describe("Time between taking a build's tags off and deleting its images.");

function limit(of: { readonly images: number; readonly percent: number }, what: string) {
  return z
    .strictObject({
      images: z
        .int(say('must be a whole number'))
        .min(1, 'must be at least 1')
        .prefault(of.images)
        .describe('Images within 24 hours.'),
      percent: z
        .number(say('must be a number'))
        .min(0, 'must be at least 0')
        .max(100, 'must be at most 100')
        .prefault(of.percent)
        .describe('Per cent of the builds on record within 24 hours.'),
    })
    .prefault({})
    .describe(what);
}

/** `brake`: how much may go before a person is asked. */
export const brakeSchema = z
  .strictObject({
    deleted: limit(defaultRules.brake.deleted, 'For builds that Azure DevOps calls deleted.'),
    absent: limit(defaultRules.brake.absent, 'For builds that Azure DevOps no longer knows.'),
  })
  .prefault({})
  .describe("How much may go within 24 hours without a person's approval.");
