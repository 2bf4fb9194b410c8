/**
 * How a Python may be started.
 *
 * @module
 */

/** Commands that may start a Python, in the order they are asked. */
export const PYTHON_COMMANDS: readonly (readonly string[])[] = [["python3"], ["python"], ["py"]];

/**
 * What a program that is handed to Python begins with, before it loads anything: the working folder is
 * left out of the search for modules, so that a `json.py` there is not run for Python's own.
 */
export const OWN_MODULES = `import sys
sys.path[:] = [folder for folder in sys.path if folder]
`;

/** What `-m pip` does, but for the working folder. */
const RUN_PIP = `${OWN_MODULES}import runpy
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;

/**
 * What to start for a command that ends in `-m pip`: the same pip, wherever it is started from. Pythons
 * before 3.11 cannot be told to leave the working folder alone and nothing else. Any other command stays
 * as it is.
 */
export function withOwnModules(command: readonly string[]): string[] {
  const isModule = command.at(-2) === "-m" && command.at(-1) === "pip";
  return isModule ? [...command.slice(0, -2), "-c", RUN_PIP] : [...command];
}
