import { CHECK_OPTIONS_HELP } from "@ncolony/host";

/** The text of `--help`. */
export const HELP = `ncolony-beatcheck: request restarts of processes without a heartbeat.

Usage: ncolony-beatcheck --config DIR --messages DIR [options]

${CHECK_OPTIONS_HELP}

A config with "ncolony.beatcheck": {"period": 10, "grace": 3, "status": "PATH"}
means that its process touches PATH (or PATH/NAME if PATH is a directory) at
least every 10 seconds. A process that does not is restarted, but not within 3
periods after it started, its config changed or this program started.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line.`;
