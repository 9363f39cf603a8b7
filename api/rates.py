"""How often a key may ask: a token bucket for each."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

# Buckets of keys that were not used for longest are dropped; they would be full again.
MOST_BUCKETS = 10_000


class RateLimit:
    """Token buckets by name. A full bucket holds what a quarter of a minute brings, one at least.

    Safe to share between threads.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the rate; 0 is no limit."""
        self._rate = per_minute / 60
        self._burst = max(1.0, per_minute / 4)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, name: str) -> float:
        """Take one token of a bucket; return 0, or the seconds until there is one to take."""
        if not self._rate:
            return 0.0
        with self._lock:
            present = self._clock()
            tokens, since = self._buckets.pop(name, (self._burst, present))
            tokens = min(self._burst, tokens + (present - since) * self._rate)
            missing = max(0.0, 1.0 - tokens)
            self._buckets[name] = (tokens if missing else tokens - 1.0, present)
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return missing / self._rate
