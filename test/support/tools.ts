/** What the tests need from the machine, said in one line where it is missing. */

/** The error for a witness that is not installed. */
export function missingTool(name: string): Error {
  return new Error(`"${name}" is missing, which these tests need: apt-get install -y docker-registry skopeo`);
}
