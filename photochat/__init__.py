"""What every stage shares: the dialogue, photo and release data model, splits and statistics."""

__version__ = "0.1.0"
