/** The tests that run in the virtual machine. */

import "./scopes.ts";
import "./escapes.ts";
import "./limits.ts";
import "./life.ts";
import "./places.ts";
import "./logins.ts";
