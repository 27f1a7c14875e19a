/** What is being typed survives a lost line, a reload and an expired log-in. */
import { newKey } from '@/api/client'

interface Kept<T> {
  value: T
  key: string
}

export class Draft<T> {
  idempotencyKey: string

  constructor(private readonly name: string) {
    this.idempotencyKey = newKey()
  }

  restore(): T | null {
    const text = localStorage.getItem(this.storageName)
    if (!text) return null
    try {
      const kept = JSON.parse(text) as Kept<T>
      this.idempotencyKey = kept.key
      return kept.value
    } catch {
      return null
    }
  }
  keep(value: T): void {
    localStorage.setItem(this.storageName, JSON.stringify({ value, key: this.idempotencyKey } satisfies Kept<T>))
  }
  /** After a refusal the corrected form is another request, hence another key. */
  renewKey(): void {
    this.idempotencyKey = newKey()
  }
  clear(): void {
    localStorage.removeItem(this.storageName)
    this.renewKey()
  }
  private get storageName(): string {
    return `cc.draft.${this.name}`
  }
}
