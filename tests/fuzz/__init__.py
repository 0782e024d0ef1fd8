"""Coverage-guided fuzzing of the imaging core; not part of the test run, because it has no end."""
