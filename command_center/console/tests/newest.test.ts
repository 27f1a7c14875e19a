import { expect, test } from 'vitest'
import { newest } from '@/composables/newest'

test('an answer that was overtaken is dropped, and a failed one changes nothing', async () => {
  const read = newest()
  const shown: string[] = []
  let late: (words: string) => void = () => undefined
  const first = read(() => new Promise<string>((resolve) => (late = resolve)), (words) => shown.push(words))
  await read(async () => 'new', (words) => shown.push(words))
  late('old')
  await first
  await expect(read(() => Promise.reject(new Error('no line')), () => shown.push('never'))).rejects.toThrow('no line')
  await read(async () => 'newer', (words) => shown.push(words))
  expect(shown).toEqual(['new', 'newer'])
})
