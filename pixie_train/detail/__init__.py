"""Wrinkles and folds on a face, finer than its mesh: the detail branch."""
