"""What every stage shares: the dialogue, photo and release data model, splits and statistics.

What others call, all else being free to change:

- `photochat.dialogue.Dialogue`: one dialogue about one photo, as published.
- `photochat.photo.Photo`: one photo of a pool.
- `photochat.records.read_records`: read a file of dialogues.
- `photochat.records.write_records`: write one.
- `photochat.pool.read_pool`: read a photo pool.
- `photochat.pool.write_pool`: write one.
- `photochat.release.read_release`: read a release, from files or folders.
- `photochat.release.write_release`: write one in the published layout.
- `photochat.split.split`: cut dialogues into train, dev and test, no photo in two of them.
- `photochat.validation.validate`: name what is wrong with a release.
- `photochat.statistics.stats`: count what the paper's Tables 1 and 2 count.
- `photochat.package.package`: make a release ready to be given away.
- `photochat.stickers.read_stickers`: read a folder of sticker conversations.
- `photochat.packaged_models.located`: find a pretrained model by name.
- `photochat.language_model.client.Client`: ask a language model many questions, each once.
- `photochat.pipeline.run.Pipeline`: run stage after stage as a file says.
- `photochat.errors.DataError`: what is raised when what was given is wrong.
"""

__version__ = "0.1.0"
