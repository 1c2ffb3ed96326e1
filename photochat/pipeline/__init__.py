"""The whole chain on somebody's own files, as `photochat pipeline` runs it.

`settings` reads the pipeline file, `stages` turns it into stages (data: a name, what is read, what
is written, the words of a command), `state` keeps what is finished, `plan` says what has to be done
and why, `run` does it, and `report` writes the page about all of it. The pipeline knows commands
and files alone: whatever a stage does, somebody could have typed it.
"""
