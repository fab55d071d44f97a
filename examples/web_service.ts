/**
 * A web service that starts, restarts and stops one worker per tenant, through the directories of a colony.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=CONFIG,MESSAGES --allow-write=CONFIG,MESSAGES \
 *         examples/web_service.ts CONFIG MESSAGES WORKER [PORT]
 *
 *     curl -X PUT http://127.0.0.1:8000/workers/acme
 *
 * WORKER is the command, which gets the tenant's name as its argument. It is never taken from a request: who may choose a
 * command runs what they like. The service listens on the loopback only, and asks nobody who they are.
 *
 * Before that: deno add jsr:@ncolony/core jsr:@ncolony/ctl
 */

// deno-lint-ignore-file no-console -- a program talks to its user

import { SpecError } from "@ncolony/core";
import { add, remove, restart } from "@ncolony/ctl";

const [config, messages, worker, port = "8000"] = Deno.args;
if (config === undefined || messages === undefined || worker === undefined) {
  console.error("usage: web_service.ts CONFIG MESSAGES WORKER [PORT]");
  Deno.exit(2);
}
const places = { config, messages };

/** Does what a request asks for; gives the status of the answer. */
function act(method: string, path: string): number {
  const [, tenant, verb] = /^\/workers\/([^/]+)(\/restart)?$/.exec(path) ?? [];
  if (tenant === undefined) return 404;
  const name = decodeURIComponent(tenant);
  switch (`${method}${verb ?? ""}`) {
    case "PUT":
      add(places, name, worker!, [name], { extras: { group: ["workers"] } });
      return 204;
    case "DELETE":
      remove(places, name);
      return 204;
    case "POST/restart":
      restart(places, name);
      return 202;
    default:
      return 405;
  }
}

/** The status for what was thrown: wrong names are the client's fault, as is a worker that is not there. */
function statusOf(error: unknown): number {
  if (error instanceof Deno.errors.NotFound) return 404;
  return error instanceof SpecError || error instanceof RangeError || error instanceof URIError ? 400 : 500;
}

Deno.serve({ hostname: "127.0.0.1", port: Number(port) }, ({ method, url }) => {
  try {
    return new Response(null, { status: act(method, new URL(url).pathname) });
  } catch (error) {
    return new Response(error instanceof Error ? `${error.message}\n` : null, { status: statusOf(error) });
  }
});
