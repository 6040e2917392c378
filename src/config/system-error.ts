/** Whether the error is one of the operating system's with one of these codes (`ENOENT`, ...). */
export function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
