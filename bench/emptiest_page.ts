/**
 * The emptiest page that shows a status directory: whenever something changes there, all files are read, and all
 * clients are sent everything. `deno run … emptiest_page.ts STATUS`
 */

const [status] = Deno.args;
const PAGE = `<!doctype html><meta charset="utf-8"><title>x</title><table></table><script>
new EventSource("/events").onmessage = ({ data }) => {
  const table = document.querySelector("table");
  JSON.parse(data).forEach((process, index) => {
    const row = table.rows[index] ?? table.insertRow();
    row.className = "row";
    const { name, state, pid, starts, started, last_exit } = process;
    const cells = { name, state, pid, starts, up: Math.floor((Date.now() - Date.parse(started)) / 1000), exit: last_exit };
    Object.entries(cells).forEach(([key, value], at) => {
      const cell = row.cells[at] ?? row.insertCell();
      cell.className = "c-" + key;
      if (cell.textContent !== String(value ?? "")) cell.textContent = value ?? "";
    });
  });
};
</script>`;
const clients = new Set<ReadableStreamDefaultController<Uint8Array>>();

function event(): Uint8Array<ArrayBuffer> {
  const names = [...Deno.readDirSync(status)].map(({ name }) => name).filter((name) => !name.startsWith(".")).sort();
  const texts = names.map((name) => Deno.readTextFileSync(`${status}/${name}`));
  return new TextEncoder().encode(`data: [${texts.join(",")}]\n\n`);
}

function follow(): Response {
  const body = new ReadableStream({
    start: (controller) => {
      clients.add(controller);
      controller.enqueue(event());
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
  return request.url.endsWith("/events") ? follow() : new Response(PAGE, { headers: { "content-type": "text/html" } });
});
Deno.stderr.writeSync(new TextEncoder().encode(`http://127.0.0.1:${server.addr.port}/\n`));
let isDue = false;
for await (const _ of Deno.watchFs(status, { recursive: false })) {
  if (isDue) continue;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    const bytes = event();
    for (const client of clients) {
      try {
        client.enqueue(bytes);
      } catch {
        clients.delete(client);
      }
    }
  }, 10);
}
