/** Camera and microphone, with the reason in a word when the browser gives none. */
export type DeviceFault = 'insecure' | 'denied' | 'noDevice' | 'audioOnly'

export interface Captured {
  stream: MediaStream | null
  fault: DeviceFault | null
}

export type Facing = 'user' | 'environment'

export function cameraConstraints(facing: Facing): MediaTrackConstraints {
  return { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 }, facingMode: facing }
}
const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }

/** Both, else sound alone, else a picture alone; a refusal by the person is not asked twice. */
export async function capture(facing: Facing, wantVideo = true): Promise<Captured> {
  if (!navigator.mediaDevices?.getUserMedia) return { stream: null, fault: 'insecure' }
  const attempts: MediaStreamConstraints[] = wantVideo
    ? [{ audio: AUDIO, video: cameraConstraints(facing) }, { audio: AUDIO }, { video: cameraConstraints(facing) }]
    : [{ audio: AUDIO }]
  for (const constraints of attempts) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints)
      const hasVideo = stream.getVideoTracks().length > 0
      return { stream, fault: hasVideo || !wantVideo ? null : 'audioOnly' }
    } catch (error) {
      const name = error instanceof DOMException ? error.name : ''
      if (name === 'NotAllowedError' || name === 'SecurityError') return { stream: null, fault: 'denied' }
    }
  }
  return { stream: null, fault: 'noDevice' }
}

export function stopStream(stream: MediaStream | null): void {
  stream?.getTracks().forEach((track) => track.stop())
}

/** Whether play() failed because the browser wants a click before it lets sound out. */
export function isSoundRefused(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotAllowedError'
}
