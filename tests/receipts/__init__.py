"""Tests of the receipts service."""
