"""What is told while policies are fitted and replayed."""

from __future__ import annotations

from supervisor.backtest.progress import OfPolicies, telling


def test_each_policy_is_told_of_as_it_is_done() -> None:
    """With how many there are; replays where nothing else was said for long."""
    told = list[str]()
    replayed = OfPolicies(told.append, 2, "replayed")
    replayed.replayed()
    replayed.done("weekly")
    replayed.done("[b]watch", ", 3 triggers")
    assert told == ["1 of 2 policies replayed: weekly", "2 of 2 policies replayed: [b]watch, 3 triggers"]
    told.clear()
    fitted = OfPolicies(told.append, 3, "fitted", silent_s=0)
    fitted.replayed()
    fitted.done("weekly")
    fitted.done("monthly")
    fitted.replayed()
    assert told[0] == "1 replay so far; 3 policies are not fitted yet"
    assert told[-1] == "2 replays so far; 1 policy is not fitted yet"


def test_a_tenth_at_a_time() -> None:
    """However many there are, and always the last."""
    told = list[str]()
    tell = telling(told.append, "model", "measured", pause_s=0)
    for done in range(1, 1_001):
        tell(done, 1_000)
    assert len(told) == 11
    assert told[-1] == "1,000 of 1,000 models measured"


def test_what_goes_fast_is_told_of_twice() -> None:
    """When it begins, and when all is done: a line a second would be too many."""
    told = list[str]()
    tell = telling(told.append, "window", "scored", pause_s=3600)
    for done in range(1, 114):
        tell(done, 113)
    assert told == ["1 of 113 windows scored", "113 of 113 windows scored"]
