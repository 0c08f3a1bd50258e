"""One file a subject: its metrics, the list actions it folds, the events it counts."""
