import { type News, noticeOf, type RunEnd, runEndOf, type ScheduleStep, WaitingNews } from "@ncolony/core";
import {
  type Child,
  type ChildListener,
  type ChildOutput,
  type Clock,
  KnownFaults,
  type Output,
  type ProgramService,
  Run,
  Runner,
  stopMsOf,
  Waker,
  type Watchdog,
} from "@ncolony/host";
import { resolve } from "@std/path/posix/resolve";
import { ColonyWatch } from "./colony_watch.ts";
import { Command } from "./command.ts";
import { Memory } from "./memory.ts";
import { DEFAULTS, type Options } from "./options.ts";

/** How often the events are read, in milliseconds. */
const POLL_MS = 200;

/** The first and the longest delay after a run that failed, in milliseconds. Each is twice the one before. */
const [MIN_RETRY_MS, MAX_RETRY_MS] = [1000, 300_000];

/** How long writing the last lines may take, in milliseconds. */
const FLUSH_MS = 1000;

/** What a {@linkcode Notifier} works with. */
export interface NotifierParts {
  /** The time. */
  readonly clock: Clock;
  /** Where it logs what it does, and the lines of the command go. */
  readonly output: Output;
  /** The heartbeat of the loop. */
  readonly heart: Watchdog;
}

/** What the current run tells. */
interface Told {
  readonly news: News;
  /** What is remembered when it has been told. */
  readonly memory: string | null;
}

/** Runs a command when something happens, never twice at once. What happens meanwhile, the next run tells. */
export class Notifier implements ProgramService {
  readonly #options: Options;
  readonly #parts: NotifierParts;
  readonly #watch: ColonyWatch;
  readonly #memory: Memory;
  readonly #command: Command;
  readonly #runner: Runner;
  readonly #waker: Waker;
  readonly #stopMs: number;
  readonly #news = new WaitingNews();
  readonly #knownFaults = new KnownFaults();
  readonly #run = new Run();
  /** What the current run tells. Null if none is under way. */
  #told: Told | null = null;
  #end: RunEnd | null = null;
  #failures = 0;
  /** When the next run may start, in the clock's milliseconds. */
  #mayRunAt = -Infinity;
  #isPlanned = false;
  #isStopping = false;
  #isOver = false;
  #cancelStop = () => {};

  /** Creates a notifier. Nothing is opened yet. */
  constructor(options: Options, parts: NotifierParts) {
    const { status, on, names, args, state, timeout = DEFAULTS.timeout, grace = DEFAULTS.grace } = options;
    const { clock, output } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#watch = new ColonyWatch({ status, on, names, clock });
    this.#memory = new Memory(state, clock, output.log);
    this.#command = new Command(args, clock);
    this.#waker = new Waker(clock);
    this.#stopMs = stopMsOf(grace, output.log);
    const never = { dueAt: Infinity, passed: 0 };
    this.#runner = new Runner({
      clock,
      spawn: (output, listener) => this.#start(output, listener),
      times: { first: () => never, next: () => never, correct: () => null },
      policy: {
        timeoutMs: timeout * 1000,
        graceMs: grace * 1000,
        stopMs: this.#stopMs / 2,
        maxFailures: Infinity,
        isOnce: false,
      },
      output: { log: output.log, forRun: () => output.forChild(this.#command.name), flush: () => Promise.resolve() },
      listener: { note: (_event, step) => this.#note(step) },
    });
  }

  start(): Promise<void> {
    return this.#run.start(() => this.#open(), () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  /**
   * Ends. A run that is under way may go on until its timeout, or for half of the time that a monitor gives this program.
   * A second call sends it SIGTERM, and a third one SIGKILL.
   */
  async stop(): Promise<void> {
    if (this.#isStopping || this.#told === null) this.#runner.stop();
    else if (this.#stopMs < Infinity) {
      this.#cancelStop = this.#parts.clock.after(this.#stopMs / 2, () => void this.#runner.stop());
    }
    this.#isStopping = true;
    if (this.#run.isStarted) await this.ended;
  }

  fail(error: unknown): void {
    this.#isStopping = true;
    this.#runner.fail(error);
  }

  /** Ends, unless that was asked for before, and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStopping) await this.stop();
    else if (this.#run.isStarted) await this.ended;
  }

  async #open(): Promise<void> {
    const { log } = this.#parts.output;
    const text = await this.#memory.open();
    try {
      if (text !== null) this.#watch.restore(text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`the state file is damaged, so only new events are reported: ${why}`);
    }
    if (this.#watch.isAlone) log.warn(`no monitor runs in ${JSON.stringify(this.#options.status)}: waiting for one`);
    await this.#runner.start();
  }

  async #finish(): Promise<number> {
    const { clock, heart, output } = this.#parts;
    this.#runner.ended.then(() => {
      this.#isOver = true;
      this.#waker.wake();
    });
    while (!this.#isOver) {
      try {
        if (!this.#isStopping) this.#look();
      } catch (error) {
        // Whatever went wrong, the run that is under way must be ended.
        this.fail(error);
      }
      heart.beat();
      await this.#waker.wait(Math.min(clock.now() + POLL_MS, heart.due));
    }
    this.#cancelStop();
    this.#remember();
    this.#watch.close();
    this.#memory.close();
    await output.flush(FLUSH_MS);
    return await this.#runner.ended;
  }

  #look(): void {
    this.#read();
    this.#plan();
    if (this.#memory.isDue) this.#remember();
  }

  #read(): void {
    let fault: string | null = null;
    try {
      this.#news.add(this.#watch.read());
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
    if (this.#knownFaults.note("read", fault) && fault !== null) {
      this.#parts.output.log.error(`cannot read the events: ${fault}`);
    }
  }

  /** Has the command run if there is something to tell, and it may run. */
  #plan(): void {
    const now = this.#parts.clock.now();
    if (this.#isPlanned || this.#news.count === 0 || now < this.#mayRunAt) return;
    this.#isPlanned = true;
    this.#runner.plan({ dueAt: now, passed: 0 });
  }

  #start(output: ChildOutput, listener: ChildListener): Child | null {
    const { notMoreOften = DEFAULTS.notMoreOften, colony, status } = this.#options;
    const news = this.#news.take();
    this.#told = { news, memory: this.#watch.memory() };
    this.#end = null;
    this.#mayRunAt = this.#parts.clock.now() + notMoreOften * 1000;
    const notice = noticeOf(resolve(colony ?? status), news);
    this.#parts.output.log.info(`reporting to ${this.#command.name}: ${notice.variables.NCOLONY_SUMMARY}`);
    return this.#command.start(notice, output, listener);
  }

  /** Notes how a run ended, and that nothing is left of it. */
  #note(step: ScheduleStep): void {
    this.#end = runEndOf(step) ?? this.#end;
    const [{ type }] = step;
    if (this.#told === null || type !== "idle" && type !== "ended") return;
    const { news, memory } = this.#told;
    this.#told = null;
    this.#isPlanned = false;
    if (this.#end?.result === "success") {
      this.#failures = 0;
      this.#save(memory);
    } else {
      this.#news.giveBack(news);
      if (this.#end !== null) this.#retry(this.#end);
    }
    if (this.#isStopping) this.#runner.stop();
    this.#waker.wake();
  }

  #retry({ reason }: RunEnd): void {
    const delayMs = Math.min(MIN_RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
    this.#mayRunAt = this.#parts.clock.now() + delayMs;
    const { name, lastLine } = this.#command;
    const said = lastLine === null ? "" : `; its last line on stderr: ${lastLine}`;
    const next = this.#isStopping ? "the next start reports it" : `trying again in ${delayMs / 1000} s`;
    this.#parts.output.log.warn(`${name} failed (${reason}${said}): ${next}`);
  }

  /** Remembers what was read, if all of it was told. */
  #remember(): void {
    if (this.#told === null && this.#news.count === 0) this.#save(this.#watch.memory());
  }

  #save(memory: string | null): void {
    if (memory !== null) this.#memory.save(memory);
  }
}
