"""Downloads in tests: from a server by its URL, with little patience."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filtering import fetch
from filtering.download import DownloadReport, Limits, download

QUICK = Limits(jobs=4, attempts=3, first_pause=0.01)


def key(photo_id: str) -> str:
    return f"/{fetch.BUCKET}/{photo_id}.jpg"


def fetched(
    url: str, images: Path, *photos: Any, limits: Limits = QUICK, **options: Any
) -> DownloadReport:
    client = fetch.open_bucket(url, jobs=limits.jobs)
    return download(photos, images, client=client, limits=limits, **options)


def reasons(report: DownloadReport) -> dict[str, str]:
    return {failure.photo_id: failure.reason for failure in report.failures}


def leftovers(images: Path) -> list[Path]:
    return list(images.rglob("*.part"))
