"""A few calls of the real embedded models. The weights are fetched, the ordinary way, where they are missing."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import dspy
import pytest
from dspy.utils.exceptions import ContextWindowExceededError

from autodata_dspy.budget import Meter, metered
from autodata_dspy.calls import last_call
from autodata_dspy.embedded import engine
from autodata_dspy.embedded.engine import embedded_lm
from autodata_dspy.errors import ProviderError
from autodata_dspy.roles import Roles

pytestmark = pytest.mark.live
SMALL = "smollm2-135m"
STORY = "Write one sentence about a fox that meets a crow near a frozen lake in the middle of a long winter."


@pytest.fixture(scope="module", autouse=True)
def memory_given_back():
    yield
    engine.close_all()


class Mood(dspy.Signature):
    """Say which mood the text has and how sure you are."""

    text: str = dspy.InputField()
    mood: Literal["cheerful", "gloomy", "neutral"] = dspy.OutputField()
    sure: bool = dspy.OutputField()


def ask(prompt=STORY, **options):
    return embedded_lm(SMALL, **{"max_tokens": 16, **options})(prompt)[0]


def test_a_schema_is_obeyed_even_by_the_smallest_model():
    with dspy.context(adapter=dspy.JSONAdapter()):
        said = dspy.Predict(Mood)(text="It rains again.", lm=embedded_lm(SMALL, temperature=1.5, max_tokens=60, seed=3))
    assert said.mood in ("cheerful", "gloomy", "neutral")
    assert isinstance(said.sure, bool)


def test_a_cut_answer_is_reported_and_counted_as_truncated():
    roles = Roles(judge={"model": f"embedded/{SMALL}", "max_tokens": 5})
    with metered(Meter()) as meter:
        text = roles["judge"](STORY)[0]
    assert last_call().finish_reason == "length"
    assert last_call().output_tokens == 5
    used = meter.by_role["judge"]
    assert (used.calls, used.truncated, used.output_tokens) == (1, 1, 5)
    assert used.usd == 0.0 and used.unpriced == 0
    assert text


def test_an_answer_that_ends_by_itself_is_not_truncated():
    roles = Roles(judge={"model": f"embedded/{SMALL}", "max_tokens": 30})
    with metered(Meter()) as meter:
        roles["judge"](STORY, stop=[" "])
    assert last_call().finish_reason == "stop"
    assert meter.by_role["judge"].truncated == 0


def test_the_seed_decides_the_text():
    ask(seed=1)  # the first call computes the prompt in other batches than those that find it cached
    first, again = ask(seed=1, temperature=1.0), ask(seed=1, temperature=1.0)
    assert first == again
    assert len({first, *(ask(seed=s, temperature=1.0) for s in (2, 3, 4))}) > 1


def test_a_prefix_met_before_is_not_computed_again():
    roles = Roles(judge={"model": f"embedded/{SMALL}", "max_tokens": 3})
    prefix = "The rules of the game are as follows. " + " ".join(f"Rule {n}: move {n * 7} steps." for n in range(30))
    with metered(Meter()) as meter:
        roles["judge"](prefix + " Who wins?")
        cold = meter.total().cached_tokens
        roles["judge"](prefix + " Who loses?")
    used = meter.total()
    assert used.input_tokens > 600
    assert used.cached_tokens - cold > 0.9 * used.input_tokens / 2


def test_four_threads_at_once_are_all_answered_by_one_server():
    ready = threading.Barrier(4)

    def job(n):
        ready.wait()
        return ask(f"Count from {n}.", seed=n), engine.server(SMALL)

    with ThreadPoolExecutor(4) as pool:
        answers, servers = zip(*pool.map(job, range(4)), strict=True)
    assert all(answers)
    assert len({id(s) for s in servers}) == 1
    assert embedded_lm(SMALL).model == embedded_lm(SMALL, temperature=0.5).model


def test_a_prompt_beyond_the_context_is_a_clear_error():
    with pytest.raises(ContextWindowExceededError, match=r"too long for an embedded model: .*8192 tokens"):
        ask("word " * 9000)
    with pytest.raises(ProviderError, match=r"role 'judge': embedded/smollm2-135m@\w+: .*too long for an embedded"):
        Roles(judge=f"embedded/{SMALL}")["judge"]("word " * 9000)
    assert ask("Say hello.")  # and the server goes on


CHILD = """
import gc, json, pathlib, time
from autodata_dspy.embedded import engine

def mib():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

def ask():
    return engine.embedded_lm("smollm2-135m", max_tokens=4)("Hello")[0]

ask()
loaded = mib()
engine.close_all()
gc.collect()
closed = mib()
ask()  # starts it anew, and leaves it to the end of the process
print(json.dumps({"loaded": loaded, "closed": closed, "ended": time.time()}), flush=True)
"""


def test_memory_is_freed_and_the_process_ends_cleanly():
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=100)
    ended = time.time()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["loaded"] - told["closed"] > 100  # MiB: weights (94), context and buffers
    assert ended - told["ended"] < 10


def test_the_half_billion_model_answers_through_a_signature():
    with dspy.context(adapter=dspy.JSONAdapter()):
        lm = embedded_lm("qwen2.5-coder-0.5b", temperature=0.0, max_tokens=30)
        said = dspy.Predict("question -> answer: int")(question="What is 2 + 3?", lm=lm)
    assert said.answer == 5
