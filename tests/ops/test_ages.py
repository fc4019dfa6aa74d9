"""Ages where the clock is set: nothing counts as old that is not, whichever way it was set."""

from meiku.ops.ages import Ages


class Clocks:
    """A wall clock that can be set, and one that goes on."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = 1_000_000.0, 50.0
        self.ages = Ages(1000, lambda: self.wall_s, lambda: self.steady_s)

    def pass_time(self, seconds: int) -> None:
        for _ in range(0, seconds, 10):
            self.wall_s, self.steady_s = self.wall_s + 10, self.steady_s + 10
            self.ages.note()

    def set_clock(self, by_s: float) -> None:
        self.wall_s += by_s
        self.ages.note()


def test_nothing_is_known_to_be_old_before_it_was_watched() -> None:
    """A process that has just begun cannot tell what the clock was before."""
    clocks = Clocks()
    assert clocks.ages.before_s(100) is None
    assert clocks.ages.before_s(0) == clocks.wall_s
    clocks.pass_time(90)
    assert clocks.ages.before_s(100) is None
    clocks.pass_time(20)
    assert clocks.ages.before_s(100) == clocks.wall_s - 100


def test_a_clock_that_is_set_ahead_makes_nothing_older() -> None:
    """What was dated before it was set waits its whole time, and so does what comes after."""
    clocks = Clocks()
    clocks.pass_time(200)
    released_s = clocks.wall_s
    clocks.set_clock(7200)
    clocks.pass_time(90)
    assert (clocks.ages.before_s(100) or 0) <= released_s
    late_s = clocks.wall_s
    clocks.pass_time(200)
    assert released_s < late_s < (clocks.ages.before_s(100) or 0) <= clocks.wall_s - 100


def test_a_clock_that_is_set_back_makes_nothing_older() -> None:
    """What is dated after it was set may look older than what was released before: neither goes too early."""
    clocks = Clocks()
    clocks.pass_time(200)
    clocks.set_clock(-600)
    released_s = clocks.wall_s
    clocks.pass_time(90)
    assert (clocks.ages.before_s(100) or 0) <= released_s
    clocks.pass_time(20)
    assert (clocks.ages.before_s(100) or 0) >= released_s


def test_what_is_watched_for_long_is_forgotten() -> None:
    """The looks that no age needs any more are let go."""
    clocks = Clocks()
    clocks.pass_time(100_000)
    assert len(clocks.ages._seen) <= 102
