"""Python imports this when it starts: the guard stands in every process that a test starts."""

from no_production import stand_guard

stand_guard()
