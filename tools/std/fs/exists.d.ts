/** The part of the original's options that is used here. */
export interface ExistsOptions {
  isFile?: boolean;
  isDirectory?: boolean;
}
export function existsSync(path: string | URL, options?: ExistsOptions): boolean;
