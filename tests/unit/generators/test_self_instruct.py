"""Self-Instruct from seeds to instances, with a scripted challenger."""

import pytest

from autodata_dspy import registry
from autodata_dspy.budget import Meter, metered
from autodata_dspy.call_log import CallLog, logged, working_on
from autodata_dspy.errors import ConfigError
from autodata_dspy.generation import generate
from autodata_dspy.generators import SelfInstruct
from autodata_dspy.seed_tasks import Instance, SeedTask
from autodata_dspy.types import Challenge, Document

SLOT = Document("slot-00001", "")
TASKS = "9. Say how a lighthouse warns ships at night.\n10. Do it\n11. Name the opposite of that word."
EXAMPLES = "Input: fog\nOutput: It sounds a horn.\n\nInput: calm\nOutput: calm\n\nInput: storm\nOutput:"
LABELS = "Label: termination\nInput: We may end the contract at any hour.\n\nLabel: nonsense\nInput: Some text."
SEEDS = [SeedTask("s", "Find the derivative of the function.", (Instance("x^2", "2x"),))]


def script(tasks=TASKS, kind="no", examples=EXAMPLES):
    def answer(call):
        if "new_tasks" in call.prompt:
            return {"new_tasks": tasks}
        return {"classification": kind} if "`classification`" in call.prompt else {"examples": examples}

    return answer


def run(scripted, answer, domain=None, document=SLOT, **options):
    roles = scripted.roles(challenger=answer, schema=True)
    maker = SelfInstruct(domain or scripted.domain(), roles, **options)
    return maker(document=document, seed=0).trajectory, roles, maker


def told(trajectory):
    return [(r.decision.reason, r.verdicts[0].verifier if r.verdicts else "") for r in trajectory.rounds]


@pytest.mark.parametrize("domain", [None, "math_objects"])
def test_every_candidate_is_a_round_that_names_its_filter(scripted, domain):
    options = {} if domain is None else {"seeds": SEEDS}
    domain = domain and registry.load("domains", domain)
    trajectory, _, maker = run(scripted, script(), domain, **options)
    rouge = [("filtered", "rouge_l")] if domain is None else []
    instances = [("accepted", ""), ("filtered", "input_is_output"), ("filtered", "empty_output")]
    if domain is None:
        assert told(trajectory) == [("filtered", "too_short"), *rouge, *instances]
        assert maker.pool.kept == ("Say how a lighthouse warns ships at night.",)
    assert set(instances) <= set(told(trajectory)) and ("filtered", "too_short") in told(trajectory)
    assert trajectory.accepted[0].challenge.question == "Say how a lighthouse warns ships at night.\n\nfog"
    assert [r.index for r in trajectory.rounds] == list(range(len(trajectory.rounds)))


@pytest.mark.parametrize(("cut", "n_whole"), [("new_tasks", 7), ("examples", 6)])
def test_what_broke_off_is_dropped_and_so_is_what_exceeds_five_instances(scripted, cut, n_whole):
    tasks = "9. Say how far away the port is." + "\n10. Say how the lamp of a tow" * (cut == "new_tasks")
    ports = "\n\n".join(f"Input: port {n}\nOutput: It lies {n} miles away." for n in range(7))

    def answer(call):
        said = script(tasks, examples=ports)(call)
        return scripted.Said(said, finish="length" if cut in said else "stop")

    found = told(run(scripted, answer)[0])
    assert found.count(("filtered", "cut_off")) == 1 and len(found) == n_whole + 1
    assert found.count(("accepted", "")) == 5 and found.count(("filtered", "too_many_instances")) == n_whole - 5


def test_fixed_labels_need_no_sorting_and_a_label_of_none_is_malformed(scripted):
    trajectory, roles, _ = run(
        scripted,
        script("9. Sort the clause by its effect.", examples=LABELS),
        registry.load("domains", "legal_labels"),
        seeds=SEEDS,
    )
    assert [reason for reason, _ in told(trajectory)] == ["accepted", "malformed"]
    assert trajectory.accepted[0].challenge.label == "termination"
    assert len(scripted.calls(roles, "challenger")) == 2


@pytest.mark.parametrize(("kind", "field"), [("yes", "labels"), ("no", "task")])
def test_classification_writes_the_label_first(scripted, kind, field):
    _, roles, _ = run(scripted, script("9. Is this sentence friendly or rude?", kind))
    last = scripted.calls(roles, "challenger")[-1]
    assert field in last.inputs and ("labels" in last.inputs) is (kind == "yes")
    assert [c.request.config.temperature for c in scripted.calls(roles, "challenger")] == [0.7, 0.0, 0.0]


def test_a_text_is_shown_fenced_in_writing_and_a_slot_shows_none(scripted):
    for document, n in ((Document("d", "A lighthouse shows ships the way home."), 2), (SLOT, 0)):
        _, roles, _ = run(scripted, script(), document=document)
        assert sum("passage" in c.inputs for c in scripted.calls(roles, "challenger")) == n


def test_instructions_without_an_accepted_instance_leave_the_pool(scripted):
    _, _, maker = run(scripted, script(examples="nothing"))
    assert maker.pool.kept == () and len(maker.pool) == len(maker.pool.seeds)


def varied(call):
    if "new_tasks" in call.prompt:
        return {"new_tasks": "\n".join(f"{i}. {' '.join(f'v{call.seed}{i}{k}' for k in range(5))}" for i in (9, 10))}
    return (
        {"classification": "no"}
        if "`classification`" in call.prompt
        else {"examples": f"Input: none\nOutput: {call.seed}"}
    )


@pytest.mark.parametrize("n_first", [1, 3])
def test_a_run_without_documents_that_is_resumed_is_as_an_uninterrupted_one(scripted, tmp_path, n_first):
    def go(folder, n):
        maker = SelfInstruct(scripted.domain(), scripted.roles(challenger=varied, schema=True), per_document=1)
        slots = [Document(f"slot-{i}", "") for i in range(6)]
        return generate(maker, slots, n, concurrency=1, run_dir=tmp_path / folder), maker.pool.kept

    whole, kept = go("whole", 5)
    go("parts", n_first)
    again, kept_again = go("parts", 5)
    assert [t.rounds for t in again.trajectories] == [t.rounds for t in whole.trajectories]
    assert kept_again == kept and len(kept) == 5 and whole.verified == "none"


def test_a_document_that_is_made_again_is_shown_the_tasks_of_the_first_time(scripted, tmp_path):
    def go(learned=()):
        maker = SelfInstruct(scripted.domain(), scripted.roles(challenger=varied, schema=True), per_document=1)
        maker.learn([Challenge("q", "a", angle=instruction) for instruction in learned])
        log = CallLog(tmp_path / "calls.jsonl")
        with metered(meter := Meter()), logged(log), working_on("b|0"):
            accepted = maker(document=Document("b", ""), seed=0).accepted
        log.close()
        return [r.challenge for r in accepted], meter.total()

    first, paid = go()
    others = [f"{word} {word}ly {word}ing {word}ed {word}er" for word in ("count", "paint", "sort", "weigh", "fold")]
    again, used = go(others)  # they were finished meanwhile, and four of them would be shown
    assert again == first and paid.calls > 1 and (used.calls, used.replayed) == (0, paid.calls)


def test_no_seeds_and_limits_below_one_are_refused(scripted):
    with pytest.raises(ConfigError, match="no seed tasks given"):
        SelfInstruct(scripted.domain(), seeds=[])
    with pytest.raises(ConfigError, match="per_document=0"):
        SelfInstruct(scripted.domain(), per_document=0)
