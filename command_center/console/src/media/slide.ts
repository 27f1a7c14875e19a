/**
 * Shows a picture to a consultation as its second stream: a session of its own whose only track is
 * a canvas, marked as content (RFC 4796). The caller asks for the content token.
 */
import { endSession, postOffer, type MediaCredentials } from '@/api/media_session'
import { gathered } from './session'

const WIDTH = 1920
const HEIGHT = 1080
const REPAINT_MS = 500 // a canvas that is not painted sends nothing
const BITRATE_BPS = 2_500_000

export class SlideSession {
  private readonly canvas = document.createElement('canvas')
  private readonly picture = new Image()
  private connection: RTCPeerConnection | null = null
  private location: string | null = null
  private timer = 0

  constructor(
    private readonly at: MediaCredentials,
    private readonly lost: () => void,
  ) {
    this.canvas.width = WIDTH
    this.canvas.height = HEIGHT
  }

  /** Load another picture; what is shown stays until it is there. */
  async load(url: string): Promise<void> {
    const next = new Image()
    next.src = url
    await next.decode()
    this.picture.src = next.src
    await this.picture.decode()
    this.paint()
  }

  async start(): Promise<void> {
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' })
    this.connection = connection
    const [track] = this.canvas.captureStream(5).getVideoTracks()
    if (!track) throw new Error('no canvas track')
    track.contentHint = 'detail'
    connection.addTransceiver('audio', { direction: 'recvonly' })
    connection.addTransceiver('video', { direction: 'recvonly' })
    const content = connection.addTransceiver(track, { direction: 'sendonly', sendEncodings: [{ maxBitrate: BITRATE_BPS }] })
    connection.onconnectionstatechange = () => connection.connectionState === 'failed' && this.lost()
    this.timer = window.setInterval(() => this.paint(), REPAINT_MS)
    const offer = await connection.createOffer()
    await connection.setLocalDescription(offer)
    await gathered(connection)
    const sdp = marked(connection.localDescription?.sdp ?? '', content.mid)
    const answer = await postOffer(this.at, sdp)
    this.location = answer.location
    await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp })
  }

  private paint(): void {
    const context = this.canvas.getContext('2d')
    if (context && this.picture.naturalWidth) context.drawImage(this.picture, 0, 0, WIDTH, HEIGHT)
  }

  async stop(): Promise<void> {
    window.clearInterval(this.timer)
    this.connection?.close()
    this.connection = null
    const location = this.location
    this.location = null
    if (location) await endSession(location, this.at.bearer).catch(() => undefined)
  }
}

/** The offer with `a=content:slides` in the section of this mid. */
export function marked(sdp: string, mid: string | null): string {
  const sections = sdp.split(/(?=^m=)/m)
  return sections.map((part) => (part.startsWith('m=video') && part.includes(`a=mid:${mid}\r\n`) ? `${part}a=content:slides\r\n` : part)).join('')
}
