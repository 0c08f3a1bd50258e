import threading

from ami_exporter.web.threads import ReusedThreads
from tests.support.web import wait_until


def alive(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_a_thread_is_used_again_and_none_waits_for_another() -> None:
    threads, hold, idents = ReusedThreads("reused"), threading.Event(), []
    threads.run(lambda: idents.append(threading.get_ident()))
    wait_until(lambda: threads._idle == 1)
    threads.run(lambda: idents.append(threading.get_ident()))
    wait_until(lambda: threads._idle == 1)
    assert idents[0] == idents[1]
    started = threading.Semaphore(0)

    def wait() -> None:
        started.release()
        hold.wait(20)

    for _ in range(50):
        threads.run(wait)
    for _ in range(50):
        assert started.acquire(timeout=20)
    hold.set()
    threads.stop()
    wait_until(lambda: alive("reused") == 0)


def test_idle_threads_end_after_a_while() -> None:
    threads = ReusedThreads("short-lived", kept_seconds=0.05)
    threads.run(lambda: None)
    wait_until(lambda: alive("short-lived") == 0)
    assert threads._idle == 0
    again = threading.Event()
    threads.run(again.set)
    assert again.wait(20)
    threads.stop()
