/** Bytes and running times for people. */

export function size(bytes: number): string {
  if (bytes < 1 << 20) return `${Math.max(0, Math.round(bytes / 1024))} KB`
  if (bytes < 1 << 30) return `${(bytes / (1 << 20)).toFixed(1)} MB`
  return `${(bytes / (1 << 30)).toFixed(2)} GB`
}

/** 1:02:03 or 2:03 */
export function running(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
