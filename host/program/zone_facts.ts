import { askShell } from "../scopes/shell.ts";

/** What the machine says about its time zone. */
export interface ZoneFacts {
  /** The variable `TZ`. Null if it is not set. */
  readonly tz: string | null;
  /** The file of the time zone, by `TZ` or /etc/localtime, with all links resolved. Null if there is none. */
  readonly file: string | null;
  /** Returns whether that file has the same content as the file of a zone. */
  isFileOf(zone: string): boolean;
}

/** The directory of time zones, with one file each. */
const ZONES = "/usr/share/zoneinfo";

const SCRIPT = `
  PATH=/bin:/usr/bin
  file=\${TZ-/etc/localtime}
  file=\${file#:}
  case $file in /*) ;; *) file=${ZONES}/$file ;; esac
  printf '%s\\0' "\${TZ+set}" "\${TZ-}" "$(readlink -e "$file" 2>/dev/null)"`;

/**
 * Asks a shell about the time zone, because this program would need more permissions to see it.
 *
 * @throws {Error} If there is no shell.
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
