/**
 * The one configuration of everything that deletes: text in, typed values out. Pure: it reads no file and no environment,
 * so it knows only where a secret stands. Every message names the key, and the line where there is one.
 * docs/configuration.md explains each key.
 */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { inputError } from '../../base/errors.ts';
import { findYamlFault } from '../../base/yaml-fault.ts';
import { isRegistryHost } from '../../oci/reference.ts';
import { defaultRules, type Rules } from '../rules.ts';
import { duration, flag, say, units } from './configuration-values.ts';

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

function isUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.password || url.search || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname));
}

function isRegistryAddress(text: string): boolean {
  const host = text.replace(/^http:\/\//, '');
  return isRegistryHost(host) && (host === text || loopback.has(host.replace(/:\d+$/, '')));
}

/** A star beside a placeholder, or a digit, would let build 47 own what is build 471's. */
const ownPattern = /^(?:(?![{}]).)*(?<![*0-9])\{(?:buildId|buildNumber)\}(?![*0-9])(?:(?![{}]).)*$/;
const glob = (allowed: RegExp) => (text: string) => allowed.test(text) && text.split('*').length <= 5;

const guid = z.guid(say('must be a GUID')).toLowerCase();
const url = z
  .string()
  .refine(isUrl, 'must be an https:// URL without user, query and fragment (http:// for this machine alone)');
const word = z.string().min(1, 'must not be empty');

const secret = z.union(
  [
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
    z.strictObject({ file: z.string().min(1).max(4096) }),
  ],
  say('must be { env: NAME } or { file: path }; a secret never stands in the configuration itself'),
);

const azure = z.strictObject({ kind: z.literal('azure'), clientId: guid.optional(), authority: url.optional() });
/** A registry is told the tenant when it exchanges the token. */
const azureOfTenant = azure.extend({
  tenantId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, "must be a tenant's GUID or domain")
    .optional(),
});
const password = z.strictObject({ kind: z.literal('password'), username: word, password: secret });
const pat = z.strictObject({ kind: z.literal('pat'), token: secret });

const registry = z.strictObject({
  registry: z
    .string()
    .toLowerCase()
    .refine(isRegistryAddress, "must be a registry's host name, such as contoso.azurecr.io, without https://"),
  /** Left out it tells apart what a build pushed and what a promotion brought. */
  onBuildDeleted: flag(['delete', 'keep']).optional(),
  signIn: z.discriminatedUnion('kind', [azureOfTenant, password], say('must be azure or password')),
});

const repositoryPattern = z
  .string()
  .max(255, 'must have at most 255 characters')
  .refine(glob(/^[a-z0-9*][a-z0-9._/*-]*$/), 'must be a repository, in which up to four * stand for any characters');
const tagPattern = z
  .string()
  .max(128, 'must have at most 128 characters')
  .refine(glob(/^[A-Za-z0-9_*{}][A-Za-z0-9._*{}-]*$/), 'must be a tag, in which up to four * stand for any characters')
  .refine(
    text => ownPattern.test(text),
    'must hold {buildId} or {buildNumber} once, with neither a digit nor * beside it: build 47 must not own 471',
  );

const project = z.strictObject({
  id: guid,
  repositories: z.array(repositoryPattern).min(1, 'must name at least one repository').default(['*']),
});

const organization = z.strictObject({
  url: url.transform(text => text.replace(/\/+$/, '')),
  collectionId: guid.optional(),
  signIn: z.discriminatedUnion('kind', [azure, pat], say('must be azure or pat')),
  buildTagPrefix: z
    .string()
    .max(64, 'must have at most 64 characters')
    .regex(
      /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*(?<![0-9]))?$/,
      'must be the beginning of a tag and not end in a digit: a1 and build 1 would be a and build 11',
    )
    .default(''),
  projects: z.array(project).min(1, 'must name at least one project'),
  alsoOwn: z.array(tagPattern).default([]),
});

function limit(of: { readonly images: number; readonly percent: number }) {
  return z
    .strictObject({
      images: z.int(say('must be a whole number')).min(1, 'must be at least 1').default(of.images),
      percent: z
        .number(say('must be a number'))
        .min(0, 'must be at least 0')
        .max(100, 'must be at most 100')
        .default(of.percent),
    })
    .prefault({});
}

const port = 'must be a whole number from 0 to 65535';
const server = z.strictObject({
  host: word.default('0.0.0.0'),
  port: z.int(say(port)).min(0, port).max(65535, port).default(8080),
  username: z.string().regex(/^[^:\p{Cc}]+$/u, 'must be text without a colon, which HTTP takes for its end'),
  password: secret,
});

const reconcile = z
  .strictObject({
    every: duration(units.m, 7 * units.d).prefault('1h'),
    minimumInterval: duration(0, 7 * units.d).prefault('1m'),
  })
  .refine(value => value.minimumInterval <= value.every, {
    path: ['minimumInterval'],
    message: 'must not be longer than reconcile.every',
  })
  .prefault({});

const schema = z
  .strictObject({
    registries: z.array(registry).min(1, 'must name at least one registry'),
    organizations: z.array(organization).min(1, 'must name at least one organization'),
    grace: duration(0, 3650 * units.d).default(defaultRules.graceMs),
    brake: z
      .strictObject({ deleted: limit(defaultRules.brake.deleted), absent: limit(defaultRules.brake.absent) })
      .prefault({}),
    reconcile,
    server: server.optional(),
  })
  .superRefine(checkTogether);

/** Where a secret stands: the name of an environment variable, or the path of a file. */
export type SecretPlace = z.output<typeof secret>;
/** Sign-in with Microsoft Entra: the environment, workload or managed identity of where the program runs. */
export type AzureSignIn = z.output<typeof azure>;
/** One registry to look after. */
export type RegistryConfiguration = z.output<typeof registry>;
/** One organization of Azure DevOps Services, or one collection of Azure DevOps Server. */
export type OrganizationConfiguration = z.output<typeof organization>;
/** Where the handler listens, and who may call it. */
export type ServerConfiguration = z.output<typeof server>;
/** The whole configuration; durations are milliseconds, GUIDs lower-case. */
export type Configuration = z.output<typeof schema>;

/** What one reconciliation is about. */
export interface Pairing {
  readonly registry: RegistryConfiguration;
  readonly organization: OrganizationConfiguration;
  readonly rules: Rules;
}

/**
 * Reads the text of a configuration; `name` is what messages call it. Unknown keys are errors.
 * Throws INPUT_INVALID with a line `name:line: key message` for each fault; no message repeats a value.
 */
export function parseConfiguration(text: string, name: string): Configuration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fault = findYamlFault(document, lines);
  if (fault) throw inputError(`${name}:${fault.line}: the configuration is not YAML: ${fault.reason}`);
  const read = schema.safeParse(toPlainValue(document, name), { error: explain });
  if (read.success) return read.data;
  const faults = read.error.issues.flatMap(issue => {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map(key => [...issue.path, key]) : [[...issue.path]];
    return paths.map(path => {
      const line = findLine(document, lines, path);
      return `${name}${line === undefined ? '' : `:${line}`}: ${showPath(path)} ${issue.message}`;
    });
  });
  throw inputError(faults.join('\n'));
}

/** Every registry with every organization, each with its rules. */
export function listPairings(configuration: Configuration): Pairing[] {
  return configuration.registries.flatMap(registry =>
    configuration.organizations.map(organization => ({
      registry,
      organization,
      rules: {
        projects: organization.projects.map(({ id, repositories }) => ({ projectId: id, repositories })),
        buildTagPrefix: organization.buildTagPrefix,
        alsoOwn: organization.alsoOwn,
        onBuildDeleted: registry.onBuildDeleted ?? defaultRules.onBuildDeleted,
        promoted: registry.onBuildDeleted ?? defaultRules.promoted,
        graceMs: configuration.grace,
        brake: configuration.brake,
      },
    })),
  );
}

type Whole = Pick<Configuration, 'registries' | 'organizations'>;

function checkTogether({ registries, organizations }: Whole, context: z.RefinementCtx): void {
  const fault = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  for (const [at, one] of registries.entries()) {
    const first = registries.findIndex(other => other.registry === one.registry);
    if (first < at) fault(['registries', at, 'registry'], `names the same registry as registries[${first}]`);
  }
  const owners = new Map<string, string>();
  for (const [at, one] of organizations.entries()) {
    const same = organizations.findIndex(other => other.url.toLowerCase() === one.url.toLowerCase());
    if (same < at) fault(['organizations', at, 'url'], `names the same organization as organizations[${same}]`);
    for (const [index, { id }] of one.projects.entries()) {
      const path = ['organizations', at, 'projects', index, 'id'];
      const owner = owners.get(id);
      if (owner !== undefined) fault(path, `names the same project as ${owner}`);
      owners.set(id, showPath(path.slice(0, -1)));
    }
    if (organizations.length > 1)
      checkPrefix(organizations, at, message => fault(['organizations', at, ...message.key], message.text));
  }
}

/** Two organizations count their builds each from 1, so without a prefix the one's end would take the other's image. */
function checkPrefix(
  organizations: Whole['organizations'],
  at: number,
  fault: (message: { readonly key: PropertyKey[]; readonly text: string }) => void,
): void {
  const one = organizations[at];
  if (!one) return;
  const key = ['buildTagPrefix'];
  const why =
    'build ids are unique within one organization only, so the end of one build could take the image of another';
  if (one.buildTagPrefix === '') {
    fault({ key, text: `is needed where there are several organizations: ${why}` });
    return;
  }
  const rival = organizations.findIndex(
    (other, index) =>
      index !== at &&
      other.buildTagPrefix !== '' &&
      one.buildTagPrefix.toLowerCase().startsWith(other.buildTagPrefix.toLowerCase()),
  );
  if (rival >= 0) fault({ key, text: `must not begin with that of organizations[${rival}]: ${why}` });
  for (const [index, pattern] of one.alsoOwn.entries()) {
    if (pattern.startsWith(one.buildTagPrefix)) continue;
    fault({
      key: ['alsoOwn', index],
      text: `must begin with buildTagPrefix where there are several organizations: ${why}`,
    });
  }
}

function toPlainValue(document: Document, name: string): unknown {
  try {
    return document.toJS();
  } catch {
    // The reason would quote the alias.
    throw inputError(`${name}: the configuration uses an alias that has no anchor, or far too many of them`);
  }
}

const nouns: Readonly<Record<string, string>> = { object: 'a block of keys', array: 'a list', string: 'text' };

function explain(issue: { readonly code?: string; readonly input?: unknown; readonly expected?: unknown }): string {
  if (issue.code === 'unrecognized_keys') return 'is not a key that is known here';
  if (issue.input === undefined) return 'is missing';
  const noun = nouns[String(issue.expected)] ?? 'something else';
  const quoted = noun === 'text' && issue.input !== null && typeof issue.input !== 'object';
  return `must be ${noun}${quoted ? ', so put it into quotes' : ''}`;
}

function showPath(path: readonly PropertyKey[]): string {
  const text = path.map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return text.replace(/^\./, '') || 'the configuration';
}

/** The line of the key, or of the nearest block around it where the key is missing. */
function findLine(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(item => isScalar(item.key) && item.key.value === last) : undefined;
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
