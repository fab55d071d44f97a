/** Returns a key as people misspell it: `envInherit` and `ENV-INHERITS` are `env_inherit`. */
export function plainKey(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z]/g, "").replace(/s$/, "");
}
