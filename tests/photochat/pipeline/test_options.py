"""Files named in a section's options are found and put beside the pipeline file."""

from pathlib import Path

from photochat.cli import command_line
from photochat.pipeline.options import FILES, placed
from photochat.pipeline.settings import parse_settings
from photochat.pipeline.stages import chain

EVERYTHING = {
    "filter": {"boxes": ["b"], "classes": ["c"]},
    "images": {"folder": "photos", "download": True},
    "collect": {"campaign": "campaign.toml"},
    "check": {},
    "review": {"votes": ["review.db"]},
    "split": {"dev": 1, "test": 1},
    "bm25": {},
    "intent": {"preset": "tfidf"},
    "retrieval": {"preset": "tiny"},
    "package": {"name": "p", "license": "l"},
}


def test_files_and_folders_of_models_are_found_and_all_else_stays(tmp_path):
    (tmp_path / "mine").mkdir()
    options = ["--previous", "old", "--seed", "1", "--known=k.json", "--model", "mine",
               "--encoder", "minilm", "--persona", "--against", "/runs/a"]  # fmt: skip
    words, files = placed(options, Path("here"), tmp_path)
    assert words == ("--previous", "here/old", "--seed", "1", "--known=here/k.json", "--model",
                     "here/mine", "--encoder", "minilm", "--persona", "--against",
                     "/runs/a")  # fmt: skip
    assert files == (Path("here/old"), Path("here/k.json"), Path("here/mine"), Path("/runs/a"))


def test_no_option_of_a_stages_command_that_names_a_file_to_read_is_forgotten():
    written = {"--out", "--plots", "--report"}
    for stage in chain(parse_settings(EVERYTHING), Path(), Path()):
        command = command_line().commands[stage.words[0]]
        command = getattr(command, "commands", {}).get(stage.words[1], command)
        named = {
            option.opts[-1]
            for option in command.params
            if option.param_type_name == "option"
            and getattr(option, "metavar", None) in ("FILE", "DIR", "RUN")
        }
        assert named - {*stage.words} - written <= FILES, stage.name
