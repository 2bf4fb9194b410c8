/** Sets up a part and prints whether programs may be started then, and the commit: for a test. */

import { gitState } from "../../experiment/provenance.ts";
import { setUp } from "../../experiment/set_up.ts";

const [out, mayStartPrograms] = Deno.args;
using _ = await setUp(1, {
  ...{ out: out!, data: "auto", backend: "auto", device: "auto", precision: undefined },
  ...{ resume: false, quiet: true, json: false, strict: false, tensorboard: false },
  mayStartPrograms: mayStartPrograms === "true",
});
const { state } = await Deno.permissions.query({ name: "run", command: "git" });
console.log(state, (await gitState())?.commit);
