import { askShell } from "../children/shell.ts";

/** What a machine says of its time zone. */
export interface ZoneFacts {
  /** The variable `TZ`; null: it is not set. */
  readonly tz: string | null;
  /** The file that tells of the zone, by `TZ` or /etc/localtime, where all links have led; null: there is none. */
  readonly file: string | null;
  /** Whether that file says what the zone's own file says that was guessed. */
  isFileOf(zone: string): boolean;
}

/** The zones that a system knows, a file each. */
const ZONES = "/usr/share/zoneinfo";

const SCRIPT = `
  PATH=/bin:/usr/bin
  file=\${TZ-/etc/localtime}
  file=\${file#:}
  case $file in /*) ;; *) file=${ZONES}/$file ;; esac
  printf '%s\\0' "\${TZ+set}" "\${TZ-}" "$(readlink -e "$file" 2>/dev/null)"`;

/**
 * Asks a shell for what this program may not see without further permissions.
 *
 * @throws {Error} Where there is no shell.
 */
export function zoneFacts(): ZoneFacts {
  const [isSet, tz, file] = askShell(SCRIPT, { inheritEnv: true }).split("\0") as [string, string, string];
  return {
    tz: isSet === "" ? null : tz,
    file: file === "" ? null : file,
    isFileOf: (zone) => /^[\w+/-]+$/.test(zone) && isSame(file, `${ZONES}/${zone}`),
  };
}

function isSame(one: string, other: string): boolean {
  try {
    askShell('cmp -s "$1" "$2"', { args: [one, other] });
    return true;
  } catch {
    // They differ, or one is missing.
    return false;
  }
}
