"""What the tests of the care of an index start from: the folders and indexes of the core's."""

from tests.core.conftest import animals, bench, zoo

__all__ = ["animals", "bench", "zoo"]
