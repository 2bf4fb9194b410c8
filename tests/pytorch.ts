/** PyTorch itself, for tests that ask it. */

/** Why PyTorch can't be asked, if so. */
export async function noPyTorch(): Promise<string | undefined> {
  const find = "import sys; from importlib.util import find_spec as f; " +
    "print(*[m for m in ('torch', 'safetensors', 'numpy') if f(m) is None])";
  try {
    const { stdout } = await new Deno.Command("python3", { args: ["-c", find] }).output();
    const missing = new TextDecoder().decode(stdout).trim();
    return missing === "" ? undefined : `python3 lacks ${missing}`;
  } catch {
    return "there is no python3";
  }
}
