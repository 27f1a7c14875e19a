import type zh from '../zh-CN/content'

const en: typeof zh = {
  share: 'Share screen',
  stop: 'Stop sharing',
  asking: 'Asking for the content token',
  stream: 'Second stream',
  shownBy: 'Shown by {name}',
  ownShare: 'You are sharing',
  waiting: 'Receiving the second stream',
  swap: 'Swap the pictures',
  fullScreen: 'Full screen',
  takenBack: 'The token was taken back, sharing has stopped.',
  unsupported: 'This browser cannot share a screen.',
  nobody: 'Nobody presents',
  takeBack: 'Take the token back',
  takeBackConsequence: '{name} stops presenting at once.',
  lock: 'Lock presenting',
  firstCome: 'Not locked (first come)',
  waitingList: 'Waiting: {names}',
}
export default en
