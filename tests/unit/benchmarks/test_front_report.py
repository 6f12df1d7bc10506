"""What the load benchmark calls honest, and what it says of a server that was killed."""

from benchmarks.front.report import Reply, report

MEMORY = [(0.0, 500.0), (30.0, 600.0), (60.0, 601.0), (90.0, 602.0)]


def test_an_accident_in_the_middle() -> None:
    replies = [
        Reply(0, 1, 200, "", None),
        Reply(1, 3, 200, "", None),
        Reply(9, 11, 503, "model_server_away", "5"),  # inside when it was killed
        Reply(12, 12.1, 503, "model_server_away", "5"),
        Reply(20.5, 20.6, 503, "model_server_away", "5"),
        Reply(21, 22.5, 200, "", None),
    ]
    seen = report(replies, MEMORY, killed=10, back=20)
    assert seen["dishonest"] == 0 and seen["requests"] == 6
    assert seen["replies"] == {"200": 3, "503 model_server_away": 3}
    assert seen["accident"]["inside"] == {"503 model_server_away": 1}
    assert seen["accident"]["seconds_from_ready_to_first_card"] == 2.5
    assert seen["accident"]["last_503_of_it_after_ready"] == 0.6
    assert seen["seconds_before"]["p50"] == 1.5 and seen["seconds_after"]["count"] == 1
    assert seen["memory"]["mib_per_minute"] == 2.0 and seen["memory"]["mib_most"] == 602.0


def test_what_is_dishonest() -> None:
    wrong = [
        (503, "busy", None),
        (429, "rate_limited", None),
        (500, "internal", None),
        (504, "x", "1"),
        (0, "Read", None),
    ]
    replies = [Reply(0, 1, *one) for one in wrong] + [Reply(0, 1, 429, "rate_limited", "1")]
    assert report(replies, MEMORY, None, None)["dishonest"] == len(wrong)


def test_a_killed_server_that_never_came_back_in_time() -> None:
    seen = report([Reply(0, 1, 200, "", None)], MEMORY[:1], killed=10, back=None)
    assert seen["accident"] == {} and seen["seconds_after"] == {"count": 0}
