"""Alembic's migrations of the collection database; they run when the server starts."""
