import { visible, visibleJson } from "@ncolony/core";
import { denoClock, faultOf } from "@ncolony/host";
import { join } from "@std/path/posix/join";
import { answerJson, refuse } from "./answers.ts";
import { type LogLines, LogTail, MAX_LINES } from "./log_tail.ts";
import { type EventStream, formatEvent, type Streams } from "./streams.ts";

/** How often to look for more, in milliseconds. */
const POLL_MS = 200;

/** The logs of a colony. */
export class LogSource {
  readonly #directory: string | null;
  readonly #streams: Streams;

  /** Creates a source. `directory` is that of the logs. Null: there are none. */
  constructor(directory: string | null, streams: Streams) {
    this.#directory = directory;
    this.#streams = streams;
  }

  /** Answers with the last lines of a log. Null if there is no such log. */
  last(name: string, url: URL): Response | null {
    const tail = this.#open(name, url);
    if (tail === null) return null;
    try {
      const { lines } = tail.begin();
      return tail.exists ? answerJson(200, `${visibleJson(JSON.stringify({ version: 1, name, lines }))}\n`) : null;
    } catch (error) {
      return refuse(500, `The log of ${visible(name)} cannot be read: ${faultOf(error)}`);
    } finally {
      tail.close();
    }
  }

  /** Lets a client follow a log. Null if too many do. */
  follow(name: string, url: URL): EventStream | null {
    let cancel = () => {};
    const tail = this.#open(name, url);
    const stream = this.#streams.open(() => {
      cancel();
      tail?.close();
    });
    if (stream === null) return null;
    let isBegun = false;
    const poll = () => {
      const lines = linesOf(tail, isBegun);
      if (lines !== null) stream.send(formatEvent("lines", lines));
      isBegun = true;
      if (!stream.isOver && tail !== null) cancel = denoClock.after(POLL_MS, poll);
    };
    poll();
    return stream;
  }

  #open(name: string, url: URL): LogTail | null {
    if (this.#directory === null) return null;
    const max = Number(url.searchParams.get("lines") ?? MAX_LINES);
    return new LogTail(join(this.#directory, `${name}.log`), max >= 1 ? max : MAX_LINES);
  }
}

/** Returns what a client is told of a log, as JSON. Null if that is nothing new. */
function linesOf(tail: LogTail | null, isBegun: boolean): string | null {
  const none = { begin: true, lines: [] };
  try {
    const found: LogLines = tail === null ? none : isBegun ? tail.more() : tail.begin();
    if (!found.begin && found.lines.length === 0) return null;
    return visibleJson(JSON.stringify({ ...found, exists: tail?.exists ?? false }));
  } catch (error) {
    return isBegun ? null : JSON.stringify({ ...none, exists: false, fault: faultOf(error) });
  }
}
