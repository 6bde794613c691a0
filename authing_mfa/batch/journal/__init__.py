"""The journal: a durable record of the rows that were sent and of their outcomes."""
