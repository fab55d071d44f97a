import { restart } from "./ctl.ts";
import { left, ORIGIN, type Request, waiterFor } from "./request.ts";

/**
 * Restarts many processes by one message, or with `--rolling` each by its own. With `--wait`, waits for those that run.
 *
 * @param send Sends the message for all of them, and returns its name.
 * @param isMeant Returns whether a process is one of them.
 * @returns The exit code.
 */
export async function restartMany(
  request: Request,
  send: () => string,
  isMeant: (name: string) => boolean = () => true,
): Promise<number> {
  const waiter = await waiterFor(request);
  const running = waiter?.running().filter(isMeant) ?? [];
  if (waiter?.isRolling) {
    return await waiter.untilRestarted(running, (name) => restart(request.places, name, ORIGIN));
  }
  const message = send();
  return await waiter?.untilRestarted(running, () => message) ?? left(request);
}
