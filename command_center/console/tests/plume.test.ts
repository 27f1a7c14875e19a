import { describe, expect, it } from 'vitest'
import { plumeRing } from '@/views/dispatch/plume'

describe('the plume on the map', () => {
  it('lies where the wind blows to: a north wind carries it south', () => {
    const ring = plumeRing(113, 24, 0, 3_000)
    expect(ring[0]).toEqual(ring[ring.length - 1])
    expect(Math.max(...ring.map(([, latitude]) => latitude))).toBeCloseTo(24, 6)
    expect(Math.min(...ring.map(([, latitude]) => latitude))).toBeCloseTo(24 - 3_000 / 111_320, 6)
  })
  it('spreads as far to the left as to the right', () => {
    const east = plumeRing(113, 24, 270, 3_000)
    const latitudes = east.map(([, latitude]) => latitude - 24)
    expect(Math.max(...latitudes)).toBeCloseTo(-Math.min(...latitudes), 9)
    expect(Math.min(...east.map(([longitude]) => longitude))).toBeCloseTo(113, 9)
  })
})
