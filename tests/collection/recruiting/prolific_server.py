"""A small Prolific: the endpoints that are used, as its API reference documents them, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

TOKEN = "a token of the tests"
PAGE = 2  # small, whatever is asked for: clients have to turn pages


class ProlificServer:
    """Keeps studies, submissions, groups and messages in memory; pays bonuses when told to."""

    def __init__(self) -> None:
        self.studies: dict[str, dict[str, Any]] = {}
        self.submissions: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.bulks: dict[str, dict[str, Any]] = {}
        self.asked_to_pay: list[str] = []
        self.balance = 100_000
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], Response | None] = lambda method, path: None
        self.app = _app(self)
        self._http = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def hand_in(self, study: str, number: int, status: str = "AWAITING REVIEW") -> str:
        """A participant takes part, and the submission has a status."""
        submission = f"sub{len(self.submissions) + 1}"
        self.submissions[submission] = {
            "id": submission,
            "study_id": study,
            "participant_id": f"person{number}",
            "status": status,
            "started_at": "2026-01-02T00:00:00.000000Z",
            "completed_at": "2026-01-02T00:10:00Z" if status != "ACTIVE" else None,
            "study_code": "DONE",
            "bonus_payments": [],
        }
        return submission

    def pay_out(self) -> None:
        """Let the bonuses that were asked for appear in the books, as often as they were."""
        for bulk in self.asked_to_pay:
            for line in self.bulks[bulk]["csv"].splitlines():
                submission, amount = line.split(",")
                cents = round(float(amount) * 100)
                self.submissions[submission]["bonus_payments"].append(cents)
        self.asked_to_pay.clear()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def _app(server: ProlificServer) -> Flask:
    app = Flask("prolific")

    def page_of(rows: list[dict[str, Any]]) -> Response:
        page = int(request.args.get("page", 1))
        following = {}
        if page * PAGE < len(rows):
            # As from behind another name: nobody may send the token there.
            following = {"next": {"href": f"https://elsewhere.example.org/?page={page + 1}"}}
        rows = rows[(page - 1) * PAGE : page * PAGE]
        return jsonify({"results": rows, "_links": following, "meta": {"count": len(rows)}})

    def found(kind: dict[str, Any], key: str) -> Any:
        return kind[key] if key in kind else abort(404, "Not found.")

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        return jsonify({"error": {"status": status, "detail": error.description}}), status

    @app.before_request
    def check() -> Response | None:
        server.calls.append((request.method, request.path))
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            abort(401, "Authentication credentials were not provided.")
        return server.before(request.method, request.path)

    @app.get("/api/v1/projects/<project>/studies/")
    def studies(project: str) -> Response:
        return page_of([one for one in server.studies.values() if one["project"] == project])

    @app.post("/api/v1/studies/")
    def create() -> tuple[Response, int]:
        body = request.get_json()
        for key in (
            "name",
            "description",
            "external_study_url",
            "reward",
            "completion_codes",
            "estimated_completion_time",
            "total_available_places",
            "prolific_id_option",
        ):
            if key not in body:
                abort(400, f"{key}: this field is required")
        if not body["external_study_url"].startswith(("http://", "https://")):
            abort(400, "external_study_url: enter a valid URL")
        if not isinstance(body["reward"], int):
            abort(400, "reward: in cents")
        study = f"study{len(server.studies) + 1}"
        server.studies[study] = {"id": study, "status": "UNPUBLISHED", "places_taken": 0, **body}
        return jsonify(server.studies[study]), 201

    @app.get("/api/v1/studies/<study>/")
    def study(study: str) -> Response:
        return jsonify(found(server.studies, study))

    @app.patch("/api/v1/studies/<study>/")
    def update(study: str) -> Response:
        row = found(server.studies, study)
        body = request.get_json()
        if row["status"] != "UNPUBLISHED" and set(body) - {
            "internal_name",
            "total_available_places",
        }:
            abort(400, "a published study can only be given a name and more places")
        if body.get("total_available_places", 10**9) < row["total_available_places"]:
            abort(400, "places can only be added")
        row.update(body)
        return jsonify(row)

    @app.post("/api/v1/studies/<study>/transition/")
    def move(study: str) -> Response:
        row, action = found(server.studies, study), request.get_json()["action"]
        allowed = {
            "PUBLISH": ("UNPUBLISHED", "ACTIVE"),
            "PAUSE": ("ACTIVE", "PAUSED"),
            "START": ("PAUSED", "ACTIVE"),
        }
        if allowed[action][0] != row["status"]:
            abort(400, f"cannot {action} a study that is {row['status']}")
        if action == "PUBLISH":
            cost = row["reward"] * row["total_available_places"]
            if cost > server.balance:
                abort(400, "Insufficient funds: your balance is too low")
            server.balance -= cost
        row["status"] = allowed[action][1]
        return jsonify(row)

    @app.get("/api/v1/submissions/")
    def submissions() -> Response:
        mine = [
            {key: value for key, value in one.items() if key != "bonus_payments"}
            for one in server.submissions.values()
            if one["study_id"] == request.args["study"]
        ]
        return page_of(mine)

    @app.get("/api/v1/submissions/<submission>/")
    def submission(submission: str) -> Response:
        row = dict(found(server.submissions, submission))
        return jsonify({**row, "participant": row.pop("participant_id")})

    @app.post("/api/v1/submissions/<submission>/transition/")
    def decide(submission: str) -> Response:
        row, body = found(server.submissions, submission), request.get_json()
        state = {"APPROVE": "APPROVED", "REJECT": "REJECTED"}[body["action"]]
        reasoned = len(body.get("message", "")) >= 100 and "rejection_category" in body
        if body["action"] == "REJECT" and not reasoned:
            abort(400, "message: at least 100 characters, and a rejection_category")
        if row["status"] not in ("AWAITING REVIEW", state):
            abort(400, f"the submission is {row['status']}")
        row["status"] = state
        return jsonify(row)

    @app.post("/api/v1/submissions/bonus-payments/")
    def set_up() -> tuple[Response, int]:
        body = request.get_json()
        cents = 0
        for line in body["csv_bonuses"].splitlines():
            name, amount = line.split(",")
            if server.submissions.get(name, {}).get("study_id") != body["study_id"]:
                abort(400, f"{name} did not take part")
            cents += round(float(amount) * 100)
        bulk = f"bulk{len(server.bulks) + 1}"
        server.bulks[bulk] = {"csv": body["csv_bonuses"]}
        return jsonify(
            {"id": bulk, "amount": cents, "fees": cents // 3, "study": body["study_id"]}
        ), 201

    @app.post("/api/v1/bulk-bonus-payments/<bulk>/pay/")
    def pay(bulk: str) -> tuple[Response, int]:
        found(server.bulks, bulk)
        server.asked_to_pay.append(bulk)  # not idempotent, as documented
        return jsonify({}), 202

    @app.get("/api/v1/participant-groups/")
    def groups() -> Response:
        return page_of(list(server.groups.values()))

    @app.post("/api/v1/participant-groups/")
    def make_group() -> tuple[Response, int]:
        group = f"group{len(server.groups) + 1}"
        server.groups[group] = {"id": group, "members": [], **request.get_json()}
        return jsonify(server.groups[group]), 201

    @app.route("/api/v1/participant-groups/<group>/participants/", methods=["POST", "DELETE"])
    def members(group: str) -> Response:
        row, ids = found(server.groups, group), request.get_json()["participant_ids"]
        kept = [one for one in row["members"] if one not in ids]
        row["members"] = kept + (ids if request.method == "POST" else [])
        return jsonify({"results": row["members"]})

    @app.post("/api/v1/messages/bulk/")
    def message() -> Response:
        server.messages.append(request.get_json())
        return Response(status=204)

    @app.get("/api/v1/workspaces/<workspace>/balance/")
    def balance(workspace: str) -> Response:
        return jsonify({"currency_code": "GBP", "available_balance": server.balance})

    return app
