"""What workers are promised, owed and paid, to the cent."""
