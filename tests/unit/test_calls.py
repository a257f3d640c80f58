"""The door that every model call goes through."""

import copy
import json
import threading
from pathlib import Path

import dspy
import pydantic
import pytest
from dspy import lm15
from dspy.utils.dummies import DummyLM

from autodata_dspy.budget import Limits, Meter, metered
from autodata_dspy.call_log import CallLog, logged, noted, working_on
from autodata_dspy.calls import RoleLM, last_call, request_key
from autodata_dspy.errors import ConfigError, ProviderError, StopRun, StoreError


class Form(pydantic.BaseModel):
    answer: str


@pytest.fixture
def role_lm(scripted):
    """→ role_lm(script, prices=None, **lm options) → (RoleLM, engine)."""

    def make(script, prices=None, **options):
        lm = scripted.lm(script, **options)
        return RoleLM("judge", lambda: lm, prices=prices), lm.engine

    return make


@pytest.fixture
def log(tmp_path):
    made = CallLog(tmp_path / "calls.jsonl")
    yield made
    made.close()


def test_a_call_is_counted_with_its_tokens(scripted, role_lm):
    lm, _ = role_lm(scripted.Said(text="hello", tokens=(100, 7)))
    with metered(Meter()) as meter:
        assert lm("hi") == ["hello"]
    usage = meter.by_role["judge"]
    assert (usage.calls, usage.input_tokens, usage.output_tokens, usage.truncated) == (1, 100, 7, 0)
    assert (usage.unpriced, usage.usd) == (1, 0.0) and usage.seconds > 0


def test_prices_turn_tokens_into_money(scripted, role_lm):
    lm, _ = role_lm(scripted.Said(text="x", tokens=(1000, 100)), prices=(2.0, 10.0))
    with metered(Meter()) as meter:
        lm("hi")
    assert meter.by_role["judge"].usd == pytest.approx(0.003)
    assert meter.by_role["judge"].unpriced == 0


def test_truncation_is_counted_and_known_afterwards(scripted, role_lm):
    lm, _ = role_lm(scripted.Said(text="cut", finish="length", tokens=(3, 9)))
    with metered(Meter()) as meter:
        lm("hi")
    call = last_call()
    assert (call.role, call.model, call.finish_reason) == ("judge", "scripted/model", "length")
    assert (call.output_tokens, call.replayed) == (9, False)
    assert meter.by_role["judge"].truncated == 1


def test_a_failed_call_is_a_provider_error_of_one_line(role_lm):
    lm, _ = role_lm(["first", lm15.RateLimitError("slow\ndown")])
    with metered(Meter()) as meter:
        lm("hi")
        with pytest.raises(ProviderError, match="role 'judge': scripted/model: ") as failed:
            lm("hi")
    assert "\n" not in str(failed.value) and meter.by_role["judge"].failed == 1


def test_dspys_own_retries_come_before_a_call_counts_as_failed(role_lm):
    lm, engine = role_lm([lm15.RateLimitError("slow", retry_after=0.001), "answer"], num_retries=2)
    with metered(Meter()) as meter:
        assert lm("hi") == ["answer"]
    assert (len(engine.calls), meter.by_role["judge"].failed) == (2, 0)


def test_a_configuration_error_in_the_engine_stops_the_run_with_its_own_words(role_lm):
    lm, _ = role_lm(ConfigError("weights not found"))
    with metered(Meter()) as meter, pytest.raises(StopRun, match=r"^weights not found$"):
        lm("hi")
    assert isinstance(meter.stopped_by, ConfigError)


def test_an_interrupted_call_is_not_counted():
    class Interrupts(dspy.BaseLM):
        def __call__(self, *args, **kwargs):
            raise KeyboardInterrupt

    lm = RoleLM("judge", lambda: Interrupts("x"))
    with metered(Meter(Limits(max_calls=1))) as meter:
        with pytest.raises(KeyboardInterrupt):
            lm("hi")
        meter.admit("judge")
    assert meter.total().calls == 0


def test_a_spent_budget_refuses_before_the_model_is_asked(role_lm):
    lm, engine = role_lm("x")
    with metered(Meter(Limits(max_calls=2))):
        lm("hi")
        lm("hi")
        with pytest.raises(StopRun):
            lm("hi")
    assert len(engine.calls) == 2


@pytest.mark.parametrize("disable_history", [False, True])
def test_no_history_grows(role_lm, disable_history):
    lm, _ = role_lm("x")
    inner = lm.resolve()
    with dspy.context(disable_history=disable_history), metered(Meter()) as meter:
        for _ in range(3):
            lm("hi")
    assert meter.by_role["judge"].input_tokens == 30
    assert inner.history == [] and lm.history == []


def test_an_answered_call_is_replayed_by_a_later_session_for_free(scripted, role_lm, tmp_path):
    first = CallLog(tmp_path / "calls.jsonl")
    lm, engine = role_lm(scripted.Said(text="é\ud800∀", finish="length", tokens=(10, 5)))
    with metered(Meter()), logged(first):
        answer = lm("hi", temperature=0.5)
        lm("hi", temperature=0.5)  # within a session two equal requests are two samples
    first.close()
    assert len(engine.calls) == 2
    again = CallLog(tmp_path / "calls.jsonl")
    with metered(Meter(Limits(max_calls=2), again.earlier)) as meter, logged(again):
        assert lm("hi", temperature=0.5) == answer
        assert (last_call().replayed, last_call().finish_reason, last_call().output_tokens) == (True, "length", 5)
    again.close()
    assert len(engine.calls) == 2
    usage = meter.by_role["judge"]
    assert (usage.calls, usage.replayed, usage.input_tokens, usage.truncated) == (2, 1, 20, 2)


def test_another_request_is_not_replayed(role_lm, tmp_path):
    log = CallLog(tmp_path / "calls.jsonl")
    lm, engine = role_lm("x")
    with logged(log):
        lm("hi", seed=1)
    log.close()
    again = CallLog(tmp_path / "calls.jsonl")
    with logged(again):
        for kwargs in ({"seed": 2}, {"seed": 1, "temperature": 0.1}):
            lm("hi", **kwargs)
        lm("ho", seed=1)
        lm("hi", seed=1)
    again.close()
    assert len(engine.calls) == 4


def test_a_failed_call_is_not_logged(role_lm, log):
    lm, _ = role_lm(["x", lm15.ServerError("down")])
    with logged(log):
        lm("hi")
        with pytest.raises(ProviderError):
            lm("hi")
    assert len(log.path.read_text().splitlines()) == 1


def test_a_request_is_named_by_everything_but_credentials():
    key = request_key("m", None, [{"role": "user", "content": "hi"}], {"seed": 1})
    assert len(bytes.fromhex(key)) == 16
    assert key == request_key("m", None, [{"role": "user", "content": "hi"}], {"seed": 1, "api_key": "s", "cache": 1})
    others = [
        request_key("n", None, [{"role": "user", "content": "hi"}], {"seed": 1}),
        request_key("m", "hi", None, {"seed": 1}),
        request_key("m", None, [{"role": "user", "content": "hi"}], {"seed": 1, "response_format": Form}),
        request_key("m", None, [{"role": "user", "content": "hi"}], {"seed": 1, "stop": Path("x")}),
        request_key("m", None, [{"role": "user", "content": "hi\ud800"}], {"seed": 1}),
    ]
    assert len({key, *others}) == 6


def test_a_torn_last_line_is_cut_off_and_the_log_goes_on(role_lm, tmp_path):
    path = tmp_path / "calls.jsonl"
    lm, engine = role_lm("x")
    log = CallLog(path)
    with logged(log):
        lm("one")
        lm("two")
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    again = CallLog(path)
    assert len(again) == 1 and again.earlier["judge"].calls == 1
    with logged(again):
        lm("one")
        lm("two")
    again.close()
    assert len(engine.calls) == 3
    assert [json.loads(line)["outputs"] for line in path.read_bytes().splitlines()] == [["x"], ["x"]]


@pytest.mark.parametrize("garbage", [b"\x00\xff garbage\n", b"{}\n", b"3\n", b'{"key": "zz"}\n'])
def test_garbage_in_the_middle_is_refused_with_its_line(role_lm, tmp_path, garbage):
    path = tmp_path / "calls.jsonl"
    lm, _ = role_lm("x")
    log = CallLog(path)
    with logged(log):
        lm("one")
    log.close()
    path.write_bytes(path.read_bytes() + garbage + path.read_bytes())
    with pytest.raises(StoreError, match=r"calls.jsonl, line 2: unreadable .*; remove the line to go on"):
        CallLog(path)


def test_a_log_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(StoreError, match=f"cannot open {tmp_path}: Is a directory"):
        CallLog(tmp_path)


def test_many_threads_write_whole_lines(role_lm, log):
    lm, _ = role_lm(lambda call: call.prompt * 50)

    def work(name):
        with logged(log):
            for i in range(20):
                lm(f"{name}-{i}")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [json.loads(line) for line in log.path.read_bytes().splitlines()]
    assert len({row["key"] for row in rows}) == 160


def test_it_answers_for_the_real_lm_when_dspy_asks(role_lm):
    lm, engine = role_lm("x", schema=True, temperature=0.2, num_retries=7)
    assert (lm.model, lm.model_type, lm.cache, lm.num_retries) == ("scripted/model", "chat", False, 7)
    assert lm.kwargs["temperature"] == 0.2 and lm.supports_response_schema is True
    assert lm.supported_params == engine.supported_params
    assert (lm.supports_function_calling, lm.supports_reasoning) == (False, False)


def test_its_own_parameters_come_before_the_lms_and_a_calls_before_both(role_lm):
    lm, engine = role_lm("x", temperature=0.2, max_tokens=5)
    warm = lm.copy(temperature=0.9)
    assert warm.kwargs["temperature"] == 0.9 and lm.kwargs["temperature"] == 0.2
    warm("hi")
    warm("hi", temperature=0.4)
    assert [(c.request.config.temperature, c.request.config.max_tokens) for c in engine.calls] == [(0.9, 5), (0.4, 5)]


def test_copies_share_it_and_its_state_has_no_key(role_lm):
    lm, _ = role_lm("x")
    assert copy.deepcopy({"lm": lm})["lm"] is lm
    assert lm.copy(api_key="secret", top_p=0.5).dump_state() == {"role": "judge", "params": {"top_p": 0.5}}


def test_one_roles_lm_given_as_anothers_counts_once(role_lm):
    inner, engine = role_lm("x")
    outer = RoleLM("student", lambda: inner).copy(temperature=0.7)
    with metered(Meter()) as meter:
        assert outer("hi") == ["x"]
    assert list(meter.by_role) == ["judge"] and meter.total().calls == 1
    assert engine.calls[0].request.config.temperature == 0.7


def test_dspys_dummy_lm_plays_a_role():
    dummy = DummyLM([{"answer": "red"}, {"answer": "blue"}])
    lm = RoleLM("judge", lambda: dummy)
    predict = dspy.Predict("question -> answer")
    with metered(Meter()) as meter:
        assert [predict(question="Colour?", lm=lm).answer for _ in range(2)] == ["red", "blue"]
    assert meter.total().calls == 2


def test_an_old_style_lm_plays_a_role_and_its_cost_is_counted():
    class Old(dspy.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            message = dspy.dsp.utils.utils.dotdict(content="old", reasoning_content=None, tool_calls=None)
            choice = dspy.dsp.utils.utils.dotdict(message=message, finish_reason="length")
            usage = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
            return dspy.dsp.utils.utils.dotdict(
                choices=[choice], usage=usage, model="old", _hidden_params={"response_cost": 0.25}
            )

    with metered(Meter()) as meter:
        assert RoleLM("judge", lambda: Old("old"))("hi") == ["old"]
    usage = meter.by_role["judge"]
    assert (usage.input_tokens, usage.output_tokens, usage.truncated, usage.usd) == (4, 2, 1, 0.25)
    assert last_call().finish_reason == "length"


def test_a_note_is_what_was_noted_first_for_each_job_and_no_role_s(log):
    for value, fresh in ((1, True), (2, False)):
        with logged(log if fresh else CallLog(log.path)), working_on("a"):
            assert noted("known", {"rent": value}) == {"rent": 1}
    again = CallLog(log.path)
    with logged(again), working_on("b"):
        assert noted("known", {"rent": 3}) == {"rent": 3}
    with logged(again), working_on("a"):
        assert noted("other", 4) == 4
    assert noted("known", 5) == 5  # nobody keeps anything
    assert again.earlier == {}


def test_a_note_that_cannot_be_written_stops_the_run(log):
    def full(*facts):
        raise StoreError("cannot write calls.jsonl: No space left on device")

    log.put = full
    with metered(Meter()) as meter, logged(log), pytest.raises(StopRun, match="No space left"):
        noted("known", 1)
    assert isinstance(meter.stopped_by, StoreError)
