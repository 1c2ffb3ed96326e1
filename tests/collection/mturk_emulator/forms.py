"""A test with one question and its answer key, and a page of its own: XML as requesters send it."""

_SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"

TEST = f"""<QuestionForm xmlns="{_SCHEMAS}/2017-11-06/QuestionForm.xsd">
<Overview><Title>The rules</Title></Overview>
<Question><QuestionIdentifier>who</QuestionIdentifier><IsRequired>true</IsRequired>
<QuestionContent><Text>Who are the two?</Text></QuestionContent>
<AnswerSpecification><SelectionAnswer><StyleSuggestion>radiobutton</StyleSuggestion><Selections>
<Selection><SelectionIdentifier>friends</SelectionIdentifier><Text>Old friends</Text></Selection>
<Selection><SelectionIdentifier>clerk</SelectionIdentifier><Text>A clerk</Text></Selection>
</Selections></SelectionAnswer></AnswerSpecification></Question></QuestionForm>"""

ANSWER_KEY = f"""<AnswerKey xmlns="{_SCHEMAS}/2005-10-01/AnswerKey.xsd">
<Question><QuestionIdentifier>who</QuestionIdentifier>
<AnswerOption><SelectionIdentifier>friends</SelectionIdentifier><AnswerScore>2</AnswerScore>
</AnswerOption></Question>
<QualificationValueMapping><PercentageMapping><MaximumSummedScore>2</MaximumSummedScore>
</PercentageMapping></QualificationValueMapping></AnswerKey>"""

PAGE = f"""<HTMLQuestion xmlns="{_SCHEMAS}/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[
<!DOCTYPE html><html><head><title>Task</title></head><body>
<form method="post"><input type="hidden" name="assignmentId">
<label>Is it natural? <input name="natural" value="yes"></label><button>Send</button></form>
<script>
const asked = new URLSearchParams(location.search);
const form = document.querySelector("form");
form.action = asked.get("turkSubmitTo") + "/mturk/externalSubmit";
form.assignmentId.value = asked.get("assignmentId");
form.querySelector("button").disabled = asked.get("assignmentId") === "ASSIGNMENT_ID_NOT_AVAILABLE";
</script></body></html>]]></HTMLContent><FrameHeight>400</FrameHeight></HTMLQuestion>"""
