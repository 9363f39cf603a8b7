"""Waiting until something under given folders has changed, and has come to rest."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from rag.errors import ConfigError

SETTLE_SECONDS = 1.0
"""A folder in which nothing has happened for so long is at rest."""
LONGEST_WAIT = 30.0
"""A folder that never rests is looked at so often."""

LONGEST_STOP = 5.0

_LOOKING = frozenset({"opened", "closed_no_write"})


class _Changes(FileSystemEventHandler):
    """Notes that something was written, made, moved or deleted."""

    def __init__(self, ignored: Path) -> None:
        self.seen = threading.Event()
        self._ignored = ignored

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note a change; reading a file is none, and what an index writes is not looked at."""
        places = [Path(str(place)) for place in (event.src_path, event.dest_path) if place]
        outside = any(not place.is_relative_to(self._ignored) for place in places)
        if event.event_type not in _LOOKING and outside:
            self.seen.set()


def watch(
    paths: Sequence[Path],
    ignored: Path,
    changed: Callable[[], None],
    *,
    poll: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Call `changed` whenever the folders, or the folders of the files, have changed and rest.

    It is called once at the start. Ends when `stop` is set, or with KeyboardInterrupt.

    Args:
        ignored: a folder in which changes do not count: that of the indexes.
        poll: seconds between looks, for file systems that tell of no changes (networks).
    Raises:
        ConfigError: a folder can not be watched.
    """
    stop = stop or threading.Event()
    changes = _Changes(ignored.resolve())
    observer: BaseObserver = Observer() if poll is None else PollingObserver(timeout=poll)
    try:
        for folder in _folders(paths):
            observer.schedule(changes, str(folder), recursive=True)
        observer.start()
    except OSError as error:
        raise ConfigError(
            f"{', '.join(map(str, paths))} can not be watched: {error.strerror or error}; "
            "raise fs.inotify.max_user_watches, or use --poll SECONDS"
        ) from error
    try:
        changed()
        while not stop.is_set():
            if changes.seen.wait(timeout=0.2):
                _rest(changes, stop)
                changed()
    finally:
        observer.stop()
        # It ends with the program at the latest: it must not keep it.
        observer.join(LONGEST_STOP)


def _rest(changes: _Changes, stop: threading.Event) -> None:
    """Return when nothing has changed for a while, or too much for too long."""
    waited = 0.0
    while changes.seen.is_set() and waited < LONGEST_WAIT and not stop.is_set():
        changes.seen.clear()
        stop.wait(SETTLE_SECONDS)
        waited += SETTLE_SECONDS
    changes.seen.clear()


def _folders(paths: Sequence[Path]) -> list[Path]:
    """Return the folders to watch, none inside another."""
    given = sorted({(p if p.is_dir() else p.parent).resolve() for p in paths})
    return [f for f in given if not any(f != o and f.is_relative_to(o) for o in given)]
