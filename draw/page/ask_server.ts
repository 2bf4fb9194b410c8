/// <reference lib="dom" />
/**
 * The page of `deno task draw`: a server answers.
 *
 * @module
 */

import { showFailure, startPage } from "./page.ts";
import { type Answer, ANSWER_PATH, BusyError, DATA_PATH, type PageData } from "./protocol.ts";

async function main(): Promise<void> {
  const data: PageData = await (await fetch(DATA_PATH)).json();
  startPage(data, {
    place: "the program that serves this page",
    async read(model, pixels): Promise<Answer> {
      const name = encodeURIComponent(data.models[model]!.name);
      const response = await fetch(`${ANSWER_PATH}?model=${name}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: new Uint8Array(pixels),
      }).catch(() => {
        throw new Error("no answer: is deno task draw still running?");
      });
      if (response.ok) return await response.json();
      const reason = (await response.text()).trim();
      throw response.status === 503 ? new BusyError(reason) : new Error(reason);
    },
  });
}

main().catch(showFailure);
