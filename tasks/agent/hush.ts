/**
 * Nothing is printed from here on until `unhush`. task-lib shows the variables that it reads while it is being loaded,
 * the proxy's password among them, and it does so before anybody could tell it not to.
 */
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;

/** Ends the silence. */
export function unhush(): void {
  process.stdout.write = write;
}
