/** Audio first: on a lossy line the picture is withheld, and tried again when the line recovers. */
const BAD_PCT = 15
const GOOD_PCT = 3
const BAD_READINGS = 3
const GOOD_READINGS = 8

export class ThinLine {
  private bad = 0
  private good = 0
  withheld = false

  /** Take one reading of outgoing loss; true when the picture is to be withheld from now on. */
  read(lossPct: number | null): boolean {
    if (lossPct === null) return this.withheld
    this.bad = lossPct >= BAD_PCT ? this.bad + 1 : 0
    this.good = lossPct <= GOOD_PCT ? this.good + 1 : 0
    if (!this.withheld && this.bad >= BAD_READINGS) this.withheld = true
    else if (this.withheld && this.good >= GOOD_READINGS) this.withheld = false
    return this.withheld
  }
}
