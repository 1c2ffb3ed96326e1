"""Release -> baselines: intent, retrieval and sticker models, metrics, reports.

What others call, all else being free to change:

- `modeling.examples.intent_examples`: make the examples of the intent task.
- `modeling.intent.train.train_intent`: train a model of it; leave a run folder.
- `modeling.intent.evaluate.evaluate_intent`: measure a run on a split.
- `modeling.intent.predict.predict`: say after each turn how likely a photo comes.
- `modeling.bm25.evaluate_bm25`: measure retrieval by labels alone.
- `modeling.retrieval.examples.retrieval_examples`: make queries and photos of dialogues.
- `modeling.retrieval.train.train_retrieval`: train a model of retrieval; leave a run folder.
- `modeling.retrieval.train.load_run`: load what it has learnt.
- `modeling.retrieval.evaluate.evaluate_retrieval`: measure a run on a split.
- `modeling.retrieval.by_round.evaluate_by_round`: measure it after every turn.
- `modeling.retrieval.search.search`: find the photos for any dialogue.
- `modeling.descriptors.describe.describe`: have a language model describe the photo to come.
- `modeling.descriptors.file.read_descriptors`: read what it wrote.
- `modeling.stickers.train.train_stickers`: train a model of sticker replies; leave a run folder.
- `modeling.stickers.evaluate.evaluate_stickers`: measure a run on a split.
- `modeling.runs.task_of`: tell which of the tasks a run folder is of.
"""
