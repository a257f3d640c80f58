"""Every kind of bad input gets one clear line and exit code 2, and nothing that was there is lost."""

import json

import pytest
from command_line import contents, refused, run

DOCUMENTS = {
    "no suffix": (
        "text",
        b"One two three four five six.",
        "cannot read documents from a file without suffix; use .txt",
    ),
    "another format": ("paper.docx", b"PK", "paper.docx: cannot read documents from .docx; use .txt, .md, .html"),
    "a damaged PDF": ("paper.pdf", b"%PDF-1.4", "paper.pdf: is a damaged PDF (Stream has ended unexpectedly); open it"),
    "a page without text": ("page.html", b"<nav>one two three four five</nav>", "document 'page.html' is empty"),
    "a table without texts": ("t.csv", b"id,n\nx,1\n", "t.csv: no column 'text', and none holds texts of: 'id', 'n'"),
    "a damaged table": ("t.parquet", b"PAR1", "t.parquet: cannot be read as Parquet ("),
    "empty": ("empty.txt", b"", "document 'empty.txt' is empty or has fewer than 5 words"),
    "only white space": ("blank.md", b" \n\t\n", "document 'blank.md' is empty"),
    "an empty text in a line": ("e.jsonl", b'{"text": ""}', "document 'e.jsonl:1' is empty"),
    "no line at all": ("none.jsonl", b"\n", "no documents"),
    "binary": ("b.txt", b"\x7fELF\x00\x01\x02 one two three four", "b.txt: is a binary file, not text"),
    "no encoding": (
        "l.txt",
        bytes(range(128, 256)) * 4,
        "l.txt: is not UTF-8 (byte 0), and no other encoding can be told from its bytes; convert it",
    ),
    "no JSON": ("j.jsonl", b'{"text": "One two three four five."}\nnope', "j.jsonl, line 2: not a JSON object"),
    "no text": (
        "t.jsonl",
        b'{"txt": "One two three four five."}',
        't.jsonl, line 1: needs an object with a string "text"',
    ),
    "one id twice": ("i.jsonl", b'{"id": 1, "text": "a b c d e"}\n{"id": "1", "text": "a b c d f"}', "have the id '1'"),
    "a huge text in a line": (
        "h.jsonl",
        json.dumps({"text": "word " * 1_200_000}).encode(),
        "h.jsonl, line 1: 6 MB is too",
    ),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_unusable_documents_are_refused(here, kind):
    name, content, says = DOCUMENTS[kind]
    (here / name).write_bytes(content)
    before = contents(here)
    refused("generate", "--documents", name, says=says)
    assert contents(here) == before


def test_missing_documents_are_refused(here):
    refused("generate", "--documents", "nowhere.txt", says="documents not found: nowhere.txt; give a file (.txt, .md")
    assert contents(here) == {}


def test_a_message_stays_one_line_whatever_it_quotes(here):
    refused(
        "generate", "--documents", "no\nsuch\r\nfile.txt", says="documents not found: no such file.txt; give a file"
    )


def test_a_folder_without_documents_is_refused(here):
    (here / "folder").mkdir()
    (here / "folder" / "picture.png").touch()
    refused("generate", "--documents", "folder", says="no documents in folder: nothing there ends in .txt, .md, .html")


def test_a_document_of_fifty_megabytes_is_refused(here):
    with (here / "large.txt").open("wb") as sparse:
        sparse.truncate(50_000_000)
    refused("generate", "--documents", "large.txt", says="large.txt: 50 MB is too large for one document (limit 5 MB)")
    assert (here / "large.txt").stat().st_size == 50_000_000


FLAGS = {
    "a role that does not exist": (
        "generate --lm stron_solver=vllm:x",
        "unknown role 'stron_solver'; did you mean 'strong_so",
    ),
    "a role without a model": ("generate --lm strong_solver", "--lm 'strong_solver': expected ROLE=MODEL"),
    "an empty model": ("generate --lm judge=", "--lm 'judge=': expected ROLE=MODEL"),
    "a parameter without a model": ("generate --lm judge.temperature=1", "role 'judge': expected a model string"),
    "an embedded model that does not exist": (
        "generate --lm all=embedded/smollm2-135",
        "unknown embedded model 'smollm2-135'; did you mean 'smollm2-135m'?",
    ),
    "a key on the command line": (
        "generate --lm judge=x/y --lm judge.api_key=s3cret",
        "roles.judge.api_key: keys are not",
    ),
    "a key variable that is not set": (
        "generate --lm all=openai/x --lm all.api_key_env=NO_SUCH_KEY",
        "model 'openai/x': the environment variable NO_SUCH_KEY (api_key_env) is not set",
    ),
    "a domain that does not exist": (
        "generate --domain math_object",
        "unknown domain 'math_object'; did you mean 'math_obj",
    ),
    "a paper's form where there is none": (
        "generate --domain code --paper-form",
        "setting 'paper_form': the domain 'code' has but one form; leave it out",
    ),
    "a program that does not exist": (
        "generate --program agentic",
        "unknown generator 'agentic'; did you mean 'agentic_self",
    ),
    "a thing that cannot be listed": ("list domain", "unknown thing to list 'domain'; did you mean 'domains'?"),
    "weights of no known model": (
        "models pull smollm",
        "unknown embedded model 'smollm'; did you mean 'smollm2-135m'?",
    ),
    "the place of no known model": (
        "models where gpt-9",
        "unknown embedded model 'gpt-9'; available: qwen2.5-coder-0.5b",
    ),
    "the place of missing weights": (
        "models where smollm2-135m",
        "not here; fetch them with: autodata models pull smollm2-135m",
    ),
    "no examples wanted": ("generate --n 0", "'--n': Input should be greater than or equal to 1"),
    "a number that is none": ("generate --n many", "'--n': "),
    "a negative seed": ("generate --seed -1", "'--seed': Input should be greater than or equal to 0"),
    "no documents at a time": ("resume run --concurrency 0", "'--concurrency': "),
    "no money": ("generate --max-usd 0", "setting 'limits.max_usd': Input should be greater than 0, not 0.0"),
    "an option that does not exist": ("generate --document x", "No such option: --document"),
    "a command that does not exist": ("generat", "No such command 'generat'"),
    "a missing run folder": ("status", "Missing argument 'run_dir'; see: autodata status --help"),
    "too many arguments": ("status a b", "unexpected extra argument"),
    "a configuration that is not there": ("generate --config my.toml", "configuration file not found: my.toml"),
    "a program file that is not there": (
        "generate --program my.json",
        "my.json: cannot be read: No such file or directory",
    ),
    "status of no run": ("status nowhere", "nowhere is not a run folder (no config.json)"),
    "show of no run": ("show nowhere", "nowhere is not a run folder (no config.json)"),
    "resume of no run": ("resume nowhere", "nowhere is not a run folder (no config.json)"),
}


@pytest.mark.parametrize("kind", FLAGS)
def test_wrong_arguments_are_refused(here, kind):
    arguments, says = FLAGS[kind]
    said = refused(*arguments.split(), says=says)
    assert "s3cret" not in said
    assert contents(here) == {}


TOML = {
    "no TOML": ("n = = 3", "configuration file my.toml: "),
    "no text": (b"n = 3 # \xff", "configuration file my.toml: 'utf-8' codec can't decode"),
    "an unknown setting": ("domian = 'math_objects'", "unknown setting 'domian'; did you mean 'domain'?"),
    "an unknown setting of a table": (
        "[limits]\nmax_call = 3",
        "unknown setting 'max_call'; did you mean 'max_calls'?",
    ),
    "an unknown role": ("[roles]\njugde = 'vllm:x'", "unknown role 'jugde'; did you mean 'judge'?"),
    "a value of the wrong kind": ("n = 'three'", "setting 'n': "),
    "no examples wanted": ("n = 0", "setting 'n': Input should be greater than or equal to 1, not 0"),
    "no table of roles": ("roles = 'vllm:x'", "setting 'roles': expected a table of roles"),
    "a key": (
        "[roles.judge]\nmodel = 'x/y'\napi_key = 's3cret'",
        "roles.judge.api_key: keys are not kept in configurations",
    ),
    "counts that contradict": ("[acceptance]\nmax_weak = 9", "max_weak=9 must lie between 0 and n_weak=4"),
}


@pytest.mark.parametrize("kind", TOML)
def test_a_wrong_configuration_file_is_refused(here, kind):
    text, says = TOML[kind]
    (here / "my.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    before = contents(here)
    said = refused("generate", "--config", "my.toml", says=says)
    assert "s3cret" not in said
    assert contents(here) == before


def test_a_configuration_file_that_is_a_folder_is_refused(here):
    (here / "my.toml").mkdir()
    refused("generate", "--config", "my.toml", says="configuration file my.toml: [Errno 21] Is a directory")


PROGRAMS = {
    "no JSON": ("nope", "my.json: not a program file"),
    "no program": ('{"a": 1}', "my.json: not a program file (the key 'schema' is missing or no number)"),
    "nested too deep": ("[" * 100_000, "my.json: not a program file (nested too deeply)"),
    "too large": (" " * 5_000_001, "my.json: too large for a program file (limit 5 MB)"),
    "of a newer version": ('{"schema": 3, "generator": "x", "predictors": {}}', "schema 3, this version reads up to 2"),
    "of another generator": (
        '{"schema": 1, "generator": "x", "predictors": {}}',
        "unknown generator 'x'; available: agentic_self_instruct",
    ),
    "of other predictors": (
        '{"schema": 1, "generator": "AgenticSelfInstruct", "predictors": {}}',
        "my.json: the program has the predictors [], the generator has ['challenger.write']",
    ),
    "of other fields": (
        '{"schema": 1, "generator": "AgenticSelfInstruct", "predictors": {"challenger.write": '
        '{"fields": ["topic", "question"], "instructions": "", "demos": []}}}',
        "my.json: challenger.write has the field 'topic' where the generator has the field 'passage': ['topic', ",
    ),
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_file_that_does_not_fit_is_refused(here, kind):
    text, says = PROGRAMS[kind]
    (here / "my.json").write_text(text)
    before = contents(here)
    refused("generate", "--program", "my.json", "--lm", "all=vllm:x", says=says)
    assert contents(here) == before


def test_the_installed_command_refuses_in_the_same_way(here):
    ran = run("generate", "--documents", "nowhere.txt")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: documents not found: nowhere.txt; give a file (.txt, .md, .html, .htm, .pdf, .jsonl, .csv, .parquet), "
        "a folder, hf:NAME (a data set), or 'builtin'\n"
    )


def test_a_data_set_is_refused_in_one_line_where_the_hub_is_out_of_reach(here):
    ran = run("generate", "--documents", "hf:nobody/lamps", env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(here / "hf")})
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("error: documents 'hf:nobody/lamps': cannot be loaded (")
    assert ran.err.endswith("; check the name, the split ('train') and the network\n")
