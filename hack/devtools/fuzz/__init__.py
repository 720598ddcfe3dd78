"""`hack/fuzz`: coverage-guided fuzzing of what reads bytes of strangers; what it finds is kept and tried ever after."""
