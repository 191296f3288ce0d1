"""Figures of merit with their errors, folds and groups, distributions, judges of samples."""
