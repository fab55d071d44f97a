import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { type Answer, askHttp } from "@ncolony/host";
import { until } from "../helpers.ts";
import { closedBy, RawServer, type Talk, target, writeAll } from "./raw_server.ts";

/** The secret part of a URL, which must not be shown. */
const SECRET_PATH = "/hunter2?token=hunter3";

/** The timeout if the answer comes at once, in milliseconds. */
const LONG_MS = 20_000;

/** Asks a server. Fails if the reason reveals part of the URL. */
async function ask(host: string, timeoutMs = LONG_MS, signal = new AbortController().signal): Promise<Answer> {
  const answer = await askHttp(target(`http://user:hunter1@${host}${SECRET_PATH}`), timeoutMs, signal);
  if (answer.type === "status") return answer;
  assert(!/hunter|token|user|127\.0\.0\.1|http:|\n/.test(answer.reason) && answer.reason !== "", answer.reason);
  return answer;
}

/** Asks a server that answers like this. */
async function askServer(talk: Talk, timeoutMs = LONG_MS): Promise<Answer> {
  await using server = new RawServer(talk);
  return await ask(server.host, timeoutMs);
}

/** Returns a server that answers with this status. */
function answering(status: number, head = ""): Talk {
  return (_, write) => write(`HTTP/1.1 ${status} x\r\ncontent-length: 0\r\n${head}\r\n`);
}

/** Checks that nothing is left open. */
const TIDY = { sanitizeOps: true, sanitizeResources: true };

Deno.test("askHttp() returns the status, whatever it is", TIDY, async () => {
  for (const status of [200, 204, 299, 304, 400, 404, 500, 503, 599]) {
    assertEquals(await askServer(answering(status)), { type: "status", status });
  }
});

Deno.test("askHttp() follows no redirect", TIDY, async () => {
  await using target = new RawServer(answering(200));
  for (const status of [301, 302, 303, 307, 308]) {
    const answer = await askServer(answering(status, `location: http://${target.host}/\r\n`));
    assertEquals([answer, target.connections], [{ type: "status", status }, 0]);
  }
});

Deno.test("askHttp() asks by GET, sends its name, and sends the URL's user", TIDY, async () => {
  await using server = new RawServer(answering(200));
  await ask(server.host);
  const request = server.requests.join();
  assertMatch(request, /^GET \/hunter2\?token=hunter3 HTTP\/1\.1\r\n/);
  assertMatch(request, /^user-agent: ncolony-httpcheck\r$/mi);
  assertMatch(request, new RegExp(`^authorization: Basic ${btoa("user:hunter1")}\r$`, "mi"));
});

Deno.test("askHttp() asks a server that Deno serves", TIDY, async () => {
  const served = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ method, url }) => {
    return new Response(method + url, { status: 418 });
  });
  assertEquals(await ask(`127.0.0.1:${served.addr.port}`), { type: "status", status: 418 });
  await served.shutdown();
});

Deno.test("askHttp() waits for a server that never answers until its timeout", TIDY, async () => {
  const before = performance.now();
  const answer = await askServer((connection) => closedBy(connection), 200);
  assertEquals(answer, { type: "broken", reason: "no response within 0.2 s" });
  assertLess(performance.now() - before, 10_000);
});

Deno.test("askHttp() gives no more time to a server that sends a byte of its head now and then", TIDY, async () => {
  const answer = await askServer(async (_, write) => {
    await write("HTTP/1.1 200 OK\r\nx: ");
    for (;;) {
      await write("x");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, 300);
  assertEquals(answer, { type: "broken", reason: "no response within 0.3 s" });
});

Deno.test("askHttp() gives no more time to a server that keeps sending 100 Continue", TIDY, async () => {
  const answer = await askServer(async (_, write) => {
    for (;;) {
      await write("HTTP/1.1 100 Continue\r\n\r\n");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, 300);
  assertEquals(answer, { type: "broken", reason: "no response within 0.3 s" });
});

Deno.test("askHttp() takes the longest timeouts that a config can set", TIDY, async () => {
  for (const timeoutMs of [2 ** 31, 1e12]) {
    const talk: Talk = async (_, write) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    };
    assertEquals(await askServer(talk, timeoutMs), { type: "status", status: 200 });
  }
});

Deno.test("askHttp() reports refused and broken connections as bad answers, and says which", TIDY, async () => {
  const closed = new RawServer(answering(200));
  const { host } = closed;
  await closed[Symbol.asyncDispose]();
  assertEquals(await ask(host), { type: "broken", reason: "connection refused" });
  const reason = "connection closed before a response";
  const silent = "connection closed without a response (if the server speaks TLS, the URL must begin with https://)";
  assertEquals(await askServer(() => {}), { type: "broken", reason: silent });
  assertEquals(await askServer((_, write) => write("HTTP/1.1 200")), { type: "broken", reason });
  await using resetting = new RawServer(() => {}, 1);
  assertEquals(await ask(resetting.host), { type: "broken", reason: silent });
});

Deno.test("askHttp() reports a response that is not HTTP as a bad answer", TIDY, async () => {
  const reason = "the response is not HTTP";
  for (const text of ["hunter2\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01\x00", "HTTP/1.1 99 x\r\n\r\n"]) {
    assertEquals(await askServer((_, write) => write(text)), { type: "broken", reason }, text);
  }
  const huge = `HTTP/1.1 200 OK\r\n${"hunter2".repeat(200_000)}`;
  assertEquals((await askServer((_, write) => write(huge))).type, "broken");
});

Deno.test("askHttp() does not derive its reason from words in the URL", TIDY, async () => {
  for (const word of ["refused", "reset", "tls", "parse", "dns%20error", "EOF"]) {
    await using server = new RawServer((_, write) => write("SSH-2.0-x\r\n"));
    const answer = await askHttp(target(`http://${server.host}/${word}`), LONG_MS, new AbortController().signal);
    assertEquals(answer, { type: "broken", reason: "the response is not HTTP" }, word);
  }
});

Deno.test("askHttp() reports a server without TLS under an https URL as a bad answer", TIDY, async () => {
  await using server = new RawServer((_, write) => write("HTTP/1.1 200 OK\r\n\r\n"));
  const answer = await askHttp(target(`https://${server.host}${SECRET_PATH}`), LONG_MS, new AbortController().signal);
  assertEquals(answer, {
    type: "broken",
    reason: "the server does not speak TLS: the URL may need to begin with http://",
  });
});

Deno.test("askHttp() reads only a little of an endless body", TIDY, async () => {
  let written = 0;
  let isClosed = false;
  const chunk = new Uint8Array(16_384);
  const answer = await askServer(async (connection, write) => {
    await write("HTTP/1.1 200 OK\r\n\r\n");
    try {
      for (;; written += chunk.length) await writeAll(connection, chunk);
    } finally {
      isClosed = true;
    }
  });
  assertEquals(answer, { type: "status", status: 200 });
  await until("the server sees it closed", () => isClosed);
  // What was read, and what the kernel's buffers on both ends hold.
  assertLess(written, 16 * 1024 * 1024);
});

Deno.test(
  "askHttp() returns the status of an answer whose body has 10 MiB, stalls or breaks off",
  TIDY,
  async () => {
    const status: Answer = { type: "status", status: 200 };
    const size = 10 * 1024 * 1024;
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`;
    assertEquals(await askServer((_, write) => write(head + "x".repeat(size))), status);
    assertEquals(await askServer((_, write) => write(`${head}broken off`)), status);
    const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    assertEquals(await askServer((_, write) => write(`${chunked}no length`)), status);
    const before = performance.now();
    const stalls: Talk = async (connection, write) => {
      await write(`${head}stalled`);
      await closedBy(connection);
    };
    assertEquals(await askServer(stalls, 200), status);
    assertLess(performance.now() - before, 10_000);
  },
);

Deno.test("askHttp() ends at once when it is aborted, and closes the connection", TIDY, async () => {
  let isClosed = false;
  await using server = new RawServer(async (connection) => {
    await closedBy(connection);
    isClosed = true;
  });
  const controller = new AbortController();
  const asking = ask(server.host, LONG_MS, controller.signal);
  await until("it is asked", () => server.requests.length === 1);
  controller.abort();
  assertEquals((await asking).type, "broken");
  await until("the connection is closed", () => isClosed);
  assertEquals((await ask(server.host, LONG_MS, controller.signal)).type, "broken");
  assertEquals(server.connections, 1, "aborted before, it asks nobody");
});

Deno.test("askHttp() names the missing permission", { ...TIDY, permissions: { net: false } }, async () => {
  assertEquals(await ask("127.0.0.1:8080"), {
    type: "impossible",
    reason: "needs --allow-net for the host of the URL",
  });
});
