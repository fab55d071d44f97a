/** A tiny HTTP server for the demo. It listens on the loopback address and prints its URL. */

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => print(`listening on http://${hostname}:${port}/`),
}, (request) => {
  print(`${request.method} ${new URL(request.url).pathname}`);
  return new Response(`hello from ${Deno.env.get("NCOLONY_NAME")}\n`);
});

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
