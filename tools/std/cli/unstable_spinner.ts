const encoder = new TextEncoder();
const CLEAR = "\r\x1b[K";
const RESET = "\x1b[0m";
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const INTERVAL_MS = 75;
const COLORS = { red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m", cyan: "\x1b[36m" } as const;

/** The options of the original that this project uses. */
export interface SpinnerOptions {
  message?: string;
  color?: keyof typeof COLORS;
}

/** Shows on stdout that something is going on. */
export class Spinner {
  message: string;
  readonly #color: string;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor({ message = "", color }: SpinnerOptions = {}) {
    this.message = message;
    this.#color = color === undefined ? "" : COLORS[color];
  }

  start(): void {
    if (this.#timer !== null) return;
    let turn = 0;
    const draw = () => {
      const frame = FRAMES[turn++ % FRAMES.length]!;
      const shown = Deno.noColor ? frame : `${this.#color}${frame}${RESET}`;
      Deno.stdout.writeSync(encoder.encode(`${CLEAR}${shown} ${this.message}`));
    };
    this.#timer = setInterval(draw, INTERVAL_MS);
    draw();
  }

  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    Deno.stdout.writeSync(encoder.encode(CLEAR));
  }
}
