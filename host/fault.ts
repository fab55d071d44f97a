/** Names an error of the file system in a few words, without the path. */
export function faultOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "is not there";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.FilesystemLoop) return "is a symbolic link that leads back to itself";
  if (error instanceof Deno.errors.NotCapable) {
    return `needs ${/--allow-\w+/.exec(error.message)?.[0] ?? error.message}`;
  }
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ELOOP") return "is a symbolic link";
  return code || error.message.replace(/: [a-z]+ '.*'$/s, "");
}
