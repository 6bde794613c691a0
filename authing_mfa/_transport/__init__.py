"""The use of aiohttp in the client: one session, deadlines, and the queue in front of the pool."""
