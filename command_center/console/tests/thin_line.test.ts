import { describe, expect, test } from 'vitest'
import { ThinLine } from '@/views/phone/thin_line'

describe('audio first on a thin line', () => {
  test('one bad reading does not cost the picture', () => {
    const line = new ThinLine()
    expect([40, 0, 40, 0].map((loss) => line.read(loss))).toEqual([false, false, false, false])
  })
  test('lasting loss withholds the picture, a lasting recovery gives it back', () => {
    const line = new ThinLine()
    for (let reading = 0; reading < 3; reading++) line.read(30)
    expect(line.withheld).toBe(true)
    for (let reading = 0; reading < 7; reading++) line.read(0)
    expect(line.withheld).toBe(true)
    line.read(0)
    expect(line.withheld).toBe(false)
  })
  test('an unknown loss changes nothing', () => {
    expect(new ThinLine().read(null)).toBe(false)
  })
})
