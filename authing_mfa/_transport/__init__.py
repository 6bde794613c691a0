"""The aiohttp side of the client: one session, deadlines, and the queue in front of the pool."""
