/**
 * A claim is a soft lock of 30 s: renewed while its request is on a visible page, given back when it leaves.
 *
 * @import { HelpRequest } from "../../../core/types.js"
 */

import { useEffect } from "preact/hooks";

import { may } from "../../permission.js";
import { send, session } from "../../store.js";

const RENEW_MS = 10_000;

/**
 * Who looks after a request, as this person sees it.
 * @param {HelpRequest} request
 * @returns {"nobody" | "me" | "other"}
 */
export function claimOf(request) {
  if (!request.claimed_by) return "nobody";
  return request.claimed_by === session.value?.name ? "me" : "other";
}

/**
 * Claim what was chosen, unless somebody else has it.
 * @param {HelpRequest | null} request
 */
export function useClaim(request) {
  const isWanted = request !== null && may("operator") && claimOf(request) !== "other";
  const requestId = isWanted ? request.request_id : "";
  useEffect(() => {
    if (!requestId) return undefined;
    const renew = () => {
      if (document.visibilityState === "visible") send({ type: "claim", request_id: requestId });
    };
    renew();
    const timer = setInterval(renew, RENEW_MS);
    document.addEventListener("visibilitychange", renew);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", renew);
      send({ type: "unclaim", request_id: requestId });
    };
  }, [requestId]);
}
