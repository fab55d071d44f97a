/** What stdout can show. */
export interface Terminal {
  /** How many columns a line has. Infinity if stdout is no terminal. */
  readonly width: number;
  /** Whether to use colors: stdout is a terminal, and NO_COLOR is not set. */
  readonly hasColor: boolean;
}

/** Returns what stdout can show. */
export function terminal(): Terminal {
  if (!Deno.stdout.isTerminal()) return { width: Infinity, hasColor: false };
  return { width: columns(), hasColor: !Deno.noColor };
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    // The terminal does not tell.
    return 80;
  }
}
