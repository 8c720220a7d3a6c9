"""Which timer ends a wait. The time is the test's own."""

from trunkline.wire.patience import Patience, Timeouts

LIMITS = Timeouts(connect=10, first_byte=120, idle=50, progress=80)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_phases_follow_each_other() -> None:
    time = Time()
    patience = Patience(LIMITS, now=time)
    assert patience.wait() == (1010, "connect")
    time.now = 1005
    patience.sent()
    assert patience.wait() == (1125, "firstByte")
    time.now = 1065  # the head
    assert patience.wait() == (1125, "firstByte")
    time.now = 1075
    patience.received()
    patience.progressed()
    assert patience.wait() == (1125, "idle")


def test_signs_of_life_keep_from_idling_but_are_no_progress() -> None:
    time = Time()
    patience = Patience(LIMITS, now=time)
    patience.received()
    patience.progressed()
    assert patience.wait() == (1050, "idle")
    time.now += 40
    patience.received()  # a comment: 40 of 80 are gone
    assert patience.wait() == (1080, "progress")
    time.now += 30
    patience.received()
    patience.progressed()
    assert patience.wait() == (1120, "idle")


def test_time_in_which_nobody_waits_does_not_count() -> None:
    time = Time()
    patience = Patience(LIMITS, now=time)
    patience.received()
    patience.progressed()
    for _ in range(4):
        time.now += 1000  # the reader was slow
        assert patience.wait() == (time.now + 50, "idle")
        time.now += 10
        patience.received()
    assert patience.wait() == (time.now + 40, "progress")


def test_the_whole_has_an_end_in_every_phase() -> None:
    time = Time()
    patience = Patience(LIMITS, 1009, now=time)
    assert patience.wait() == (1009, "total")
    patience.sent()
    assert patience.wait() == (1009, "total")
    patience.received()
    assert patience.wait() == (1009, "total")


def test_a_whole_answer_is_not_waited_for() -> None:
    time = Time()
    for ends_at in (None, 1600):
        patience = Patience(LIMITS, ends_at, now=time)
        patience.received()
        patience.progressed()
        patience.answered()
        assert patience.wait() == (time.now + 0.25, "total")
    hurried = Patience(LIMITS, time.now + 0.125, now=time)
    hurried.received()
    hurried.progressed()
    hurried.answered()
    assert hurried.wait() == (time.now + 0.125, "total")


def test_no_limit() -> None:
    patience = Patience(Timeouts(None, None, None, None), now=Time())
    assert patience.wait() == (None, "connect")
    patience.sent()
    assert patience.wait() == (None, "firstByte")
    patience.received()
    assert patience.wait() == (None, "idle")
