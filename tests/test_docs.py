"""What the documents say is so: the commands run, the pages are current, links lead somewhere."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
import typer

from photochat.cli import app
from photochat.release import read_release, write_release
from photochat.split import split
from tests.conftest import REPOSITORY, SAMPLE
from tests.stub_endpoint import StubEndpoint
from verification.finding import Checked, write_findings
from verification.review.store import Item, open_review

WITH_A_SERVER = {
    "serve",
    "simulate",
    "export",
    "browse",
    "mturk-emulator",
    "review",
    "campaign",
    "rehearse",
}
LANGUAGE_MODEL = "http://127.0.0.1:8080/v1"  # what the documents call somebody's endpoint
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def commands_in(text):
    """Return the `photochat ...` lines of a document's code blocks."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"photochat (?!\[)[a-z-]+ \S", line)]


def all_commands_in(text):
    """Return every `photochat ...` line that stands by itself, in whatever kind of block."""
    text = re.sub(r" *\\\n *", " ", text)
    command = r"^(?: {4})?(?:\$ )?(photochat (?!\[)[a-z-]+ \S.*?)(?: &| +#.*)?$"
    found = re.findall(command, text, re.M)
    return [line for line in found if not line.endswith((".", ",")) and "`" not in line]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder that holds what the documents' commands read, and keeps what they write."""
    tmp_path = tmp_path_factory.mktemp("documents")
    splits, _ = split(read_release(SAMPLE).dialogues, dev=20, test=20)
    write_release(splits, tmp_path / "release")
    shutil.copytree(SAMPLE.parent, tmp_path / "photochat" / "sample")
    shutil.copy(SAMPLE, tmp_path / "accepted.json")
    annotations = SAMPLE.parent / "open_images"
    for name, source in (
        ("validation-annotations-bbox.csv", "train-annotations-bbox.csv"),
        ("class-descriptions-boxable.csv", "class-descriptions.csv"),
        ("bbox_labels_600_hierarchy.json", "class-hierarchy.json"),
    ):
        shutil.copy(annotations / source, tmp_path / name)
    dialogues = read_release(SAMPLE).dialogues
    write_findings(tmp_path / "findings.jsonl", [Checked(d.dialogue_id) for d in dialogues])
    (tmp_path / "pipeline.toml").write_text(
        '[collect]\nraw = "raw.jsonl"\n[split]\ndev = 10\ntest = 10\n[bm25]\n'
    )
    # A review that somebody has made before.
    open_review(f"sqlite:///{tmp_path}/review.db", [Item(d, 2) for d in dialogues])[0].close()
    return tmp_path


@pytest.fixture(scope="module")
def done():
    """The commands that have run in the workplace: what two documents say runs once."""
    return set()


@pytest.fixture
def language_model():
    """An endpoint that answers whatever is asked, in place of the documents' own."""
    stub = StubEndpoint()
    yield stub.url
    stub.stop()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_runs(
    document, workplace, done, run_photochat, language_model, monkeypatch
):
    monkeypatch.chdir(workplace)
    for copy in ("accepted.jsonl", "raw.jsonl"):
        run_photochat("convert", "accepted.json", copy, "--force")
    for line in commands_in(document.read_text()):
        arguments = shlex.split(line)[1:]
        # The sample has fewer dialogues than the paper's splits.
        arguments = ["10" if argument == "1000" else argument for argument in arguments]
        arguments = [language_model if part == LANGUAGE_MODEL else part for part in arguments]
        if arguments[0] in WITH_A_SERVER or line in done:
            continue  # tests/e2e, filtering, collection/mturk_emulator and photochat/cli run them
        done.add(line)
        if "--out" in arguments and "release" in arguments:
            arguments.append("--force")
        elif "--out" in arguments:  # what another command has left in that folder
            shutil.rmtree(arguments[arguments.index("--out") + 1], ignore_errors=True)
        status, _, err = run_photochat(*arguments)
        assert status == (1 if arguments[0] == "validate" else 0), (line, err)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_is_one(document, monkeypatch, tmp_path):
    """Also those that a server, a platform or a large file would be needed for."""
    monkeypatch.chdir(tmp_path)
    whole = typer.main.get_command(app)
    for line in all_commands_in(document.read_text()):
        command, arguments = whole, shlex.split(line, comments=True)
        context = command.context_class(command, info_name=arguments.pop(0))
        while hasattr(command, "resolve_command"):
            name, command, arguments = command.resolve_command(context, arguments)
        command.make_context(name, arguments, parent=context)


def test_the_readmes_python_runs(workplace):
    [block] = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.S)
    block = block.replace("dev=100, test=100", "dev=10, test=10")
    subprocess.run([sys.executable, "-c", block], check=True, cwd=workplace)


def test_the_command_reference_is_current():
    page = (REPOSITORY / "docs" / "commands.md").read_text()
    sys.path.insert(0, str(REPOSITORY / "docs"))
    try:
        from reference import reference
    finally:
        sys.path.pop(0)
    assert page == reference(), "run: python docs/reference.py"


def test_every_command_is_in_some_page_beside_the_reference():
    text = "".join(d.read_text() for d in DOCUMENTS if d.name != "commands.md")
    for name in typer.main.get_command(app).commands:
        assert f"photochat {name}" in text, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_targets_that_the_readme_names_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", (REPOSITORY / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_examples_of_extending_run(tmp_path):
    """Each as it stands, and the check finds what it is for."""
    pytest.importorskip("torch")
    blocks = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs" / "extending.md").read_text(), re.S
    )
    check, recruiter, model = blocks
    proof = """
from photochat.dialogue import Dialogue, Turn
talk = Talk(Dialogue((Turn("LOOK AT THIS NOW", False, 0), Turn("ok", False, 1)), 1, "", ""))
assert [finding.turn for finding in shouting(talk)] == [0]
"""
    for number, code in enumerate((check + proof, recruiter, model)):
        exec(compile(code, f"extending.md, block {number + 1}", "exec"), {"__name__": "example"})


def test_the_site_builds_from_these_files_alone(tmp_path):
    """Strictly: every link leads somewhere; and no page asks a network for anything."""
    pytest.importorskip("mkdocs")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r"""<(?:script|img|link)[^>]*?(?:src|href)=["']?(https?:[^"' >]+)""", page.read_text()
        )
        assert [address for address in loaded if "canonical" not in address] == [], page


def test_every_dependency_is_explained():
    """By name in docs/dependencies.md, those for development apart."""
    project = (REPOSITORY / "pyproject.toml").read_text()
    asked = project.partition("dependencies = [")[2].partition("docs = [")[0]
    page = (REPOSITORY / "docs" / "dependencies.md").read_text()
    for name in re.findall(r'^ +"([A-Za-z0-9-]+)', asked, re.M):
        assert name in page, name
