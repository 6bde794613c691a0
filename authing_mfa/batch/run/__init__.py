"""Running a batch: the engine, its source, its rate, its progress."""
