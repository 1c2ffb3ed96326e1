"""A worker at the emulator in a real browser: a test, then a HIT in its frame, and the pay."""

from tests.collection.mturk_emulator.forms import ANSWER_KEY, PAGE, TEST
from tests.collection.mturk_emulator.rehearsal import rehearsal


def test_a_worker_takes_a_test_and_does_a_hit_in_its_frame(chromium, tmp_path):
    with rehearsal(tmp_path / "books.db") as mturk:
        trained = mturk.api.create_qualification_type(
            Name="Trained", Description="The rules", QualificationTypeStatus="Active",
            Test=TEST, AnswerKey=ANSWER_KEY, TestDurationInSeconds=600,
        )["QualificationType"]["QualificationTypeId"]  # fmt: skip
        hit = mturk.create(
            Question=PAGE,
            Title="Judge a chat",
            QualificationRequirements=[
                {"QualificationTypeId": trained, "Comparator": "EqualTo", "IntegerValues": [100]}
            ],
        )
        context = chromium.new_context()
        context.set_default_timeout(10_000)
        page = context.new_page()
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{mturk.url}/worker")
        page.fill("#id", "ABROWSER")
        page.get_by_role("button", name="Find HITs").click()
        page.get_by_role("link", name="Preview").click()
        task = page.frame_locator("iframe")
        assert task.get_by_role("button", name="Send").is_disabled()
        page.get_by_role("button", name="Accept").click()
        assert "qualification is missing" in page.inner_text("#reason")

        page.goto(f"{mturk.url}/worker/ABROWSER")
        page.get_by_role("link", name="Trained").click()
        page.get_by_label("Old friends").check()
        page.get_by_role("button", name="Submit").click()
        assert page.inner_text("#state") == "You have it now: your value is 100."

        page.goto(f"{mturk.url}/worker/ABROWSER/hits/{hit}")
        page.get_by_role("button", name="Accept").click()
        page.get_by_role("button", name="Return").wait_for()
        task.get_by_label("Is it natural?").fill("very <much>")
        task.get_by_role("button", name="Send").click()
        page.locator("#state", has_text="This assignment is submitted.").wait_for()
        assert wrong == []

        [handed_in] = mturk.api.list_assignments_for_hit(HITId=hit)["Assignments"]
        assert handed_in["WorkerId"] == "ABROWSER"
        assert "<FreeText>very &lt;much&gt;</FreeText>" in handed_in["Answer"]
        mturk.api.approve_assignment(
            AssignmentId=handed_in["AssignmentId"], RequesterFeedback="Thank you"
        )
        page.get_by_role("link", name="back to all HITs").click()
        assert page.inner_text("#paid") == "$1.00"
        assert "Thank you" in page.inner_text("#mine")
        page.screenshot(path=tmp_path / "worker.png", full_page=True)
        context.close()
