/** The WebRTC session's signalling: one SDP offer up, one answer down, DELETE at the end. */
import { send } from './client'

export interface MediaCredentials {
  consultationId: string
  bearer?: string
}

export interface Answered {
  sdp: string
  location: string | null
}

export async function postOffer(at: MediaCredentials, sdp: string): Promise<Answered> {
  const response = await send('POST', `/consultations/${at.consultationId}/session`, {
    body: sdp,
    contentType: 'application/sdp',
    bearer: at.bearer,
    timeoutMs: 15_000,
  })
  return { sdp: await response.text(), location: response.headers.get('Location') }
}

export async function endSession(location: string, bearer?: string): Promise<void> {
  const path = new URL(location, window.location.origin).pathname
  await send('DELETE', path, { bearer, timeoutMs: 5000, keepalive: true })
}
