import { CHECK_OPTIONS_HELP } from "@ncolony/host";

/** The text of `--help`. */
export const HELP = `ncolony-httpcheck: ask for the restart of processes that do not answer over HTTP.

Usage: ncolony-httpcheck --config DIR --messages DIR [options]

${CHECK_OPTIONS_HELP}

A config with "ncolony.httpcheck": {"url": "http://127.0.0.1:8080/",
"period": 10, "timeout": 3, "grace": 3, "maxBad": 2} has its URL asked for by
GET every 10 seconds, but not in the first 3 periods after its process started.
After more than 2 bad answers in a row its process is restarted. Good are the
statuses 200 to 399, or those of "expect": 204, [200, 503] or "any". "headers"
adds headers, "unix" names a socket, "ca" a file of certificates; "insecure":
true takes any certificate.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line.`;
