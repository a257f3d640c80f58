"""The generator among DSPy's things: frozen examiner, saving, copying, settings, custom generators."""

import copy
import threading

import dspy
import pytest

from autodata_dspy.generation import generate
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.judging import fenced
from autodata_dspy.modules import Challenger, Solver
from autodata_dspy.roles import Roles
from autodata_dspy.types import Document

DOCUMENT = Document("d", "A lighthouse shows ships the way into the harbour.")


@pytest.fixture
def roles(scripted):
    return scripted.fated_roles(scripted.fated("q"), schema=True)


def test_only_the_data_makers_own_predictor_can_be_optimized(scripted, roles):
    maker = AgenticSelfInstruct(scripted.domain(), roles)
    assert [name for name, _ in maker.named_predictors()] == ["challenger.write"]
    assert list(maker.dump_state()) == ["challenger.write"]


def test_a_copy_plays_the_same_roles_with_its_own_prompts(scripted, roles):
    maker = AgenticSelfInstruct(scripted.domain(), roles)
    twin = maker.deepcopy()
    twin.challenger.write.signature = twin.challenger.write.signature.with_instructions("Other words.")
    assert twin.roles is roles and twin.weak.roles is roles and copy.deepcopy(roles) is roles
    assert maker.challenger.write.signature.instructions == "Write a question about the passage."
    assert len(twin(document=DOCUMENT).accepted) == 1
    assert scripted.calls(roles, "challenger")[-1].prompt.count("Other words.") == 1
    assert [name for name, _ in twin.named_predictors()] == ["challenger.write"]


def test_saved_prompts_load_into_a_maker_that_keeps_its_roles(scripted, roles, tmp_path):
    maker = AgenticSelfInstruct(scripted.domain(), scripted.fated_roles("unused"))
    maker.challenger.write.signature = maker.challenger.write.signature.with_instructions("Write about light.")
    maker.save(tmp_path / "program.json")
    loaded = AgenticSelfInstruct(scripted.domain(), roles)
    loaded.load(tmp_path / "program.json")
    assert len(loaded(document=DOCUMENT).accepted) == 1
    assert "Write about light." in scripted.calls(roles, "challenger")[0].prompt
    assert "scripted/" not in (tmp_path / "program.json").read_text()


def test_roles_that_are_not_named_fall_back_to_the_configured_lm(scripted):
    def anyone(call):
        if "passage" in call.inputs:
            return scripted.fated("q")
        if "whether the question is sound" in call.prompt:
            return {"verdict": "sound"}
        return scripted.solver("strong_solver" if "step by step" in call.prompt else "weak_solver")(call)

    lm = scripted.lm(anyone, schema=True)
    dspy.configure(lm=lm)
    trajectory = AgenticSelfInstruct(scripted.domain(), per_document=1)(document=DOCUMENT).trajectory
    assert [r.decision.reason for r in trajectory.rounds] == ["accepted"]
    prompts = [call.prompt for call in lm.engine.calls]
    assert sum("Answer the question step by step." in p for p in prompts) == 3  # strong
    assert sum("Answer the question." in p for p in prompts) == 3  # weak: the same model, directly
    assert lm.history == []


def test_a_role_is_resolved_at_call_time_so_that_a_context_lm_takes_effect(scripted):
    first, second = scripted.lm({"question": "one", "answer": "1"}), scripted.lm({"question": "two", "answer": "2"})
    dspy.configure(lm=first)
    challenger = Challenger(scripted.domain())
    assert challenger(document=DOCUMENT).challenge.question == "one"
    with dspy.context(lm=second):
        assert challenger(document=DOCUMENT).challenge.question == "two"
    assert challenger(document=DOCUMENT).challenge.question == "one"


def test_dspys_own_parallelism_works_on_our_modules(scripted, roles):
    maker = AgenticSelfInstruct(scripted.domain(), roles, per_document=1)
    examples = [dspy.Example(document=d).with_inputs("document") for d in scripted.documents(4)]
    predictions = maker.batch(examples, num_threads=3)
    assert [len(p.accepted) for p in predictions] == [1, 1, 1, 1]


def test_concurrent_documents_do_not_mix_their_finish_reasons(scripted):
    barrier = threading.Barrier(2, timeout=60)

    def strong(call):
        barrier.wait()
        long = "doc-1" in call.inputs["question"]
        return scripted.Said({"reasoning": "r", "answer": "x"}, finish="length" if long else "stop")

    solver = Solver(scripted.domain(), "strong", scripted.roles(strong_solver=strong, schema=True))

    class Both(dspy.Module):
        def forward(self, document, seed):
            challenge = dspy.Prediction(question=document.id, answer="x", context="")
            return dspy.Prediction(accepted=[], rollout=found.append(solver(challenge=challenge).rollout))

    found = []
    generate(Both(), scripted.documents(2), concurrency=2)
    assert sorted(r.finish_reason for r in found) == ["length", "stop"]


class ThreeLines(dspy.Module):
    def __init__(self, domain, roles):
        super().__init__()
        self.roles, self.write = roles, Challenger(domain, roles)

    def forward(self, document, seed=0):
        return self.write(document=document, seed=seed)


def test_a_three_line_generator_of_our_modules_works_in_generate(scripted, tmp_path):
    roles = scripted.roles(challenger=lambda c: {"question": c.inputs["passage"], "answer": "a"})
    maker = ThreeLines(scripted.domain(), roles)
    result = generate(maker, scripted.documents(3), run_dir=tmp_path)
    assert [row["question"] for row in result.accepted] == [fenced(d.text, "passage") for d in scripted.documents(3)]
    assert [row["document_id"] for row in result.accepted] == ["doc-0", "doc-1", "doc-2"]
    assert {(row["weak_attempts"], row["challenger_model"]) for row in result.accepted} == {(0, "scripted/challenger")}
    assert [name for name, _ in maker.named_predictors()] == ["write.write"]


def test_embedded_roles_name_the_models_of_the_default_pair():
    roles = Roles.embedded(judge="openai/gpt-4o-mini")
    maker = AgenticSelfInstruct("math_objects", roles)
    assert maker.roles.model_of("weak_solver").startswith("embedded/qwen2.5-coder-0.5b@")
    assert maker.roles.model_of("strong_solver").startswith("embedded/qwen2.5-coder-1.5b@")
    assert maker.roles.model_of("judge") == "openai/gpt-4o-mini"
