/**
 * Downloads the address given, once, and prints what is said of it. Run by network_failure_test.ts
 * with a proxy or a certificate store of its own.
 */

import { download } from "../../io/download.ts";
import { silentReporter } from "../../io/reporter.ts";

const [url = "", path = ""] = Deno.args;
try {
  await download({
    urls: [url],
    path,
    label: "the file",
    reporter: silentReporter,
    retryDelaysMs: [],
  });
  console.log("fetched");
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}
