/**
 * Whether PyTorch answers as ours do, image by image, from the same weights.
 *
 * @module
 */

import type { PeerRun } from "../record/peer_runs.ts";
import type { AnswerComparison } from "./comparison.ts";
import type { PredictedRun } from "./rankings.ts";

/**
 * Sets the answers of PyTorch's runs beside those of the runs of ours whose weights they took, as far
 * as both go.
 *
 * @returns `answers` in the order of `peers`; `rest` are PyTorch's runs without such a one of ours.
 */
export function compareAnswers(
  runs: readonly PredictedRun[],
  peers: readonly PeerRun[],
): { answers: AnswerComparison[]; rest: PeerRun[] } {
  const answers: AnswerComparison[] = [];
  const rest: PeerRun[] = [];
  for (const peer of peers) {
    const theirs = peer.predictions ?? [];
    const ours = runs.find(({ row }) =>
      row.run_id === peer.run && row.model === peer.model &&
      row.dataset_sha256 === peer.dataset_sha256
    );
    if (ours === undefined || theirs.length === 0) {
      rest.push(peer);
      continue;
    }
    const { predictions } = ours.predictions;
    const images = Math.min(theirs.length, predictions.length);
    const same = theirs.slice(0, images).filter((digit, i) => digit === predictions[i]).length;
    answers.push({ row: ours.row, images, same, device: peer.device_name ?? null });
  }
  return { answers, rest };
}
