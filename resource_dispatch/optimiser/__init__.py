"""Plans of movement: model, solvers, evaluator and explanations, as pure data."""
