/** The options of the original that this project uses. */
export interface ExistsOptions {
  isFile?: boolean;
  isDirectory?: boolean;
}
export function existsSync(path: string | URL, options?: ExistsOptions): boolean;
