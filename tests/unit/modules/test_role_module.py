"""What all role modules share: request parameters, seeds, retries, adapters."""

import dspy
import pytest
from dspy import lm15
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.asking import ATTEMPTS, request_parameters, seed_for
from autodata_dspy.budget import Meter, metered
from autodata_dspy.errors import ProviderError, UnknownPluginError
from autodata_dspy.modules.base import RoleModule

DOWN = lm15.RateLimitError("slow down")


@pytest.fixture
def ask(scripted):
    """→ ask(script, seed=1, defaults={}, **lm options) → (prediction, requests)."""

    def ask(script, seed=1, defaults=None, **options):
        lm = scripted.lm(script, **options)
        module = RoleModule(scripted.domain(), scripted.roles(judge="unused"))
        module.roles._given["judge"] = lm
        said = module.ask(dspy.Predict("question -> answer"), "judge", seed, defaults or {}, question="Why?")
        return said, [call.request for call in lm.engine.calls]

    return ask


def test_seeds_depend_on_their_parts_alone_and_fit_a_signed_int():
    assert seed_for("a", 1) == seed_for("a", 1)
    assert len({seed_for("a", i) for i in range(1000)}) == 1000
    assert all(0 <= seed_for("s", i) < 2**31 for i in range(1000))
    assert seed_for("a", 1) != seed_for("a1")
    assert seed_for("a", 1) == 1140150048  # stored runs are replayed by it


def test_the_seed_travels_with_the_request(ask):
    _, (request,) = ask({"answer": "because"}, seed=77)
    assert request.config.seed == 77


def test_defaults_fill_what_the_roles_lm_does_not_say(ask):
    _, (request,) = ask({"answer": "because"}, defaults={"temperature": 0.3, "max_tokens": 9}, temperature=0.9)
    assert (request.config.temperature, request.config.max_tokens) == (0.9, 9)


def test_a_temperature_of_zero_in_the_role_is_kept(ask):
    _, (request,) = ask({"answer": "because"}, defaults={"temperature": 0.3}, temperature=0.0)
    assert request.config.temperature == 0.0


def test_a_model_without_a_seed_parameter_gets_a_rollout_id_and_no_seed(scripted):
    lm = scripted.lm({"answer": "because"})
    lm.engine.supported_params = frozenset({"temperature"})
    module = RoleModule(scripted.domain(), scripted.roles())
    module.roles._given["judge"] = lm
    module.ask(dspy.Predict("question -> answer"), "judge", 5, {"temperature": 0.7}, question="Why?")
    assert lm.engine.calls[0].request.config.seed is None


def test_reasoning_models_are_not_told_a_temperature():
    lm = dspy.LM("openai/o1", max_tokens=16000, temperature=1.0, cache=False, api_key="none")
    assert set(request_parameters(lm, {"temperature": 0.7, "max_tokens": 100}, 3)) <= {"seed", "rollout_id"}


def test_failed_calls_are_retried_with_new_seeds(ask):
    said, requests = ask([DOWN, DOWN, {"answer": "because"}], schema=True)
    assert said.answer == "because" and len({r.config.seed for r in requests}) == 3


def test_a_call_that_fails_every_time_is_a_provider_error(scripted):
    roles = scripted.roles(judge=[{"answer": "before"}, DOWN], schema=True)
    module, predict = RoleModule(scripted.domain(), roles), dspy.Predict("question -> answer")
    with metered(Meter()):
        module.ask(predict, "judge", 1, {}, question="Why?")
        with pytest.raises(ProviderError, match=r"role 'judge': scripted/judge: .*slow down") as failed:
            module.ask(predict, "judge", 2, {}, question="Why?")
    assert len(scripted.calls(roles, "judge")) == 1 + ATTEMPTS
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("schema", [False, True])
def test_an_answer_that_stays_empty_is_a_provider_error(scripted, schema):
    roles = scripted.roles(judge=" \n", schema=schema)
    with pytest.raises(ProviderError, match="role 'judge': scripted/judge returned an empty answer"):
        RoleModule(scripted.domain(), roles).ask(dspy.Predict("question -> answer"), "judge", 1, {}, question="Why?")
    assert len(scripted.calls(roles, "judge")) == ATTEMPTS * (1 if schema else 2)  # markers fall back to JSON


def test_text_of_another_form_is_not_asked_for_again(ask):
    with pytest.raises(AdapterParseError):
        ask("no field here", schema=True)


def test_the_adapter_of_the_settings_is_respected(ask):
    with dspy.context(adapter=dspy.XMLAdapter()):
        said, requests = ask("<answer>because</answer>", schema=True)
    assert said.answer == "because"
    assert "<answer>" in requests[0].messages[-1].text


def test_a_domain_is_given_by_name_or_as_an_object(scripted):
    assert RoleModule("math_objects").domain.name == "math_objects"
    assert RoleModule(scripted.domain()).domain.name == "tiny"
    with pytest.raises(UnknownPluginError, match="did you mean 'math_objects'"):
        RoleModule("maths_object")
