"""What users may import: locked, lazy, and small."""

import subprocess
import sys

import pytest

import autodata_dspy as ad

PUBLIC = {
    "__version__",
    "AutodataError",
    "Challenge",
    "ConfigError",
    "Document",
    "ExactCounts",
    "Limits",
    "Result",
    "Roles",
    "RunConfig",
    "Trajectory",
    "Verdict",
    "calibrate",
    "compile",
    "domains",
    "generate",
    "generators",
    "load_documents",
    "load_program",
    "modules",
    "save_program",
    "verifiers",
}


def test_the_public_names_are_these():
    # Removing one breaks users; adding one is a decision. At most 25: more cannot be kept in mind.
    assert set(ad.__all__) >= PUBLIC
    assert len(ad.__all__) == len(set(ad.__all__)) <= 25
    assert sorted(ad.__all__) == dir(ad)


@pytest.mark.parametrize("name", ad.__all__)
def test_every_public_name_resolves_to_a_documented_thing(name):
    thing = getattr(ad, name)
    assert isinstance(thing, str) or (thing.__doc__ or name in ("domains", "verifiers"))


def test_the_advertised_line_works():
    roles = ad.Roles.embedded()
    maker = ad.generators.AgenticSelfInstruct("math_objects", roles)
    assert maker.roles is roles and callable(ad.generate)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Generate'"):
        ad.Generate  # noqa: B018


def loaded_by(code):
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_imports_nothing_else():
    loaded = loaded_by("import autodata_dspy; dir(autodata_dspy); autodata_dspy.__version__")
    assert {name for name in loaded if name.startswith("autodata_dspy")} == {"autodata_dspy"}
    assert not loaded & {"dspy", "sympy", "pydantic", "datasets", "litellm", "typer"}


def test_names_that_need_no_model_do_not_load_dspy():
    code = "import autodata_dspy as ad; ad.Document, ad.Limits, ad.Roles(), ad.RunConfig(), ad.load_documents"
    assert "dspy" not in loaded_by(code)
