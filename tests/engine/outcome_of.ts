/**
 * What came of a use, for scripts whose output tests read.
 *
 * @returns What it gave, `"nothing"` if that was nothing, or the error in words.
 */
export async function outcomeOf(action: () => unknown): Promise<unknown> {
  try {
    return await action() ?? "nothing";
  } catch (error) {
    return `${error}`;
  }
}
