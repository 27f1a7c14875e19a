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

/** The TURN relay, with credentials for half a day; none where the installation has none. */
export async function readIceServers(at: MediaCredentials): Promise<RTCIceServer[]> {
  const response = await send('GET', `/consultations/${at.consultationId}/ice-servers`, {
    bearer: at.bearer,
    timeoutMs: 3000,
  })
  return ((await response.json()) as { items: RTCIceServer[] }).items
}

export async function endSession(location: string, bearer?: string): Promise<void> {
  const path = new URL(location, window.location.origin).pathname
  await send('DELETE', path, { bearer, timeoutMs: 5000, keepalive: true })
}
