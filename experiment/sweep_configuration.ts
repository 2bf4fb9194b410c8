/**
 * What the suite itself reads of a sweep's configuration, which is Snakemake's to read and to judge: with
 * what a machine is to be measured.
 *
 * @module
 */

/** The settings that decide how fast a machine is, with the defaults of `config.schema.yaml`. */
const MEASURED = { backend: "tensorflow", device: "auto", threads: "2" } as const;

/** Flags for `machine_rates.ts` by a configuration, in YAML or JSON. */
export function measuredFlags(text: string): string[] {
  return Object.entries(MEASURED)
    .map(([name, usual]) => `--${name}=${settingOf(text, name) ?? usual}`);
}

/** A word or a number; recipes have no settings of these names. */
function settingOf(text: string, name: string): string | undefined {
  const pattern = `(?:^|[{,])[ \\t]*["']?${name}["']?[ \\t]*:[ \\t]*["']?(\\w+)`;
  const withoutComments = text.replace(/(^|\s)#.*$/gm, "$1");
  return new RegExp(pattern, "m").exec(withoutComments)?.[1];
}
