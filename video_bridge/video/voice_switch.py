"""声控切换: whose voice decides the largest pane; pure, `now` in seconds.

Levels are smoothed, so that a cough or a slammed door moves nothing, and who is shown keeps his
pane through his own pauses and against a neighbour who is hardly louder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

FULL_SPEECH_DBOV = -20.0
SMOOTHED_OVER_S = 0.5  # a voice 10 dB above the threshold is taken for speech after as long
FLOOR_BELOW_DB = 20.0  # how far under the threshold a level may sink: silence is not remembered
SHOWN_BONUS_DB = 3.0


class VoiceSwitch:
    """Call `hear` with each tick's levels; `speaker` is whose picture is shown.

    `sensitivity_db` is how far below full speech a voice still counts, `hold_s` the least time
    between two switches.
    """

    def __init__(self, sensitivity_db: float, hold_s: float) -> None:
        self.threshold_dbov = FULL_SPEECH_DBOV - sensitivity_db
        self.hold_s = hold_s
        self.speaker: str | None = None
        self._smoothed: dict[str, float] = {}
        self._heard_at: float | None = None
        self._switched_at = -math.inf

    def hear(self, levels_dbov: Mapping[str, int], now: float) -> str | None:
        """Take the levels of all who may be shown (missing: silent); who is shown from now on."""
        elapsed = 0.0 if self._heard_at is None else max(0.0, now - self._heard_at)
        self._heard_at = now
        self._smooth(levels_dbov, 1.0 - math.exp(-elapsed / SMOOTHED_OVER_S))
        loudest = max(self._smoothed, key=self._rank, default=None)
        if (
            loudest is not None
            and loudest != self.speaker
            and self._smoothed[loudest] > self.threshold_dbov
            and now - self._switched_at >= self.hold_s
        ):
            self.speaker, self._switched_at = loudest, now
        return self.speaker

    def forget(self, leg_id: str) -> None:
        """The leg left: the next voice takes its pane at once."""
        self._smoothed.pop(leg_id, None)
        if self.speaker == leg_id:
            self.speaker, self._switched_at = None, -math.inf

    def _rank(self, leg_id: str) -> float:
        return self._smoothed[leg_id] + (SHOWN_BONUS_DB if leg_id == self.speaker else 0.0)

    def _smooth(self, levels_dbov: Mapping[str, int], share: float) -> None:
        floor = self.threshold_dbov - FLOOR_BELOW_DB
        for leg_id in levels_dbov.keys() | self._smoothed.keys():
            before = self._smoothed.get(leg_id, floor)
            after = before + share * (max(floor, levels_dbov.get(leg_id, floor)) - before)
            if after <= floor + 0.1 and leg_id not in levels_dbov:
                self._smoothed.pop(leg_id, None)
            else:
                self._smoothed[leg_id] = after
