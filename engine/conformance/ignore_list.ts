/**
 * The specs that tfjs-node-gpu leaves out, read from its own package.
 *
 * @module
 */

/**
 * The strings of `IGNORE_LIST` in tfjs-node-gpu's `run_tests.js`: a spec is left out if its full
 * name contains one of them.
 *
 * @throws {SyntaxError} If the file has no such list.
 */
export async function readIgnoreList(): Promise<string[]> {
  const url = import.meta.resolve("@tensorflow/tfjs-node-gpu/dist/run_tests.js");
  return parseIgnoreList(await Deno.readTextFile(new URL(url)), Deno.build.os === "windows");
}

/** See {@linkcode readIgnoreList}; `windows` adds the specs that it leaves out there only. */
export function parseIgnoreList(source: string, windows: boolean): string[] {
  const literal = /var IGNORE_LIST = \[\n(.*?)\n\];/s.exec(source)?.[1];
  const lines = literal?.split("\n").map((line) => line.trim()) ?? [];
  const names = lines.filter((line) => !line.startsWith("//")).map((line) =>
    /^'([^']*)',?$/.exec(line)?.[1]
  );
  if (windows) {
    for (const [, name] of source.matchAll(/IGNORE_LIST\.push\('(.*)'\);/g)) names.push(name);
  }
  const found = names.filter((name) => name !== undefined);
  if (found.length === 0 || found.length < names.length) {
    throw new SyntaxError("Cannot read IGNORE_LIST of tfjs-node-gpu's run_tests.js");
  }
  return found;
}
