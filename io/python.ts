/**
 * How a Python may be started.
 *
 * @module
 */

/** Commands that may start a Python, in the order they are asked. */
export const PYTHON_COMMANDS: readonly (readonly string[])[] = [["python3"], ["python"], ["py"]];
