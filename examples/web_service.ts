/**
 * A web service that starts, restarts and stops one worker per tenant through the directories of a colony.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read=CONFIG,MESSAGES --allow-write=CONFIG,MESSAGES \
 *         examples/web_service.ts CONFIG MESSAGES WORKER [PORT]
 *
 *     curl -X PUT http://127.0.0.1:8000/workers/acme
 *
 * WORKER is the command, which gets the tenant's name as its argument. It never comes from a request: a client that may
 * choose the command can run anything. The service listens on the loopback address only, and has no authentication.
 *
 * First run: deno add jsr:@ncolony/core jsr:@ncolony/ctl
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

/** Handles a request. Returns the status of the response. */
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

/** Returns the status for an error. Invalid names and missing workers are the client's fault. */
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
