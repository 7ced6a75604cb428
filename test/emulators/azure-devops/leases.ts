/** Retention leases: while one lives, the retention job leaves its build alone. */
import type { SettableClock } from '../settable-clock.ts';

/** A lease; times are milliseconds. */
export interface Lease {
  readonly leaseId: number;
  readonly ownerId: string;
  readonly definitionId: number;
  readonly runId: number;
  readonly createdOn: number;
  validUntil: number;
  protectPipeline: boolean;
}

/** What a new lease is made of; `daysValid` counts from now. */
export interface NewLease {
  readonly ownerId: string;
  readonly definitionId: number;
  readonly runId: number;
  readonly daysValid: number;
  readonly protectPipeline?: boolean;
}

/** The leases of the organization. */
export interface Leases {
  add(lease: NewLease): Lease;
  /** The lease that the owner of a new one has on its build already. */
  find(lease: NewLease): Lease | undefined;
  /** Undefined when it never was, was removed, or has run out. */
  get(leaseId: number): Lease | undefined;
  remove(leaseId: number): boolean;
  update(
    leaseId: number,
    change: { daysValid?: number | undefined; protectPipeline?: boolean | undefined },
  ): Lease | undefined;
  ofBuild(runId: number): Lease[];
  all(): Lease[];
}

const day = 24 * 60 * 60 * 1000;

/** Makes an empty set of leases that run out by `clock`. */
export function createLeases(clock: SettableClock): Leases {
  const leases = new Map<number, Lease>();
  let next = 1;
  const live = (lease: Lease): boolean => lease.validUntil > clock.now();
  const made: Leases = {
    add: ({ daysValid, protectPipeline = false, ...rest }) => {
      const now = clock.now();
      const lease = { ...rest, leaseId: next++, createdOn: now, validUntil: now + daysValid * day, protectPipeline };
      leases.set(lease.leaseId, lease);
      return lease;
    },
    find: ({ ownerId, runId }) => made.ofBuild(runId).find(lease => lease.ownerId === ownerId),
    get: leaseId => {
      const lease = leases.get(leaseId);
      return lease !== undefined && live(lease) ? lease : undefined;
    },
    remove: leaseId => leases.delete(leaseId),
    update: (leaseId, { daysValid, protectPipeline }) => {
      const lease = made.get(leaseId);
      if (lease === undefined) return undefined;
      if (daysValid !== undefined) lease.validUntil = clock.now() + daysValid * day;
      if (protectPipeline !== undefined) lease.protectPipeline = protectPipeline;
      return lease;
    },
    ofBuild: runId => made.all().filter(lease => lease.runId === runId),
    all: () => [...leases.values()].filter(live),
  };
  return made;
}
