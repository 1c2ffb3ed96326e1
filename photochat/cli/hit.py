"""Commands about what workers see on a platform: list, look at and check the HIT templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.errors import DataError

Own = Annotated[
    Path | None,
    typer.Option("--templates", help="Your own files, taken before ours.", metavar="DIR"),
]
Config = Annotated[Path | None, typer.Option(help="The campaign file.", metavar="FILE")]

hit = typer.Typer(
    help="Look at what workers see on a platform, and check that the platform takes it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.add_typer(hit, name="hit")


@hit.command("list")
def list_hits(own: Own = None, as_json: AsJson = False) -> None:
    """List the templates of hit_templates/.

    Example: photochat hit list
    """
    from collection.recruiting.hits import Templates

    hits = Templates(own).hits
    if as_json:
        print_json(hits)
    else:
        print_table(
            ("name", "kind", "minutes", "title"),
            [(name, one.kind, one.minutes, one.title) for name, one in hits.items()],
        )


@hit.command()
def preview(
    name: Annotated[str, typer.Argument(help="The template, see photochat hit list.")],
    out: Annotated[
        Path | None, typer.Option(help="Write one HTML file, to open in a browser.", metavar="FILE")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve it on this machine until Ctrl-C.")
    ] = False,
    xml: Annotated[
        bool, typer.Option("--xml", help="Print what the platform is sent instead.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="The template's values, as JSON.", metavar="FILE")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The chat's link, /join/CAMPAIGN.", metavar="URL")
    ] = None,
    config: Config = None,
    own: Own = None,
    port: Annotated[int, typer.Option(help="With --serve; 0 takes any.", min=0, max=65535)] = 0,
) -> None:
    """Show a template as the platform frames it, before and after a worker accepts it.

    Without --data it is filled with made-up values, and the words of the campaign file. A running
    chat server is framed by --serve with --url; start it with --frame-ancestor and the address
    that --serve prints, and give the host under submit_hosts in the campaign file.

    Example: photochat hit preview verification --out preview.html
    """
    from collection.campaign import Campaign, load_campaign
    from collection.recruiting import hit_preview
    from collection.recruiting.hits import templates_of
    from photochat.atomic import atomic_file

    if sum((out is not None, serve, xml)) != 1:
        raise DataError("choose one of --out FILE, --serve and --xml", field="hit preview")
    campaign = load_campaign(config) if config else Campaign()
    templates = templates_of(campaign, own)
    templates.hit(name)
    values = templates.example(name, campaign)
    values |= _read(data) if data else {}
    values |= {"url": url} if url else {}
    if serve and templates.hit(name).kind == "external" and not url:
        raise DataError("name the chat's link: http://127.0.0.1:8000/join/CAMPAIGN", field="--url")
    if xml:
        print(templates.question(name, values))
    elif out is not None:
        page = hit_preview.preview_file(templates, name, values, campaign)
        with atomic_file(out) as part:
            part.write_text(page, encoding="utf-8")
        note(f"{out}: open it in a browser")
    else:
        hit_preview.serve(
            templates, name, values, campaign, port=port,
            ready=lambda address: note(f"photochat: {name} on {address} (Ctrl-C ends it)"),
        )  # fmt: skip


@hit.command()
def check(config: Config = None, own: Own = None, as_json: AsJson = False) -> None:
    """Check all templates against the platform's schemas and limits; status 1 on problems.

    Example: photochat hit check --config campaign.toml
    """
    from collection.campaign import Campaign, load_campaign
    from collection.recruiting.hit_check import QUESTION_BYTES
    from collection.recruiting.hit_check import check as run
    from collection.recruiting.hits import templates_of

    campaign = load_campaign(config) if config else Campaign()
    checked = run(templates_of(campaign, own), campaign)
    if as_json:
        print_json(checked)
    else:
        print_table(
            ("name", "kind", "bytes", "problems"),
            [(one.name, one.kind, one.bytes, len(one.problems)) for one in checked],
        )
        for one in checked:
            for problem in one.problems:
                note(f"{one.name}: {problem}")
        note(f"at most {QUESTION_BYTES:,} bytes are taken")
    raise typer.Exit(1 if any(one.problems for one in checked) else 0)


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", file=file) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON: {error}", file=file) from error
    if not isinstance(values, dict):
        raise DataError("must be one JSON object: names and values of the template", file=file)
    return values
