import type { HintLoss, Hints, SignInsChanged, Stop } from '../ports/hints.ts';

/** What the pod as a whole listens to; what one session or person needs is subscribed by the hub and the board. */
export function consumeHints(
  hints: Hints,
  handlers: { readonly signInsChanged: (change: SignInsChanged) => void; readonly lost: (loss: HintLoss) => void },
): Stop {
  const stops = [hints.onSignInsChanged(handlers.signInsChanged), hints.onLoss(handlers.lost)];
  return () => {
    for (const stop of stops) stop();
  };
}
