import { CHECK_OPTIONS_HELP } from "@ncolony/host";

/** The text of `--help`. */
export const HELP = `ncolony-httpcheck: request restarts of processes that fail HTTP checks.

Usage: ncolony-httpcheck --config DIR --messages DIR [options]

${CHECK_OPTIONS_HELP}

A config with "ncolony.httpcheck": {"url": "http://127.0.0.1:8080/",
"period": 10, "timeout": 3, "grace": 3, "maxBad": 2} sends a GET request to the
URL every 10 seconds, except in the first 3 periods after the process started.
After more than 2 bad responses in a row, the process is restarted. Statuses 200
to 399 are good, or those in "expect": 204, [200, 503] or "any". "headers" adds
headers, "unix" is the path of a socket, "ca" of a file of CA certificates;
"insecure": true accepts any certificate.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line.`;
