/**
 * What this machine has for the study, and how to get what it lacks: `deno task doctor`.
 *
 * @module
 */

import { readCommandLine } from "../io/help_text.ts";
import { MNIST } from "../data/sources.ts";
import { printableJson } from "../io/printable.ts";
import { createReporter, formatBytes, pageColumns, print } from "../io/reporter.ts";
import {
  type DataStatus,
  type DoctorReport,
  examineMachine,
  type ProgramStatus,
  type State,
} from "../experiment/machine_report.ts";
import type { UnusableLibrary } from "../engine/library_status.ts";
import type { StudyError } from "../io/errors.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { denoProblem } from "../io/deno_version.ts";
import { runScript } from "../io/run_script.ts";

const FLAGS = {
  libtensorflow: { kind: "path", help: "the library to look at, instead of one found" },
  json: { kind: "boolean", help: "print the findings as JSON" },
  verbose: { kind: "boolean", help: "show where the library was looked for, and stacks of errors" },
  help: { kind: "boolean", help: "show this page; -h does too" },
} as const satisfies FlagTable;

/** One thing looked at. */
interface Finding {
  state: State;
  name: string;
  /** What there is, or what is wrong. */
  detail: string;
  /** What fixes it, if anything does. */
  remedy?: string;
}

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task doctor [flags]",
    description: "Looks at what this machine has for the study (Deno, engine, data, weights, " +
      "cache, results) and says what is missing and which command fixes it. Writes nothing, and fetches " +
      "nothing but the npm packages that the first deno task of any kind installs. " +
      "Exit status: 0 if part 1 can run, where necessary after fetching what is missing by itself; " +
      "1 if something must be fixed first; 2 for a wrong flag.",
    table: FLAGS,
    examples: ["deno task doctor", "deno task doctor --json"],
  });
  if (flags === undefined) return;
  const report = await examineMachine(flags);
  if (flags.json) {
    print(printableJson(report));
  } else {
    const reporter = createReporter();
    for (const line of page(report, flags)) reporter.line(line);
  }
  if (!report.ok) Deno.exitCode = 1;
}

/** The findings as lines, in groups. */
function page(report: DoctorReport, { verbose }: { verbose: boolean }): string[] {
  const groups: [title: string, findings: Finding[]][] = [
    ["Deno", denoFindings(report)],
    ["Engine", engineFindings(report, verbose)],
    ["Data", dataFindings(report)],
    ["Weights", weightFindings(report)],
    ["Cache", cacheFindings(report)],
    ["Results", [resultsFinding(report)]],
  ];
  const width = Math.max(...groups.flatMap(([, list]) => list.map(({ name }) => name.length)));
  return [
    ...groups.flatMap(([title, list]) => [
      title,
      ...list.flatMap((finding) => findingLines(finding, width)),
    ]),
    "",
    verdict(report),
  ];
}

const STATE_WIDTH = "damaged".length;

function findingLines({ state, name, detail, remedy }: Finding, nameWidth: number): string[] {
  const start = `  ${state.padEnd(STATE_WIDTH)}  ${name.padEnd(nameWidth)}  `;
  const width = pageColumns() - start.length;
  const texts = wrap(detail, width);
  if (remedy) texts.push(...wrap(`fix: ${remedy}`, width));
  return texts.map((text, i) => (i === 0 ? start : " ".repeat(start.length)) + text);
}

function wrap(text: string, width: number): string[] {
  return text.split(" ").reduce<string[]>((done, word) => {
    const last = done.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) return [...done, word];
    return [...done.slice(0, -1), `${last} ${word}`];
  }, []);
}

function verdict({ ok, engine, auto }: DoctorReport): string {
  if (!ok) return "Part 1 cannot run yet: see above.";
  if (engine.state === "ok") return "Part 1 can run: deno task part1";
  return engine.fetchable
    ? "Part 1 can run once it has fetched libtensorflow, which it does itself: deno task part1"
    : `Part 1 can run, on ${auto.takes === "webgpu" ? "WebGPU" : "WebAssembly"}: deno task part1`;
}

function denoFindings({ versions, machine }: DoctorReport): Finding[] {
  const { deno, v8, typescript } = versions;
  const { processor, processor_model, cores, memory_bytes, limits, os, arch } = machine;
  const allowed = [
    ...(limits.cpus === null ? [] : [`cores: ${Number(limits.cpus.toFixed(2))}`]),
    ...(limits.memory_bytes === null ? [] : [`memory: ${formatBytes(limits.memory_bytes)}`]),
  ];
  return [
    denoFinding(`${deno} (V8 ${v8}, TypeScript ${typescript})`, denoProblem(deno)),
    { state: "ok", name: "system", detail: `${os} ${arch}` },
    {
      state: "ok",
      name: "processor",
      detail: [processor, processor_model, `cores: ${cores}`].filter(Boolean).join(", "),
    },
    { state: "ok", name: "memory", detail: formatBytes(memory_bytes) },
    {
      state: "ok",
      name: "cgroup limits",
      detail: allowed.length === 0 ? "none" : allowed.join(", "),
    },
  ];
}

function denoFinding(detail: string, problem: StudyError | undefined): Finding {
  if (problem === undefined) return { state: "ok", name: "deno", detail };
  return { state: "damaged", name: "deno", detail: problem.what, remedy: problem.remedy! };
}

function engineFindings(
  { engine, webgpu, wasm, auto, python, pip, machine }: DoctorReport,
  verbose: boolean,
): Finding[] {
  const name = "libtensorflow";
  const library: Finding[] = engine.state === "ok"
    ? [
      { state: "ok", name, detail: `${engine.version} from ${engine.source}: ${engine.path}` },
      {
        state: "ok",
        name: "device",
        detail: `${engine.device}, threads: ${engine.threads} (--threads N sets them), ` +
          `precision: ${engine.precisions.join(", ")}`,
        ...threadAdvice(engine.threads, machine.limits.cpus),
      },
    ]
    : [
      { state: engine.state, name, detail: problemOf(engine, verbose), remedy: engine.remedy },
      ...(verbose ? engine.details.map((detail) => ({ state: engine.state, name, detail })) : []),
    ];
  return [
    ...library,
    programFinding("python", python),
    programFinding("pip", pip),
    { ...webgpu, name: "webgpu" },
    { ...wasm, name: "wasm" },
    { state: "ok", name: "--backend auto", detail: `takes ${auto.detail}` },
  ];
}

/** More threads than processors are put to sleep for a part of the time. */
function threadAdvice(threads: number, cpus: number | null): Partial<Finding> {
  if (cpus === null || threads <= Math.max(1, Math.ceil(cpus))) return {};
  return { remedy: `--threads ${Math.max(1, Math.floor(cpus))}, as the control group allows` };
}

function problemOf({ problem, details }: UnusableLibrary, verbose: boolean): string {
  if (details.length === 0 || verbose) return problem;
  return `${problem}. --verbose shows where it was looked for`;
}

function programFinding(name: string, status: ProgramStatus): Finding {
  const { state, version, command, problem = "not found", remedy } = status;
  const detail = state === "ok"
    ? `${version} (${command})`
    : `${problem}; needed only to fetch libtensorflow's wheel`;
  return { state, name, detail, remedy };
}

function dataFindings({ data }: DoctorReport): Finding[] {
  if (data.problem !== "") return [{ state: "damaged", name: "data", detail: data.problem }];
  const state = data.auto === "" ? "missing" : "ok";
  const detail = data.auto === "" ? `fetches ${MNIST.name} first` : `takes ${data.auto}`;
  return [...data.datasets.map(dataFinding), { state, name: "--data auto", detail }];
}

function dataFinding({ state, name, place, bytes, problem, remedy }: DataStatus): Finding {
  const size = bytes === 0 ? "" : `${formatBytes(bytes)} in `;
  if (state === "ok") return { state, name, detail: `${size}${place}` };
  const detail = state === "missing" ? `not in ${place}` : problem;
  return { state, name, detail, remedy };
}

function weightFindings({ weights }: DoctorReport): Finding[] {
  const { folder, files, published } = weights;
  const wanted = published.map(({ state, name: file, bytes, problem, remedy }): Finding => {
    const name = /^[a-z0-9]+/.exec(file)![0]; // vgg16-397923af.pth is of vgg16
    if (state === "ok") return { state, name, detail: `${formatBytes(bytes)} in ${file}` };
    const detail = state === "missing" ? `no ${file} in ${folder}` : problem;
    return { state, name, detail, remedy };
  });
  const others = files.filter(({ name }) => published.every((file) => file.name !== name));
  return [...wanted, ...others.map(sizeFinding)];
}

function cacheFindings({ cache, engine }: DoctorReport): Finding[] {
  const { folder, bytes, entries, problem, obstacle } = cache;
  const keeps = obstacle ? `, and nothing can be kept there (${obstacle.reason})` : "";
  const detail = problem ?? `${formatBytes(bytes)} in ${folder}${keeps}`;
  // One that others filled may well be read-only.
  const isDamaged = problem !== undefined || (obstacle !== undefined && engine.state !== "ok");
  const all: Finding = isDamaged
    ? { state: "damaged", name: "all", detail, ...(obstacle && { remedy: obstacle.remedy }) }
    : { state: "ok", name: "all", detail };
  return [all, ...entries.map(sizeFinding)];
}

function resultsFinding({ results: { folder, problem, remedy } }: DoctorReport): Finding {
  if (problem === "") return { state: "ok", name: "results", detail: `go to ${folder}` };
  return { state: "damaged", name: "results", detail: problem, remedy };
}

function sizeFinding({ name, bytes }: { name: string; bytes: number }): Finding {
  return { state: "ok", name, detail: formatBytes(bytes) };
}

if (import.meta.main) await runScript(main, { anyDeno: true });
