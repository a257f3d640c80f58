"""Somebody who presses Ctrl-C."""

import os
import signal
import time

from autodata_dspy.events import Watch


class Interrupts(Watch):
    """Presses Ctrl-C, and each time waits until the run has heard it: two signals at once are one."""

    def __init__(self):
        self.heard = []

    def interrupted(self, times):
        self.heard.append(times)

    def press(self, times):
        for i in range(1, times + 1):
            os.kill(os.getpid(), signal.SIGINT)
            deadline = time.monotonic() + 30
            while i < 3 and i not in self.heard and time.monotonic() < deadline:
                time.sleep(0.001)
