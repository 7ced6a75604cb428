/** The brake of what goes for want of a tag: so many images of a registry within a day, then a person is asked. Pure. */
import { AppError } from '../../base/errors.ts';
import type { BrakeLimit } from '../rules.ts';
import type { UntaggedNote } from './untagged-note.ts';

/** What the brake must know. */
export interface UntaggedBrakeFacts {
  readonly limit: BrakeLimit;
  /** All images of the registry. */
  readonly images: number;
  readonly isApproved: boolean;
}

/** Asked before each repository, told after it. */
export interface UntaggedBrake {
  /** Throws `BRAKE` where so many more would pass the limit. */
  check(repository: string, images: number): void;
  add(images: number): void;
}

/** A share of few images is no sign of trouble. */
const floor = 20;

/** Makes the brake of one registry and run; `notes` are those of the last day. */
export function createUntaggedBrake(
  { limit, images, isApproved }: UntaggedBrakeFacts,
  notes: readonly UntaggedNote[],
): UntaggedBrake {
  const share = Math.max(floor, Math.floor((images * limit.percent) / 100));
  const allowed = Math.min(limit.images, share);
  /** The key of the configuration that the limit comes from: the number alone may stand nowhere. */
  const tellSource = (): string => {
    if (limit.images <= share) return 'brake.deleted.images';
    if (share === floor) return 'which may go whatever brake.deleted.percent says';
    return `${limit.percent} % of ${images} images, brake.deleted.percent`;
  };
  let count = notes.reduce((sum, note) => sum + note.count, 0);
  return {
    check(repository, more) {
      if (isApproved || count + more <= allowed) return;
      throw new AppError(
        `The brake holds: ${more} images of ${repository} that have no tag would make ${count + more} in 24 hours (the limit is ${allowed}, ${tellSource()}).`,
        { code: 'BRAKE' },
      );
    },
    add(more) {
      count += more;
    },
  };
}
