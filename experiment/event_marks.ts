/**
 * `events.json` in a run's folder: up to where its event files belong to finished epochs. With it a run
 * that is resumed has the events of one never interrupted.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { readRegularText } from "../io/regular_file.ts";

/** Up to where the events of a number of epochs go. */
export interface EventMark {
  /** Finished epochs; 0 before the first. */
  epochs: number;
  /** Name of the event file that was written then, one for each process. */
  file: string;
  /** Its length then, in bytes. */
  bytes: number;
}

/** A thousand epochs have less. */
const MOST_BYTES = 1e6;

/**
 * Takes back what a run's earlier processes wrote after these epochs. Files of others stay as they are.
 *
 * @returns The marks that stay.
 */
export async function takeBackEvents(folder: string, epochs: number): Promise<EventMark[]> {
  const there = await eventFiles(folder);
  const marks = (await readMarks(folder)).filter(({ file }) => there.includes(file));
  const kept = marks.filter((mark) => mark.epochs <= epochs);
  for (const file of new Set(marks.map((mark) => mark.file))) {
    const path = join(folder, file);
    const last = kept.findLast((mark) => mark.file === file);
    if (last === undefined) await Deno.remove(path);
    else if ((await Deno.stat(path)).size > last.bytes) await Deno.truncate(path, last.bytes);
  }
  return kept;
}

export async function writeMarks(folder: string, marks: readonly EventMark[]): Promise<void> {
  await writeFileAtomic(pathIn(folder), JSON.stringify(marks) + "\n");
}

/** None if there is no such file, or if it is damaged. */
async function readMarks(folder: string): Promise<EventMark[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readRegularText(pathIn(folder), { maxBytes: MOST_BYTES }));
  } catch {
    return [];
  }
  return Array.isArray(value) && value.every(isMark) ? value : [];
}

function isMark(value: unknown): value is EventMark {
  if (typeof value !== "object" || value === null) return false;
  const { epochs, file, bytes } = value as Partial<EventMark>;
  return Number.isInteger(epochs) && Number.isInteger(bytes) && typeof file === "string";
}

function pathIn(folder: string): string {
  return join(folder, "events.json");
}

/** The names of the event files in a folder, sorted. */
export async function eventFiles(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).filter((name) => name.includes(".tfevents.")).sort();
}
