"""What all tests share. The suite runs in Python's development mode, which turns asyncio's debug mode on as well."""
