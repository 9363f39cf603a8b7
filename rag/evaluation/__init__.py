"""Measuring: metrics with their uncertainty, the data sets, and cases made from documents.

Pure but for `datasets`, which reads files. Nothing here runs a model: what is measured comes
in as numbers, or as a function that judges.
"""
