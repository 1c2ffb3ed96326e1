"""Questions to a language model, answered in JSON: by an endpoint over HTTP or by a local model.

`client.Client` is what commands use: it asks, checks each answer against a type, asks again where
an answer is not of that form, keeps every answer on disk, counts tokens and holds to a budget.
"""
