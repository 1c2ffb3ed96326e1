"""Tests of filtering."""
