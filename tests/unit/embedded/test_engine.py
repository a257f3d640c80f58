"""The engine's translation between DSPy and llama.cpp, without a model: a scripted stand-in for the server."""

import copy
import json
import sys
import threading
import time

import dspy
import pytest
from dspy import lm15
from dspy.utils.exceptions import ContextWindowExceededError, LMInvalidRequestError, LMServerError

from autodata_dspy.budget import Meter, metered
from autodata_dspy.embedded import engine
from autodata_dspy.embedded.catalog import MODELS
from autodata_dspy.embedded.engine import LlamaEngine, embedded_lm
from autodata_dspy.errors import ConfigError, StopRun
from autodata_dspy.modules.task_writer import WRITING, TaskWriter
from autodata_dspy.roles import Roles

NAME = "smollm2-135m"


class ScriptedServer:
    """Answers as llama.cpp does: `answer` is returned, or raised; bodies are kept."""

    def __init__(self, answer):
        self.answer, self.bodies = answer, []

    def handle_chat_completions(self, body):
        self.bodies.append(body)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def said(text="hello", finish="stop", **usage):
    return {"choices": [{"finish_reason": finish, "message": {"role": "assistant", "content": text}}], "usage": usage}


@pytest.fixture
def server(monkeypatch):
    """Puts a scripted server where the model's would be."""

    def start(answer):
        scripted = ScriptedServer(answer)
        monkeypatch.setitem(engine._servers, NAME, scripted)
        return scripted

    return start


def lm(**options):
    return embedded_lm(NAME, num_retries=0, **options)


def sent(server, *, prompt=None, messages=None, **options):
    scripted = server(said())
    lm(**options)(prompt, messages=messages)
    return scripted.bodies[0]


# -- requests ---------------------------------------------------------------------------------------------


def test_a_plain_request_has_a_bound_asks_for_the_prompt_cache_and_gets_out_of_loops(server):
    body = sent(server, prompt="hi")
    assert body == {
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": engine.DEFAULT_MAX_TOKENS,
        "cache_prompt": True,
        **engine.DRY,
    }
    assert body["dry_multiplier"] > 0


def test_sampling_parameters_reach_the_server_zeros_included(server):
    body = sent(server, prompt="hi", temperature=0.0, seed=0, max_tokens=7, top_p=0.9, top_k=5, stop=["END"])
    assert {key: body[key] for key in ("temperature", "seed", "max_tokens", "top_p", "top_k", "stop")} == {
        "temperature": 0.0,
        "seed": 0,
        "max_tokens": 7,
        "top_p": 0.9,
        "top_k": 5,
        "stop": ["END"],
    }


def test_what_keeps_a_model_from_saying_the_same_again_reaches_the_server(server):
    body = sent(server, prompt="hi", presence_penalty=2.0, frequency_penalty=0.0)
    assert (body["presence_penalty"], body["frequency_penalty"]) == (2.0, 0.0)


def test_the_sampling_of_self_instruct_reaches_the_server(server):
    scripted = server(said('{"new_tasks": "9. Say it."}'))
    TaskWriter("instructions", Roles(challenger=lm()))(tasks=["Name the opposite."], seed=5)
    [body] = scripted.bodies
    assert {name: body[name] for name in ("seed", *WRITING)} == {"seed": 5, **WRITING}
    assert {"top_p", "presence_penalty"} <= WRITING.keys() <= LlamaEngine.supported_params


def test_the_system_text_comes_first_and_turns_keep_their_order():
    request = lm15.Request(
        model="m",
        system="be brief",
        messages=(lm15.Message.user("a"), lm15.Message.assistant("b"), lm15.Message.user("c")),
    )
    assert [(m["role"], m["content"]) for m in engine._body(request)["messages"]] == [
        ("system", "be brief"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
    ]


def test_a_signature_is_sent_as_a_json_schema_in_the_nested_form(server):
    scripted = server(said('{"mood": "good"}'))
    signature = dspy.Signature("text: str -> mood: Literal['good', 'bad']")
    with dspy.context(adapter=dspy.JSONAdapter()):
        assert dspy.Predict(signature)(text="sunny", lm=lm()).mood == "good"
    sent_format = scripted.bodies[0]["response_format"]
    assert sent_format["type"] == "json_schema"
    assert sent_format["json_schema"]["schema"]["properties"]["mood"]["enum"] == ["good", "bad"]
    assert sent_format["json_schema"]["schema"]["required"] == ["mood"]


@pytest.mark.parametrize("canonical", [None, {"type": "json_object"}, {"type": "text"}])
def test_other_response_formats_pass_unchanged(canonical):
    assert engine._response_format(canonical) == canonical


# -- responses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), (None, "error"), ("odd", "error")],
)
def test_finish_reasons_are_translated(server, theirs, ours):
    server(said(finish=theirs))
    request = lm15.Request(model="m", messages=(lm15.Message.user("hi"),))
    assert LlamaEngine(NAME).complete(request).finish_reason == ours


def test_usage_tells_the_cached_share_of_the_prompt(server):
    server(said(prompt_tokens=509, completion_tokens=9, prompt_tokens_details={"cached_tokens": 502}))
    request = lm15.Request(model="m", messages=(lm15.Message.user("hi"),))
    usage = LlamaEngine(NAME).complete(request).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (509, 502, 9)


def test_an_answer_without_text_or_usage_is_empty_text(server):
    server({"choices": [{"finish_reason": "stop", "message": {"content": None}}]})
    request = lm15.Request(model="m", messages=(lm15.Message.user("hi"),))
    assert LlamaEngine(NAME).complete(request).message.text in ("", None)


# -- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (
            {"error": {"code": 400, "type": "exceed_context_size_error", "message": "request (9031 tokens) exceeds"}},
            ContextWindowExceededError,
            "too long for an embedded model: request .9031 tokens. exceeds",
        ),
        (
            {"error": {"code": 400, "type": "invalid_request_error", "message": "type must be number"}},
            LMInvalidRequestError,
            "type must be number",
        ),
        ({"error": {"code": 500, "message": "slot is gone"}}, LMServerError, "slot is gone"),
        ({"error": {"code": 503}}, LMServerError, "503"),
        (ValueError("JSON schema error at #"), LMInvalidRequestError, "JSON schema error at #"),
    ],
    ids=["context", "bad request", "server", "without a message", "schema"],
)
def test_the_servers_errors_become_dspys(server, answer, error, text):
    server(answer)
    with pytest.raises(error, match=text):
        lm()("hi")


def test_connection_settings_are_refused():
    with pytest.raises(ConfigError, match=f"model 'embedded/{NAME}': .*api_base"):
        embedded_lm(NAME, api_base="http://127.0.0.1:1/v1")


def test_an_unknown_model_is_refused_before_any_call():
    with pytest.raises(ConfigError, match=r"did you mean 'smollm2-135m'\?"):
        embedded_lm("smollm2")


def test_without_the_extra_the_message_names_it(monkeypatch, cache):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.delitem(engine._servers, NAME, raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'autodata-dspy\[local\]'"):
        engine.server(NAME)
    # In a run it stops everything with the same words, instead of failing document after document.
    with metered(Meter()), pytest.raises(StopRun, match=r"pip install 'autodata-dspy\[local\]'") as stop:
        Roles(judge=f"embedded/{NAME}")["judge"]("hi")
    assert isinstance(stop.value.cause, ConfigError)


# -- identity and state -----------------------------------------------------------------------------------


def test_the_models_name_carries_its_hash_and_dspys_cache_is_off():
    made = embedded_lm(NAME)
    assert made.model == f"embedded/{NAME}@{MODELS[NAME].sha256[:8]}"
    assert made.cache is False


def test_structured_output_is_declared():
    made = embedded_lm(NAME)
    assert made.supports_response_schema
    assert {"response_format", "seed"} <= set(made.supported_params)


def test_copies_share_the_engine():
    made = LlamaEngine(NAME)
    assert copy.deepcopy(made) is made
    assert copy.deepcopy({"program": [made]})["program"][0] is made


def test_a_saved_lm_comes_back_with_its_engine():
    state = json.loads(json.dumps(embedded_lm(NAME, temperature=0.3).dump_state()))
    loaded = dspy.BaseLM.load_state(state, allow_custom_lm_class=True)
    assert loaded.model == embedded_lm(NAME).model
    assert loaded.kwargs["temperature"] == 0.3
    assert loaded._engine_spec.name == NAME


def test_a_state_of_an_unknown_model_is_refused():
    with pytest.raises(ConfigError, match="unknown embedded model 'gone'"):
        LlamaEngine.load_state({"name": "gone"})


# -- prompts that share a constant part -------------------------------------------------------------------


class SlowServer(ScriptedServer):
    """Holds every call until `go` is set, and counts those that are inside at the same time."""

    def __init__(self):
        super().__init__(said())
        self.go, self.inside, self.most = threading.Event(), 0, 0
        self.lock = threading.Lock()

    def handle_chat_completions(self, body):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.go.wait(20)
        with self.lock:
            self.inside -= 1
        return super().handle_chat_completions(body)


def side_by_side(scripted, prompts):
    """Calls at once; how many were inside the server before any of them was answered."""
    threads = [threading.Thread(target=lm(), kwargs={"messages": messages}) for messages in prompts]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    inside = scripted.inside
    scripted.go.set()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    return inside


def prompt(constant, last):
    return [{"role": "system", "content": constant}, {"role": "user", "content": last}]


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr(engine, "_met", {})
    scripted = SlowServer()
    monkeypatch.setitem(engine._servers, NAME, scripted)
    return scripted


def test_the_first_call_with_a_constant_part_goes_alone_and_the_others_follow_together(slow):
    assert side_by_side(slow, [prompt("same", f"{i}") for i in range(3)]) == 1
    slow.go.clear()
    assert side_by_side(slow, [prompt("same", f"{i}") for i in range(3, 6)]) == 3


def test_calls_with_different_constant_parts_do_not_wait_for_each_other(slow):
    assert side_by_side(slow, [prompt("one", "a"), prompt("other", "a"), [{"role": "user", "content": "bare"}]]) == 3


def test_a_first_call_that_fails_lets_the_others_go(slow):
    slow.answer = ValueError("bad schema")
    slow.go.set()
    for last in "ab":
        with pytest.raises(LMInvalidRequestError):
            lm()(messages=prompt("same", last))
