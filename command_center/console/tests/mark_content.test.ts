import { describe, expect, test } from 'vitest'
import { markContent } from '@/media/session'

const OFFER = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=sendrecv\r\n'

describe('the section of the second stream', () => {
  test('is marked by its MID, and no other is', () => {
    expect(markContent(OFFER, '2')).toBe(OFFER.replace('a=mid:2\r\n', 'a=mid:2\r\na=content:slides\r\n'))
  })
  test('an offer without one stays as it is', () => {
    expect(markContent(OFFER, null)).toBe(OFFER)
  })
})
